/*
 * A report as it arrives. On the standard lane everything has to be right; on the emergency lane
 * only the danger and the words count, and whatever else is wrong is left out and noted as
 * unverified (domain: "Nobody is refused").
 */

#include "daemon/cases/report.h"
#include "daemon/base/text.h"

#include <stdio.h>
#include <string.h>

enum {
	DETAILS_MAX = 10000,
	DETAILS_EMERGENCY_MAX = 4000,
	CONTACT_MAX = 500,
	PAGE_MAX = 512,
	REASON_MAX = 2000,
	LIST_MAX = 20,
};

/* One row, one line. */
/* clang-format off */
static const char *const lanes[] = { "standard", "emergency", NULL };
static const char *const harm_types[] = { "physical_harm", "self_harm", "public_harm", NULL };
static const char *const venues[] = { "on_wiki", "technical_space", "event", "off_wiki",
	"private_message", NULL };
static const char *const doubts[] = { "yes", "no", "unsure", NULL };
static const char *const measures[] = { "suppress", "protect", "block", NULL };
static const char *const privacy_levels[] = { "parties", "handlers", "restricted", NULL };
static const char *const identities[] = { "named", "sealed", "anonymous", NULL };

static const struct form incident_members[] = {
	{ "venue", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = venues },
	{ "wiki", FORM_WIKI, .flags = 0 },
	{ "page", FORM_WORD, .flags = 0, .limit = PAGE_MAX },
	{ "revision", FORM_REVISION, .flags = 0 },
	{ "thread", FORM_WORD, .flags = 0, .limit = PAGE_MAX },
	{ "url", FORM_URL, .flags = 0 },
	{ "from", FORM_TIME, .flags = 0 },
	{ "to", FORM_TIME, .flags = 0 },
	{ .name = NULL },
};

static const struct form respondent_members[] = {
	{ "user", FORM_USER, .flags = 0 },
	{ "url", FORM_URL, .flags = 0 },
	{ "unknown", FORM_WORD, .flags = 0, .limit = REASON_MAX },
	{ "body", FORM_ID, .flags = 0 },
	{ .name = NULL },
};

static const struct form target_members[] = {
	{ "self", FORM_TRUE, .flags = 0 },
	{ "user", FORM_USER, .flags = 0 },
	{ "url", FORM_URL, .flags = 0 },
	{ "unknown", FORM_WORD, .flags = 0, .limit = REASON_MAX },
	{ .name = NULL },
};

static const struct form excluded_members[] = {
	{ "user", FORM_USER, .flags = FORM_REQUIRED },
	{ "reason", FORM_WORD, .flags = FORM_REQUIRED, .limit = REASON_MAX },
	{ .name = NULL },
};

static const struct form report_members[] = {
	{ "wiki", FORM_WIKI, .flags = FORM_NULLABLE },
	{ "lang", FORM_LANG, .flags = 0 },
	{ "lane", FORM_CHOICE, .flags = 0, .choices = lanes },
	{ "harm_type", FORM_CHOICE, .flags = 0, .choices = harm_types },
	{ "minor_at_risk", FORM_BOOLEAN, .flags = 0 },
	{ "incidents", FORM_OBJECT, .flags = FORM_LIST, .members = incident_members, .items = LIST_MAX },
	{ "category", FORM_ID, .flags = FORM_REQUIRED },
	{ "respondents", FORM_OBJECT, .flags = FORM_LIST | FORM_ONE_OF, .members = respondent_members, .items = LIST_MAX },
	{ "targets", FORM_OBJECT, .flags = FORM_LIST | FORM_ONE_OF, .members = target_members, .items = LIST_MAX },
	{ "about_functionary", FORM_CHOICE, .flags = 0, .choices = doubts },
	{ "details", FORM_WORD, .flags = FORM_REQUIRED, .limit = DETAILS_MAX },
	{ "harmed", FORM_WORD, .flags = 0, .limit = DETAILS_MAX },
	{ "extra", FORM_WORD, .flags = 0, .limit = DETAILS_MAX },
	{ "contain", FORM_CHOICE, .flags = FORM_LIST, .choices = measures, .items = LIST_MAX },
	{ "privacy", FORM_CHOICE, .flags = 0, .choices = privacy_levels },
	{ "identity", FORM_CHOICE, .flags = 0, .choices = identities },
	{ "publish_after", FORM_BOOLEAN, .flags = 0 },
	{ "exclude_handlers", FORM_OBJECT, .flags = FORM_LIST, .members = excluded_members, .items = LIST_MAX },
	{ "contact", FORM_WORD, .flags = 0, .limit = CONTACT_MAX },
	{ "region", FORM_ID, .flags = 0 },
	{ "filed_for", FORM_OBJECT, .flags = FORM_ONE_OF, .members = target_members },
	{ .name = NULL },
};

/* clang-format on */

static bool is_one_of(const struct value *value, const char *const *choices)
{
	for (; *choices; choices++)
		if (text_equals(value_text(value), text_slice(*choices)))
			return true;
	return false;
}

static const struct policy_wiki *find_wiki(const struct policy_set *set, const struct value *object)
{
	struct slice wiki = value_text(value_get(object, "wiki"));

	return set && wiki.at ? policy_set_find_wiki(set, wiki) : NULL;
}

/* The harm that a report's category stands for, or NULL. */
static const char *category_harm(const struct policy_set *set, const struct value *report)
{
	struct slice category = value_text(value_get(report, "category"));

	return set && category.at ? policy_set_category_harm(set, find_wiki(set, report), category)
				  : NULL;
}

/* Whoever names a danger is on the emergency lane, whatever the lane they gave. */
bool report_is_emergency(const struct value *body, const struct policy_set *set)
{
	return text_equals(value_text(value_get(body, "lane")), text_slice("emergency")) ||
	       is_one_of(value_get(body, "harm_type"), harm_types) ||
	       value_is_true(value_get(body, "minor_at_risk")) || category_harm(set, body);
}

/* A wrong optional member: refused, or, where nobody is refused, left out. */
static int reject(struct form_check *check, struct value *object, const char *name,
		  const char *pointer, const char *detail)
{
	if (!check->is_lenient) {
		form_refuse(check, pointer, detail);
		return 0;
	}
	check->has_dropped = true;
	return value_remove(object, name);
}

static int check_incident(struct form_check *check, const struct policy_set *set,
			  struct value *incident, size_t index)
{
	const char *wiki = arena_printf(check->arena, "/incidents/%zu/wiki", index);
	const char *to = arena_printf(check->arena, "/incidents/%zu/to", index);
	int64_t from_us, to_us;
	int r = 0;

	if (!wiki || !to)
		return -ENOMEM;
	if (value_get(incident, "wiki") && !find_wiki(set, incident))
		r = reject(check, incident, "wiki", wiki, "is not a known wiki");
	if (!r && value_get(incident, "from") && value_get(incident, "to") &&
	    !text_read_timestamp(value_text(value_get(incident, "from")), &from_us) &&
	    !text_read_timestamp(value_text(value_get(incident, "to")), &to_us) && to_us < from_us)
		r = reject(check, incident, "to", to, "must not be before from");
	return r;
}

static bool is_about_no_wiki(const struct value *report)
{
	const struct value *incidents = value_get(report, "incidents");

	for (size_t i = 0; i < value_count(incidents); i++) {
		const char *venue = value_get_string(value_at(incidents, i), "venue");

		if (!venue || (strcmp(venue, "off_wiki") != 0 && strcmp(venue, "event") != 0))
			return false;
	}
	return value_count(incidents) > 0;
}

static int check_wiki(struct form_check *check, const struct policy_set *set, struct value *report)
{
	bool has_wiki = value_is(value_get(report, "wiki"), VALUE_TEXT);

	if (has_wiki && !find_wiki(set, report))
		return reject(check, report, "wiki", "/wiki", "is not a known wiki");
	if (!has_wiki && !check->is_lenient && !is_about_no_wiki(report))
		form_refuse(check, "/wiki",
			    "may be null only for what happened off wiki or at an event");
	return 0;
}

static int check_category(struct form_check *check, const struct policy_set *set,
			  struct value *report)
{
	struct slice category = value_text(value_get(report, "category"));

	if (!category.at || (set && policy_set_has_category(set, find_wiki(set, report), category)))
		return 0;
	return reject(check, report, "category", "/category", "is not offered there");
}

/* A body that does not exist cannot be a party; on the emergency lane it stays as a description. */
static int check_respondent(struct form_check *check, const struct policy_set *set,
			    struct value *respondent, size_t index)
{
	struct slice body = value_text(value_get(respondent, "body"));
	const char *pointer = arena_printf(check->arena, "/respondents/%zu/body", index);
	const char *id;
	int r;

	if (!pointer)
		return -ENOMEM;
	if (!body.at || (set && policy_set_has_body(set, body)))
		return 0;
	if (!check->is_lenient) {
		form_refuse(check, pointer, "is not a known body");
		return 0;
	}
	check->has_dropped = true;
	r = words_add(&check->words, "unknown", body, &id);
	if (!r)
		r = value_set_string(respondent, "unknown", id);
	return r ? r : value_remove(respondent, "body");
}

static int check_against_policy(struct form_check *check, const struct policy_set *set,
				struct value *report)
{
	const struct value *incidents = value_get(report, "incidents");
	const struct value *respondents = value_get(report, "respondents");
	int r = 0;

	for (size_t i = 0; !r && i < value_count(incidents); i++)
		r = check_incident(check, set, value_at(incidents, i), i);
	for (size_t i = 0; !r && i < value_count(respondents); i++)
		r = check_respondent(check, set, value_at(respondents, i), i);
	if (!r)
		r = check_wiki(check, set, report);
	return r ? r : check_category(check, set, report);
}

static int set_default(struct value *report, const char *name, struct value *value)
{
	if (value_get(report, name)) {
		value_free(value);
		return 0;
	}
	return value_set_take(report, name, value);
}

static int set_uuid(struct value *object, const char *name)
{
	char uuid[TEXT_UUID_LENGTH + 1];
	int r = text_new_uuid(uuid);

	return r ? r : value_set_string(object, name, uuid);
}

static int set_copy(struct value *object, const char *name, const struct value *value)
{
	struct value *copy = value_copy(value);

	return copy ? value_set_take(object, name, copy) : -ENOMEM;
}

/* The ids of what the report opens. Each key unit has its own; that of the case file is the case's,
 * so that who writes to a case knows where. */
static int set_ids(struct value *report)
{
	struct value *units = value_new_object();
	int r;

	r = units ? set_uuid(report, "case") : -ENOMEM;
	if (!r)
		r = set_copy(units, "case_file", value_get(report, "case"));
	if (!r)
		r = set_uuid(units, "report");
	if (!r)
		r = set_uuid(units, "identity");
	if (r) {
		value_free(units);
		return r;
	}
	r = value_set_take(report, "units", units);
	if (!r)
		r = set_uuid(report, "report");
	return r ? r : set_uuid(report, "reporter");
}

static int complete(struct value *report, const struct policy_set *set, bool is_emergency,
		    bool is_unverified)
{
	const struct policy_wiki *wiki = find_wiki(set, report);
	const char *harm = category_harm(set, report);
	int r;

	r = value_set_string(report, "lane", is_emergency ? "emergency" : "standard");
	if (!r)
		r = set_default(report, "wiki", value_new_null());
	if (!r)
		r = set_default(report, "lang", value_new_string(wiki ? wiki->lang : "en"));
	if (!r && harm)
		r = set_default(report, "harm_type", value_new_string(harm));
	if (!r)
		r = set_default(report, "minor_at_risk", value_new_boolean(false));
	if (!r)
		r = set_default(report, "about_functionary", value_new_string("no"));
	if (!r)
		r = set_default(report, "privacy", value_new_string("handlers"));
	if (!r)
		r = set_default(report, "identity", value_new_string("sealed"));
	if (!r)
		r = set_default(report, "publish_after", value_new_boolean(false));
	if (!r)
		r = set_default(report, "contain", value_new_array());
	if (!r)
		r = value_set_boolean(report, "unverified", is_unverified);
	return r ? r : set_ids(report);
}

/* The rows for a lane: on the emergency lane only the words are needed, and they are shorter where
 * the reporter chose that lane. */
static void choose_members(const struct value *body, bool is_emergency,
			   struct form ret_members[ARRAY_SIZE(report_members)])
{
	bool is_chosen = text_equals(value_text(value_get(body, "lane")), text_slice("emergency"));

	memcpy(ret_members, report_members, sizeof(report_members));
	for (struct form *row = ret_members; is_emergency && row->name; row++) {
		if (strcmp(row->name, "details") != 0)
			row->flags &= ~(unsigned)(FORM_REQUIRED | FORM_NULLABLE);
		else if (is_chosen)
			row->limit = DETAILS_EMERGENCY_MAX;
	}
}

/* Checks a report and fills in what a client may leave out. */
int report_check(struct form_check *check, const struct policy_set *set, const struct value *body,
		 bool is_emergency, bool is_unverified, struct value **ret_args)
{
	struct form members[ARRAY_SIZE(report_members)];
	struct value *report = NULL;
	int r;

	choose_members(body, is_emergency, members);
	check->is_lenient = is_emergency;
	r = form_check_body(check, members, body, &report);
	if (r)
		return r;
	if (!check->n_errors)
		r = check_against_policy(check, set, report);
	if (!r && !check->n_errors)
		r = complete(report, set, is_emergency, is_unverified || check->has_dropped);
	if (!r && !check->n_errors && is_emergency && !value_get(report, "harm_type") &&
	    !value_is_true(value_get(report, "minor_at_risk")))
		form_refuse(check, "/harm_type", "is required, or minor_at_risk");
	if (r) {
		value_free(report);
		return r;
	}
	*ret_args = report;
	return 0;
}
