/* conductctl route: which body would get a report, by the published set and today's grants. */

#include <stdio.h>
#include <string.h>

#include "daemon/app/control.h"

/* The facts of a report as conduct_api_1.route_facts() gathers them from a stored one. */
static const char query[] =
	"with wiki as ("
	" select w.wiki, w.profile from conduct.policy_wiki w"
	" where w.wiki = $1 and w.policy_version = conduct_api_1.present_policy()),"
	" rule as ("
	" select r.* from wiki w, conduct_api_1.category_rules(w.profile, $2) r)"
	" select w.wiki, (select count(*) from rule),"
	" (conduct_api_1.route_show(jsonb_build_object("
	"  'wiki', $1::text, 'category', $2::text,"
	"  'severity', coalesce($3, (select max(r.severity_floor) from rule r), 'S1'),"
	"  'about_functionary', $4::text,"
	"  'routes', (select coalesce(jsonb_agg(distinct r.route)"
	"   filter (where r.route is not null), '[]') from rule r),"
	"  'sections', (select coalesce(jsonb_agg(distinct r.section), '[]') from rule r))))"
	" .body ->> 'body'"
	" from wiki w";

static int route_print(struct pg_session *session, const char *const *params)
{
	struct pg_rows *rows = NULL;
	int r = pg_session_query(session, query, params, 4, &rows);

	if (r)
		return control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	if (pg_rows_count(rows) == 0)
		r = control_fail("the published set does not know the wiki %s", params[0]);
	else if (strcmp(pg_rows_text(rows, 0, 1), "0") == 0)
		r = control_fail("%s does not offer the category %s", params[0], params[1]);
	else
		(void)puts(pg_rows_text(rows, 0, 2) ? pg_rows_text(rows, 0, 2) : "no body");
	pg_rows_free(rows);
	return r;
}

int control_route(struct control *control, int argc, char **argv)
{
	const char *params[4] = { NULL, NULL, NULL, NULL };
	bool is_about_functionary = false;
	const struct control_option options[] = {
		{ "--wiki", &params[0], NULL, true },
		{ "--category", &params[1], NULL, true },
		{ "--severity", &params[2], NULL, false },
		{ "--about-functionary", NULL, &is_about_functionary, false },
	};
	struct pg_session *session;
	int r = control_read_options("route", argc, argv, options, ARRAY_SIZE(options));

	if (r)
		return r;
	if (params[2] && (params[2][0] != 'S' || params[2][1] < '1' || params[2][1] > '4' ||
			  params[2][2] != '\0'))
		return control_misused("route: --severity is S1, S2, S3 or S4");
	params[3] = is_about_functionary ? "yes" : "no";
	session = control_session(control);
	if (!session)
		return CONTROL_FAILED;
	r = route_print(session, params);
	pg_session_free(session);
	return r;
}
