#pragma once
/*
 * A policy set: the code of conduct of every wiki, read from layers of YAML (policy/FORMAT.md) or
 * from the canonical text that was published. Immutable once made, counted, safe to share between
 * the exchanges of one process; everything it returns lives as long as the set.
 */

#include "daemon/base/buffer.h"
#include "daemon/json/value.h"

struct policy_set;

enum {
	POLICY_E_REFUSED = 1, /* the set is not accepted: see the errors */
	POLICY_E_ABSENT,      /* no such wiki, rule or language */
};

enum { POLICY_VERSION_LENGTH = 64 }; /* hexadecimal SHA-256 */

/* Why a set was refused: one line each, `file:line:column: message`, in order of file and line. */
struct policy_errors {
	size_t n_lines;
	char **lines;
};

void policy_errors_deinit(struct policy_errors *errors); /* usable with CLEANUP() */

/* Life. directories: the shipped set first, then the operator's own. */
int policy_set_load(const char *const *directories, size_t n_directories,
		    struct policy_set **ret_set, struct policy_errors *ret_errors);
int policy_set_read(struct slice canonical, struct policy_set **ret_set,
		    struct policy_errors *ret_errors);
struct policy_set *policy_set_ref(struct policy_set *set);
struct policy_set *policy_set_unref(struct policy_set *set); /* NULL */
void policy_set_unrefp(struct policy_set **set);             /* for CLEANUP() */

/* What is published: the three go to conduct_api_1.publish_policy with the effective JSON. */
const char *policy_set_version(const struct policy_set *set);
int64_t policy_set_revision(const struct policy_set *set);
struct slice policy_set_canonical(const struct policy_set *set);
struct slice policy_set_effective(const struct policy_set *set);
const char *policy_set_name(const struct policy_set *set);
size_t policy_set_count_layers(const struct policy_set *set);
size_t policy_set_count_wikis(const struct policy_set *set);
size_t policy_set_count_profiles(const struct policy_set *set);

/* Wikis. The strings are borrowed from the set; NULL where the registry says null. */
struct policy_wiki {
	const char *dbname;
	const char *lang;
	bool is_rtl;
	const char *family;
	const char *status; /* open, closed, private, fishbowl */
	const char *host;
	const char *name;
	const char *group;
	const char *body;
	const char *appeal_body;
	const char *const *regions; /* alphabetical, NULL-terminated */
	const char *profile;        /* SHA-256 of its effective rules, hexadecimal */
};

const struct policy_wiki *policy_set_find_wiki(const struct policy_set *set, struct slice dbname);
const struct policy_wiki *policy_set_wiki_at(const struct policy_set *set,
					     size_t index); /* sorted */

/* What a wiki offers; wiki NULL: what base says. */
bool policy_set_has_category(const struct policy_set *set, const struct policy_wiki *wiki,
			     struct slice category);
/* "physical_harm", "self_harm", "public_harm" or NULL. */
const char *policy_set_category_harm(const struct policy_set *set, const struct policy_wiki *wiki,
				     struct slice category);
/* The category that Extension:ReportIncident's type maps to there, or NULL. */
const char *policy_set_map_irs(const struct policy_set *set, const struct policy_wiki *wiki,
			       struct slice type);
bool policy_set_has_rule(const struct policy_set *set, const struct policy_wiki *wiki,
			 struct slice rule);
bool policy_set_has_sanction(const struct policy_set *set, const struct policy_wiki *wiki,
			     struct slice sanction);
/* 0 or POLICY_E_ABSENT; seconds for limits, a plain number for the integer keys. */
int policy_set_limit(const struct policy_set *set, const struct policy_wiki *wiki, const char *key,
		     int64_t *ret_limit);
bool policy_set_has_body(const struct policy_set *set, struct slice body);
/* The label of a body in the languages of the chain; POLICY_E_ABSENT. Owned by the caller. */
struct policy_chain;
int policy_set_body_title(const struct policy_set *set, struct slice body,
			  const struct policy_chain *chain, struct value **ret_text);

/*
 * Languages, best first; every chain ends in en. `list` is what a caller sends as lang=: one
 * language (its fallback list follows) or its own chain "pt-br|pt|en"; `accept` an Accept-Language
 * header; both may be empty: then the content language of the wiki, if one is given. Unknown and
 * malformed languages are passed over.
 */
enum { POLICY_CHAIN_MAX = 32 };
struct policy_chain {
	size_t n_langs;
	const char *langs[POLICY_CHAIN_MAX];
	size_t n_asked; /* so many stand first because the caller, or else the wiki, asked for one
			 */
};
void policy_chain_init(struct policy_chain *chain, const struct policy_set *set,
		       const struct policy_wiki *wiki, struct slice list, struct slice accept);
bool policy_set_is_rtl(const struct policy_set *set, const char *lang);

/*
 * JSON of GET /v1/policy and /v1/policy/rules/{id} (api.md). wiki NULL: base. POLICY_E_ABSENT: no
 * such rule there. ret_value is owned by the caller.
 */
int policy_set_render(const struct policy_set *set, const struct policy_wiki *wiki,
		      const struct policy_chain *chain, struct value **ret_value);
int policy_set_render_rule(const struct policy_set *set, const struct policy_wiki *wiki,
			   const struct policy_chain *chain, struct slice rule,
			   struct value **ret_value);
