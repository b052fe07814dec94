/*
 * The walk: one case of severity S2 on enwiki, from report to decided appeal and `final`, over REST
 * alone, as the demo people would do it. One functionary decides; the Arbitration Committee hears
 * the appeal. Each step prints who acts, what, and where every proceeding stands after it.
 */

#include "daemon/app/demo.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/text.h"
#include "daemon/fetch/fetch.h"
#include "daemon/json/value.h"

enum { WALK_TIMEOUT_MS = 15000, WALK_FINAL_SECONDS = 60, WALK_ARBITRATORS = 5 };

struct walk {
	struct control *control;
	struct value *file;  /* people.json */
	struct value *view;  /* the case as its last actor saw it */
	struct value *reply; /* the last other answer */
	char case_id[TEXT_UUID_LENGTH + 1];
	unsigned n_steps;
};

/* Bodies are written with ' for JSON's ", which C would make unreadable. */
static void walk_quote(char *json)
{
	for (; *json; json++)
		if (*json == '\'')
			*json = '"';
}

static const char *walk_person(const struct walk *walk, const char *name, const char *member)
{
	return value_get_string(value_get(value_get(walk->file, "people"), name), member);
}

/* Sends one request; *ret_reply (a root) is what came back, NULL when nothing did. 0, 1 after
 * saying why on stderr, or -errno. */
static int walk_call(struct walk *walk, const char *who, const char *method, const char *path,
		     const char *body, int64_t revision, long expected, struct value **ret_reply)
{
	struct fetch_reply reply = { 0 };
	char url[512], token[4200], key[TEXT_UUID_LENGTH + 1], match[32], json[2048];
	struct fetch_header headers[3] = { { "Authorization", token } };
	size_t n = 1;
	int r;

	snprintf(url, sizeof(url), "%s%s", value_get_string(walk->file, "base"), path);
	snprintf(token, sizeof(token), "Bearer %s", walk_person(walk, who, "token"));
	if (body) {
		snprintf(json, sizeof(json), "%s", body);
		walk_quote(json);
		r = text_new_uuid(key);
		if (r < 0)
			return r;
		headers[n++] = (struct fetch_header){ "Idempotency-Key", key };
	}
	if (revision >= 0) {
		snprintf(match, sizeof(match), "\"%lld\"", (long long)revision);
		headers[n++] = (struct fetch_header){ "If-Match", match };
	}
	r = fetch_once(&(struct fetch_request){ .method = method,
						.url = url,
						.headers = headers,
						.n_headers = n,
						.body = body ? json : NULL,
						.timeout_ms = WALK_TIMEOUT_MS },
		       &reply);
	if (r == FETCH_E_UNREACHABLE) {
		fprintf(stderr, "conductctl: %s does not answer: %s\n", url, reply.error);
	} else if (r == 0 && reply.status != expected) {
		fprintf(stderr,
			"conductctl: %s %s as %s was answered with %ld instead of %ld:\n%s\n",
			method, path, who, reply.status, expected,
			reply.body.at ? reply.body.at : "");
		r = 1;
	} else if (r == 0 && reply.body.length > 0) {
		r = value_parse((struct slice){ reply.body.at, reply.body.length }, ret_reply,
				NULL);
	}
	fetch_reply_deinit(&reply);
	return r;
}

/* Prints a step: who, what, and the state of every proceeding its actor sees. */
static void walk_print(struct walk *walk, const char *who, const char *what)
{
	const struct value *list = value_get(walk->view, "proceedings");

	printf("%2u  %-14s %-34s", ++walk->n_steps, who, what);
	for (size_t i = 0; i < value_count(list); i++)
		printf("%s%s %s", i ? " · " : "", value_get_string(value_at(list, i), "kind"),
		       value_get_string(value_at(list, i), "state"));
	printf("\n");
	fflush(stdout);
}

static int walk_look(struct walk *walk, const char *who)
{
	char path[128];

	snprintf(path, sizeof(path), "/v1/cases/%s", walk->case_id);
	walk->view = value_free(walk->view);
	return walk_call(walk, who, "GET", path, NULL, -1, 200, &walk->view);
}

/* One action of a handler with the present revision. The body is a printf format of JSON. */
PRINTF(5, 6)
static int walk_act(struct walk *walk, const char *who, const char *action, const char *what,
		    const char *body, ...)
{
	char path[160], text[2048];
	struct value *view = NULL;
	va_list args;
	int r;

	va_start(args, body);
	vsnprintf(text, sizeof(text), body, args);
	va_end(args);
	if (!walk->view) {
		r = walk_look(walk, who);
		if (r != 0)
			return r;
	}
	snprintf(path, sizeof(path), "/v1/cases/%s/actions/%s", walk->case_id, action);
	r = walk_call(walk, who, "POST", path, text,
		      value_integer(value_get(walk->view, "revision"), -1), 200, &view);
	if (r != 0)
		return r;
	value_free(walk->view);
	walk->view = view;
	walk_print(walk, who, what);
	return 0;
}

/* The member of the first item of a list in the case whose `key` is `wanted`; "" when there is
 * none. */
static const char *walk_find(const struct walk *walk, const char *list, const char *key,
			     const char *wanted, const char *member)
{
	const struct value *items = value_get(walk->view, list);

	for (size_t i = value_count(items); i-- > 0;) {
		const char *found = value_get_string(value_at(items, i), key);
		const char *text = value_get_string(value_at(items, i), member);

		if (found && text && strcmp(found, wanted) == 0)
			return text;
	}
	return "";
}

/* The ballot that is open, as `proposal` names it. */
static const char *walk_proposal(const struct walk *walk)
{
	const struct value *items = value_get(walk->view, "proceedings");

	for (size_t i = value_count(items); i-- > 0;) {
		const char *id = value_get_string(value_get(value_at(items, i), "votes"),
						  "proposal");

		if (id)
			return id;
	}
	return "";
}

static int walk_clock(struct walk *walk, int64_t days)
{
	int r = demo_shift_clock(walk->control, days * 86400);

	if (r == 0)
		printf("    %-14s %lld days pass\n", "", (long long)days);
	return r;
}

/* One page of what waits at the functionaries; *newest_at and the case id follow the newest. */
static int walk_read_page(struct walk *walk, const char *cursor, char newest_at[40], char *ret_next,
			  size_t size)
{
	CLEANUP(value_freep) struct value *page = NULL;
	const struct value *items;
	const char *next;
	char path[512];
	int r;

	snprintf(path, sizeof(path), "/v1/cases?state=received&wiki=enwiki&limit=100%s%s",
		 cursor[0] ? "&cursor=" : "", cursor);
	r = walk_call(walk, "functionary", "GET", path, NULL, -1, 200, &page);
	if (r != 0)
		return r;
	items = value_get(page, "items");
	for (size_t i = 0; i < value_count(items); i++) {
		const char *at = value_get_string(value_at(items, i), "submitted_at");
		const char *id = value_get_string(value_at(items, i), "id");

		if (id && at && strcmp(at, newest_at) >= 0) {
			snprintf(newest_at, 40, "%s", at);
			snprintf(walk->case_id, sizeof(walk->case_id), "%s", id);
		}
	}
	next = value_get_string(page, "next");
	snprintf(ret_next, size, "%s", next ? next : "");
	return 0;
}

/* The case that the report opened: the newest that waits at the functionaries. */
static int walk_take_case(struct walk *walk)
{
	char cursor[320] = "", newest_at[40] = "";
	int r;

	do {
		r = walk_read_page(walk, cursor, newest_at, cursor, sizeof(cursor));
	} while (r == 0 && cursor[0]);
	if (r != 0)
		return r;
	if (!walk->case_id[0]) {
		fprintf(stderr, "conductctl: the report is not in the functionary's queue\n");
		return 1;
	}
	return walk_look(walk, "functionary");
}

static int walk_report(struct walk *walk)
{
	char body[1024];
	int r;

	snprintf(body, sizeof(body),
		 "{'wiki':'enwiki','lang':'en','category':'trolling',"
		 "'incidents':[{'venue':'on_wiki','wiki':'enwiki','page':'Talk:Demo',"
		 "'revision':123}],"
		 "'respondents':[{'user':'%s'}],'targets':[{'self':true}],"
		 "'details':'Answers every edit of mine with a taunt, for a week.'}",
		 walk_person(walk, "respondent", "user"));
	walk->reply = value_free(walk->reply);
	r = walk_call(walk, "reporter", "POST", "/v1/reports", body, -1, 201, &walk->reply);
	if (r != 0)
		return r;
	r = walk_take_case(walk);
	if (r == 0)
		walk_print(walk, "reporter", "reports");
	return r;
}

/* From the claim to the notice that opens the hearing. */
static int walk_intake(struct walk *walk)
{
	const char *respondent, *incident;
	int r;

	r = walk_act(walk, "functionary", "claim", "claims the report", "{}");
	if (r != 0)
		return r;
	respondent = walk_find(walk, "parties", "role", "respondent", "id");
	incident = walk_find(walk, "incidents", "venue", "on_wiki", "id");
	r = walk_act(
		walk, "functionary", "accept", "accepts it as S2",
		"{'severity':'S2','allegations':[{'rule':'ucoc/3.1/trolling','respondent':'%s',"
		"'incident':'%s'}],'reason':'Repeated taunts.'}",
		respondent, incident);
	if (r != 0)
		return r;
	respondent = walk_find(walk, "parties", "role", "respondent", "id");
	return walk_act(
		walk, "functionary", "notify_respondent", "notifies the respondent",
		"{'respondent':'%s','text':'You are said to have trolled. You have seven days to "
		"answer.','lang':'en'}",
		respondent);
}

/* The path of the respondent's own part in this case: the newest participation. */
static int walk_participation(struct walk *walk, char *ret_query, size_t size)
{
	const struct value *items;
	int r;

	walk->reply = value_free(walk->reply);
	r = walk_call(walk, "respondent", "GET", "/v1/me/participations", NULL, -1, 200,
		      &walk->reply);
	if (r != 0)
		return r;
	items = value_get(walk->reply, "items");
	for (size_t i = 0; i < value_count(items); i++) {
		const char *id = value_get_string(value_at(items, i), "id");

		if (id && strcmp(id, walk_find(walk, "parties", "role", "respondent", "id")) == 0) {
			snprintf(ret_query, size, "?participation=%s", id);
			return 0;
		}
	}
	fprintf(stderr, "conductctl: the respondent does not see the case\n");
	return 1;
}

/* A party's act; the case is then looked at through a functionary's eyes. */
static int walk_party_act(struct walk *walk, const char *path, const char *what, const char *body)
{
	char query[80], url[160];
	int r;

	r = walk_participation(walk, query, sizeof(query));
	if (r != 0)
		return r;
	snprintf(url, sizeof(url), "%s%s", path, query);
	walk->reply = value_free(walk->reply);
	r = walk_call(walk, "respondent", "POST", url, body, -1, 200, &walk->reply);
	if (r == 0)
		r = walk_look(walk, "functionary2");
	if (r == 0)
		walk_print(walk, "respondent", what);
	return r;
}

static int walk_decision(struct walk *walk)
{
	char respondent[TEXT_UUID_LENGTH + 1], reporter[TEXT_UUID_LENGTH + 1];
	int r;

	r = walk_party_act(walk, "/v1/receipt/actions/answer", "answers",
			   "{'text':'It was meant as a joke.'}");
	if (r != 0)
		return r;
	snprintf(respondent, sizeof(respondent), "%s",
		 walk_find(walk, "parties", "role", "respondent", "id"));
	snprintf(reporter, sizeof(reporter), "%s",
		 walk_find(walk, "parties", "role", "reporter", "id"));
	r = walk_act(
		walk, "functionary", "propose", "proposes a finding and a warning",
		"{'items':[{'kind':'finding','respondent':'%s','allegation':'%s','met':'met',"
		"'text':'The taunts are on the record.'},{'kind':'sanction','respondent':'%s',"
		"'sanction':'warning','text':'A warning.'}],'dispositions':[{'respondent':'%s',"
		"'disposition':'sanction'}],'reasons':'Seven taunts in seven days.'}",
		respondent, walk_find(walk, "allegations", "respondent", respondent, "id"),
		respondent, respondent);
	if (r != 0)
		return r;
	return walk_act(
		walk, "functionary", "decide", "decides",
		"{'proposal':'%s','notices':[{'party':'%s','text':'The finding is met; you are "
		"warned. You may appeal within 30 days.','lang':'en'},{'party':'%s','text':'The "
		"respondent was sanctioned.','lang':'en'}]}",
		walk_proposal(walk), respondent, reporter);
}

/* The respondent's appeal, and the committee's panel. */
static int walk_appeal(struct walk *walk)
{
	char query[80], url[160], body[512], members[WALK_ARBITRATORS * (TEXT_UUID_LENGTH + 4)];
	const struct value *list;
	const char *decision;
	size_t n = 0;
	int r;

	r = walk_participation(walk, query, sizeof(query));
	if (r != 0)
		return r;
	snprintf(url, sizeof(url), "/v1/receipt%s", query);
	walk->reply = value_free(walk->reply);
	r = walk_call(walk, "respondent", "GET", url, NULL, -1, 200, &walk->reply);
	if (r != 0)
		return r;
	decision = value_get_string(value_at(value_get(walk->reply, "decisions"), 0), "id");
	snprintf(body, sizeof(body),
		 "{'decision':'%s','items':[1,2],'grounds':['disproportionate'],"
		 "'reasons':'A word would have been enough.'}",
		 decision ? decision : "");
	snprintf(url, sizeof(url), "/v1/receipt/appeal%s", query);
	walk->reply = value_free(walk->reply);
	r = walk_call(walk, "respondent", "POST", url, body, -1, 200, &walk->reply);
	r = r ? r : walk_look(walk, "arbitrator1");
	if (r != 0)
		return r;
	walk_print(walk, "respondent", "appeals to the committee");
	walk->reply = value_free(walk->reply);
	r = walk_call(walk, "arbitrator1", "GET", "/v1/bodies/enwiki-arbcom", NULL, -1, 200,
		      &walk->reply);
	if (r != 0)
		return r;
	list = value_get(walk->reply, "members");
	members[0] = '\0';
	for (size_t i = 0; i < value_count(list) && i < WALK_ARBITRATORS; i++)
		n += (size_t)snprintf(members + n, sizeof(members) - n, "%s'%s'", i ? "," : "",
				      value_get_string(value_at(list, i), "person"));
	return walk_act(walk, "arbitrator1", "form_panel", "forms the panel", "{'members':[%s]}",
			members);
}

/* Puts a motion to the panel, has four of five support each item, and counts. */
static int walk_vote(struct walk *walk, const char *motion, const char *items, size_t n_items,
		     const char *what, char ret_proposal[TEXT_UUID_LENGTH + 1])
{
	int r;

	r = walk_act(walk, "arbitrator1", "put_to_vote", what,
		     "{'motion':'%s',%s'reasons':'See the file.'}", motion, items);
	if (r != 0)
		return r;
	snprintf(ret_proposal, TEXT_UUID_LENGTH + 1, "%s", walk_proposal(walk));
	for (unsigned person = 1; person <= 4; person++) {
		char who[24];

		snprintf(who, sizeof(who), "arbitrator%u", person);
		for (size_t item = n_items ? 1 : 0; item <= n_items; item++) {
			r = walk_act(walk, who, "vote", "votes",
				     "{'proposal':'%s','item':%zu,'vote':'support'}", ret_proposal,
				     item);
			if (r != 0)
				return r;
		}
	}
	return walk_act(walk, "arbitrator1", "close_vote", "counts the votes", "{'proposal':'%s'}",
			ret_proposal);
}

static int walk_judgment(struct walk *walk)
{
	char proposal[TEXT_UUID_LENGTH + 1], items[512], respondent[TEXT_UUID_LENGTH + 1];
	const char *decision;
	int r;

	r = walk_vote(walk, "accept_appeal", "", 0, "moves to hear the appeal", proposal);
	r = r ? r
	      : walk_act(walk, "arbitrator1", "accept_appeal", "accepts the appeal",
			 "{'proposal':'%s'}", proposal);
	if (r != 0)
		return r;
	decision = walk_find(walk, "decisions", "kind", "decide", "id");
	snprintf(items, sizeof(items),
		 "'items':[{'item':1,'outcome':'ratified','text':'The finding stands.'},{'item':2,"
		 "'outcome':'overturned','text':'Advice would have been enough.'}],");
	if (!decision[0]) {
		fprintf(stderr, "conductctl: the committee does not see the decision\n");
		return 1;
	}
	r = walk_vote(walk, "decide_appeal", items, 2, "moves the outcome", proposal);
	/* The panel must have been named for 72 hours, and others may join for what is left of the
	 * window. */
	r = r ? r : walk_clock(walk, 31);
	r = r ? r : walk_look(walk, "arbitrator1");
	if (r != 0)
		return r;
	snprintf(respondent, sizeof(respondent), "%s",
		 walk_find(walk, "parties", "role", "respondent", "id"));
	return walk_act(
		walk, "arbitrator1", "decide_appeal", "the panel decides the appeal",
		"{'proposal':'%s','notices':[{'party':'%s','text':'The finding stands, the warning "
		"falls.','lang':'en'},{'party':'%s','text':'The appeal is decided.','lang':'en'}]}",
		proposal, respondent, walk_find(walk, "parties", "role", "reporter", "id"));
}

/* The window passes, and the timers make the matter final. */
static int walk_close(struct walk *walk)
{
	time_t until = time(NULL) + WALK_FINAL_SECONDS;
	int r;

	r = walk_clock(walk, 31);
	while (r == 0) {
		r = walk_look(walk, "arbitrator1");
		if (r != 0 ||
		    strcmp(walk_find(walk, "proceedings", "kind", "matter", "state"), "final") == 0)
			break;
		if (time(NULL) > until) {
			fprintf(stderr,
				"conductctl: the matter is not final %d s after its window\n",
				WALK_FINAL_SECONDS);
			return 1;
		}
		nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	}
	if (r == 0)
		walk_print(walk, "system", "closes after the window");
	return r;
}

static int walk_parts(struct walk *walk)
{
	static int (*const parts[])(struct walk *) = { walk_report, walk_intake,   walk_decision,
						       walk_appeal, walk_judgment, walk_close };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
		r = parts[i](walk);
	if (r == 0)
		printf("Case %s is %s.\n", walk->case_id, value_get_string(walk->view, "stage"));
	return r < 0 ? control_fail("%s", strerror(-r)) : r;
}

/* Walks one case against the daemon that people.json beside the configuration names. */
int control_demo_walk(struct control *control, int argc, char **argv)
{
	struct walk walk = { .control = control };
	char *dir = NULL, *path = NULL, *text = NULL;
	size_t length;
	int r;

	if (argc != 1)
		return control_misused("demo takes no arguments");
	if (!demo_config(control, &dir))
		return CONTROL_FAILED;
	path = demo_path(dir, "people.json");
	r = path ? demo_read_file(path, &text, &length) : -ENOMEM;
	if (r == 0)
		r = value_parse((struct slice){ text, length }, &walk.file, NULL);
	if (r != 0)
		r = control_fail("cannot read %s: run packaging/quickstart first",
				 path ? path : dir);
	else
		r = walk_parts(&walk);
	value_free(walk.file);
	value_free(walk.view);
	value_free(walk.reply);
	free(text);
	free(path);
	free(dir);
	return r;
}
