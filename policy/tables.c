/*
 * The schemas of the files of a set, as tables: the executable half of policy/FORMAT.md. `fixed`
 * names keys of a definition that an overlay cannot change, so that the complaint says so.
 */

#include "policy/tables.h"

#include <string.h>

#include "policy/procedure.h"

/* Rows leave out what is false. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* Initializers, that look like blocks. */
/* clang-format off */
#define FIELDS(...) (const struct schema_field[]) { __VA_ARGS__, { 0 } }
#define WORDS(...) (const char *const[]) { __VA_ARGS__, NULL }
/* clang-format on */

enum { DURATION_MAX = 3653 * 86400 }; /* ten years */

const char *const policy_severity_words[] = { "S1", "S2", "S3", "S4", NULL };
const char *const policy_privacy_words[] = { "parties", "handlers", "restricted", NULL };
const char *const policy_route_words[] = { "none", "personal_data", "legal", "emergency", NULL };
const char *const policy_level_words[] = { "wiki", "group", "region", "global", "special", NULL };
const char *const policy_routes[] = {
	"emergency", "legal",           "personal_data", "default", "systemic", "multi_wiki",
	"off_wiki",  "technical_space", "affiliate",     "event",   NULL
};

static const struct schema id = { .type = SCHEMA_ID };
static const struct schema id_or_null = { .type = SCHEMA_ID_OR_NULL };
static const struct schema rule_id = { .type = SCHEMA_RULE_ID };
static const struct schema dbname = { .type = SCHEMA_DBNAME };
static const struct schema lang = { .type = SCHEMA_LANG };
static const struct schema boolean = { .type = SCHEMA_BOOL };
static const struct schema date = { .type = SCHEMA_DATE };
static const struct schema timestamp = { .type = SCHEMA_TIME };
static const struct schema url = { .type = SCHEMA_URL };
static const struct schema host = { .type = SCHEMA_HOST };
static const struct schema label = { .type = SCHEMA_LABEL };
static const struct schema text = { .type = SCHEMA_TEXT };
static const struct schema fixed = { .type = SCHEMA_FIXED };
static const struct schema seats = { .type = SCHEMA_INT, .min = 1, .max = 99 };
static const struct schema revision = { .type = SCHEMA_INT, .min = 1, .max = 1000000 };
static const struct schema duration = { .type = SCHEMA_DURATION, .min = 0, .max = DURATION_MAX };
static const struct schema limit = { .type = SCHEMA_DURATION, .min = 1, .max = DURATION_MAX };
static const struct schema valued_limit = { .type = SCHEMA_VALUED, .element = &limit };
static const struct schema valued_id = { .type = SCHEMA_VALUED, .element = &id };
static const struct schema ids = { .type = SCHEMA_LIST, .element = &id };
static const struct schema rule_ids = { .type = SCHEMA_LIST, .element = &rule_id };
static const struct schema langs = { .type = SCHEMA_LIST, .element = &lang };
static const struct schema dbnames = { .type = SCHEMA_LIST, .element = &dbname };

static const struct schema severity = { .type = SCHEMA_WORD, .words = policy_severity_words };
static const struct schema privacy = { .type = SCHEMA_WORD, .words = policy_privacy_words };
static const struct schema route = { .type = SCHEMA_WORD, .words = policy_route_words };
static const struct schema level = { .type = SCHEMA_WORD, .words = policy_level_words };
static const struct schema direction = { .type = SCHEMA_WORD, .words = WORDS("ltr", "rtl") };
static const struct schema jurisdiction = { .type = SCHEMA_JURISDICTION };
static const struct schema layer_name = { .type = SCHEMA_LAYER_NAME };

/* Initializers, that look like blocks. */
/* clang-format off */
#define STRUCT(...) { .type = SCHEMA_STRUCT, .fields = FIELDS(__VA_ARGS__) }
#define ENTRY(...) { .type = SCHEMA_STRUCT, .is_annotated = true, .fields = FIELDS(__VA_ARGS__) }
#define MAP(of_key, of_element) { .type = SCHEMA_MAP, .key = (of_key), .element = (of_element) }
#define WORD(...) { .type = SCHEMA_WORD, .words = WORDS(__VA_ARGS__) }
#define REVIEWED { "reviewed", &boolean }
/* clang-format on */

const struct schema_field policy_annotation_fields[] = {
	{ "source", &url }, { "accessed", &date }, { "example", &boolean }, { 0 }
};

/* Rules. */
static const struct schema rule_kind = WORD("expected", "unacceptable");
static const struct schema reference = STRUCT({ "url", &url, true }, { "section", &label });
static const struct schema rule = ENTRY(
	{ "section", &label, true }, { "kind", &rule_kind, true }, { "severity_floor", &severity },
	{ "privacy_floor", &privacy }, { "route", &route }, { "mediation", &boolean },
	{ "reference", &reference }, { "title", &label, true }, { "text", &text, true });
static const struct schema rule_tighten = ENTRY(
	{ "severity_floor", &severity }, { "privacy_floor", &privacy }, { "mediation", &boolean },
	{ "section", &fixed }, { "kind", &fixed }, { "route", &fixed }, { "reference", &fixed },
	{ "title", &fixed }, { "text", &fixed });
static const struct schema rule_annotate = ENTRY({ "text", &text, true }, { "title", &fixed });
static const struct schema rules = MAP(&rule_id, &rule);
static const struct schema rules_tighten = MAP(&rule_id, &rule_tighten);
static const struct schema rules_annotate = MAP(&rule_id, &rule_annotate);
static const struct schema valued_route = { .type = SCHEMA_VALUED, .element = &route };
static const struct schema rules_route = MAP(&rule_id, &valued_route);

/* Categories. */
static const struct schema harm = WORD("physical_harm", "self_harm", "public_harm");
static const struct schema category = ENTRY({ "title", &label, true }, { "description", &text },
					    { "rules", &rule_ids, true }, { "harm_type", &harm },
					    { "irs", &id }, { "offer", &boolean });
static const struct schema category_tighten = ENTRY({ "rules", &rule_ids }, { "offer", &boolean },
						    { "title", &fixed }, { "description", &fixed },
						    { "harm_type", &fixed }, { "irs", &fixed });
static const struct schema label_annotate = ENTRY({ "title", &label, true });
static const struct schema categories = MAP(&id, &category);
static const struct schema categories_tighten = MAP(&id, &category_tighten);
static const struct schema labels_annotate = MAP(&id, &label_annotate);

/* Sanctions. */
static const struct schema sanction_kind = WORD("advice", "warning", "restriction", "block", "lock",
						"ban", "rights_removal", "reporting_restriction",
						"recommendation", "monitoring", "office_action");
static const struct schema scope = WORD("wiki", "topic", "page", "person", "global");
static const struct schema scopes = { .type = SCHEMA_LIST, .element = &scope };
static const struct schema sanction = ENTRY({ "title", &label, true }, { "text", &text },
					    { "kind", &sanction_kind, true }, { "scopes", &scopes },
					    { "max_duration", &limit }, { "local_cap", &duration });
static const struct schema sanction_tighten = ENTRY(
	{ "max_duration", &limit }, { "local_cap", &duration }, { "title", &fixed },
	{ "text", &fixed }, { "kind", &fixed }, { "scopes", &fixed });
static const struct schema sanctions = MAP(&id, &sanction);
static const struct schema sanctions_tighten = MAP(&id, &sanction_tighten);

/* Bodies. */
static const struct schema body_kind = WORD("functionaries", "arbcom", "shared_arbcom", "stewards",
					    "u4c", "ts", "legal", "oversight", "affcom", "techcoc",
					    "events", "crc");
static const struct schema body_role = WORD("functionary", "arbitrator", "steward", "u4c_member",
					    "ts_staff", "legal", "event_coordinator", "crc_member",
					    "oversighter");
static const struct schema decides = WORD("single", "panel");
static const struct schema quorum_rule = WORD("fixed", "majority_of_active");
static const struct schema quorum = STRUCT({ "rule", &quorum_rule, true }, { "n", &seats });
static const struct schema accept_rule = WORD("none", "fixed", "net", "majority_of_voters");
static const struct schema accept = STRUCT({ "rule", &accept_rule, true }, { "n", &seats },
					   { "or_majority", &boolean }, { "voters", &seats });
static const struct schema decide_rule = WORD("majority", "majority_of_active",
					      "majority_of_voters", "two_staff");
static const struct schema decide = STRUCT({ "rule", &decide_rule, true }, { "voters", &seats });
static const struct schema body = ENTRY(
	{ "title", &label, true }, { "kind", &body_kind, true }, { "level", &level, true },
	{ "jurisdiction", &jurisdiction, true }, { "role", &body_role, true },
	{ "high_level", &boolean }, { "decides", &decides }, { "panel_size", &seats },
	{ "quorum", &quorum }, { "accept", &accept }, { "decide", &decide }, { "up", &id_or_null },
	{ "appeal", &id_or_null }, { "alternates", &ids }, { "languages", &langs },
	{ "external", &boolean });
static const struct schema body_tighten = ENTRY(
	{ "decides", &decides }, { "panel_size", &seats }, { "quorum", &quorum },
	{ "decide", &decide }, { "alternates", &ids }, { "languages", &langs }, { "title", &fixed },
	{ "kind", &fixed }, { "level", &fixed }, { "jurisdiction", &fixed }, { "role", &fixed },
	{ "high_level", &fixed }, { "accept", &fixed }, { "up", &fixed }, { "appeal", &fixed },
	{ "external", &fixed });
static const struct schema body_route = ENTRY({ "up", &id }, { "appeal", &id });
static const struct schema bodies = MAP(&id, &body);
static const struct schema bodies_tighten = MAP(&id, &body_tighten);
static const struct schema bodies_route = MAP(&id, &body_route);

/* Routes and procedure. */
#define ROUTE_FIELDS(is_required)                                                              \
	FIELDS({ "emergency", &valued_id, is_required }, { "legal", &valued_id, is_required }, \
	       { "personal_data", &valued_id, is_required },                                   \
	       { "default", &valued_id, is_required }, { "systemic", &valued_id },             \
	       { "multi_wiki", &valued_id }, { "off_wiki", &valued_id },                       \
	       { "technical_space", &valued_id }, { "affiliate", &valued_id },                 \
	       { "event", &valued_id })
static const struct schema routes = { .type = SCHEMA_STRUCT, .fields = ROUTE_FIELDS(false) };

#define NUMBER_SCHEMA(name, way, least, most)                               \
	static const struct schema number_##name = { .type = SCHEMA_INT,    \
						     .min = least,          \
						     .max = most };         \
	static const struct schema valued_##name = { .type = SCHEMA_VALUED, \
						     .element = &number_##name };
POLICY_NUMBERS(NUMBER_SCHEMA)

#define BASE_DURATION(name, way) { #name, &valued_limit, true },
#define BASE_NUMBER(name, way, least, most) { #name, &valued_##name, true },
#define TIGHTEN_SHORTER(s) s
#define TIGHTEN_LONGER(s) s
#define TIGHTEN_FIXED(s) &fixed
#define TIGHTEN_DURATION(name, way) { #name, TIGHTEN_##way(&valued_limit), false },
#define TIGHTEN_NUMBER(name, way, least, most) { #name, TIGHTEN_##way(&valued_##name), false },

/* clang-format off */
static const struct schema_field procedure_fields[] = {
	POLICY_DURATIONS(BASE_DURATION) POLICY_NUMBERS(BASE_NUMBER) { 0 }
};
static const struct schema_field procedure_tighten_fields[] = {
	POLICY_DURATIONS(TIGHTEN_DURATION) POLICY_NUMBERS(TIGHTEN_NUMBER) { 0 }
};
/* clang-format on */
static const struct schema procedure = { .type = SCHEMA_STRUCT, .fields = procedure_fields };
static const struct schema procedure_tighten = { .type = SCHEMA_STRUCT,
						 .fields = procedure_tighten_fields };

/* Languages and interruptions. */
static const struct schema language = ENTRY({ "dir", &direction }, { "name", &label },
					    { "fallback", &langs });
static const struct schema languages = MAP(&lang, &language);
static const struct schema interruption = ENTRY({ "from", &timestamp, true },
						{ "to", &timestamp, true }, { "regions", &ids },
						{ "wikis", &dbnames }, { "reason", &label, true });
static const struct schema interruptions = MAP(&id, &interruption);

/* Layer files. */
static const struct schema layer_kind = WORD("base", "region", "group", "wiki");
static const struct schema retire = STRUCT({ "rules", &rule_ids }, { "categories", &ids },
					   { "sanctions", &ids });
static const struct schema add = STRUCT(
	{ "rules", &rules }, { "categories", &categories }, { "sanctions", &sanctions },
	{ "bodies", &bodies }, { "interruptions", &interruptions }, { "languages", &languages });
static const struct schema tighten = STRUCT(
	{ "rules", &rules_tighten }, { "categories", &categories_tighten },
	{ "sanctions", &sanctions_tighten }, { "bodies", &bodies_tighten },
	{ "procedure", &procedure_tighten });
static const struct schema annotate = STRUCT({ "rules", &rules_annotate },
					     { "categories", &labels_annotate },
					     { "sanctions", &labels_annotate });
static const struct schema reroute = STRUCT({ "rules", &rules_route }, { "routes", &routes },
					    { "bodies", &bodies_route });

const struct schema policy_schema_base = ENTRY(
	{ "layer", &layer_kind, true }, { "id", &id, true }, { "title", &label },
	{ "rules", &rules, true }, { "categories", &categories, true },
	{ "sanctions", &sanctions, true }, { "bodies", &bodies, true }, { "routes", &routes, true },
	{ "procedure", &procedure, true }, { "languages", &languages, true },
	{ "interruptions", &interruptions }, { "retire", &retire });
const struct schema policy_schema_overlay = ENTRY(
	{ "layer", &layer_kind, true }, { "id", &id, true }, { "title", &label }, { "add", &add },
	{ "tighten", &tighten }, { "annotate", &annotate }, { "route", &reroute },
	{ "retire", &retire });

/* The other files. */
static const struct schema format = WORD("1");
static const struct schema text_source = STRUCT({ "title", &label, true }, { "url", &url, true },
						{ "accessed", &date, true });
const struct schema policy_schema_manifest = STRUCT(
	{ "format", &format, true }, { "name", &label, true }, { "revision", &revision, true },
	{ "text_source", &text_source });

static const struct schema wiki_status = WORD("open", "closed", "private", "fishbowl");
const struct schema policy_schema_wiki = ENTRY(
	{ "lang", &lang, true }, { "dir", &direction, true }, { "family", &id, true },
	{ "status", &wiki_status, true }, { "host", &host }, { "name", &label },
	{ "regions", &ids }, { "group", &id_or_null }, { "body", &id_or_null },
	{ "appeal_body", &id_or_null });
static const struct schema wikis = MAP(&dbname, &policy_schema_wiki);
const struct schema policy_schema_registry = ENTRY({ "wikis", &wikis, true });

static const struct schema lang_rule = ENTRY({ "title", &label }, { "text", &text }, REVIEWED);
static const struct schema lang_category = ENTRY({ "title", &label }, { "description", &text },
						 REVIEWED);
static const struct schema lang_note = ENTRY({ "text", &text, true }, REVIEWED);
static const struct schema lang_label = ENTRY({ "title", &label, true }, REVIEWED);
static const struct schema lang_rules = MAP(&rule_id, &lang_rule);
static const struct schema lang_categories = MAP(&id, &lang_category);
static const struct schema lang_sanctions = MAP(&id, &lang_rule);
static const struct schema lang_notes = MAP(&rule_id, &lang_note);
static const struct schema lang_labels = MAP(&id, &lang_label);
static const struct schema lang_layer = STRUCT({ "title", &label }, { "rules", &lang_notes },
					       { "categories", &lang_labels },
					       { "sanctions", &lang_labels });
static const struct schema lang_layers = MAP(&layer_name, &lang_layer);
const struct schema policy_schema_lang = ENTRY(
	{ "language", &lang, true }, REVIEWED, { "rules", &lang_rules },
	{ "categories", &lang_categories }, { "sanctions", &lang_sanctions },
	{ "bodies", &lang_labels }, { "layers", &lang_layers });

int policy_word_find(const char *const *words, const char *wanted)
{
	for (int i = 0; wanted && words[i]; i++)
		if (strcmp(words[i], wanted) == 0)
			return i;
	return -1;
}
