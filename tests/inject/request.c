/* Six ways through the daemon: three that store something, one that reads it, and two to the
 * published policy in memory. */

#include "tests/inject/request.h"

#include "daemon/base/text.h"
#include "daemon/pg/session.h"
#include "tests/inject/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHOLE_MS = 20000 };

static struct request_setup setup;
static struct pg_session *session;
static struct answer answer;
static char *read_path;
static char *read_page;
static char *policy_page;

/* The first cell of the first row, malloc'ed. */
static char *query(const char *sql)
{
	struct pg_rows *rows = NULL;
	char *text;

	if (pg_session_query(session, sql, NULL, 0, &rows) != 0 || pg_rows_count(rows) < 1) {
		fprintf(stderr, "%s: %s\n", sql, pg_session_error(session));
		exit(2);
	}
	text = strdup(pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return text;
}

static long query_number(const char *sql)
{
	char *text = query(sql);
	long n = strtol(text, NULL, 10);

	free(text);
	return n;
}

static char *print(const char *format, ...) PRINTF(1, 2);

static char *print(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	return r < 0 ? NULL : text;
}

static char *post(const char *path, const char *credential, const char *more, const char *body)
{
	char key[TEXT_UUID_LENGTH + 1];

	(void)text_new_uuid(key);
	return print("POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		     "%s%s%sIdempotency-Key: \"%s\"\r\n%s"
		     "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		     path, credential ? "Authorization: Bearer " : "", credential ? credential : "",
		     credential ? "\r\n" : "", key, more, strlen(body), body);
}

static void make_report(struct request *request, const char *credential, char *body)
{
	request->text = post("/v1/reports", credential, "", body);
	request->count = print("select count(*) - %ld from conduct.report",
			       query_number("select count(*) from conduct.report"));
	free(body);
}

static void make_submit(struct request *request)
{
	static unsigned number;

	number++;
	make_report(request, setup.reporter,
		    print("{\"wiki\":\"enwiki\",\"lang\":\"en\",\"category\":\"trolling\","
			  "\"incidents\":[{\"venue\":\"on_wiki\",\"wiki\":\"enwiki\","
			  "\"page\":\"Talk:Page %u\",\"revision\":%u}],"
			  "\"respondents\":[{\"user\":\"%s\"}],\"targets\":[{\"self\":true}],"
			  "\"details\":\"What happened, the %uth time.\"}",
			  number, 1000 + number, setup.respondent, number));
}

static void make_emergency(struct request *request)
{
	static unsigned number;

	make_report(request, NULL,
		    print("{\"wiki\":\"enwiki\",\"lane\":\"emergency\",\"harm_type\":\"self_harm\","
			  "\"category\":\"threat\",\"details\":\"Now, the %uth time.\"}",
			  ++number));
}

static bool wait_whole(unsigned waited_ms)
{
	return waited_ms < WHOLE_MS;
}

/* An answer without faults; its body. */
static const char *ask_whole(struct request *request, int status)
{
	client_ask(&(struct client_target){ .port = setup.port }, request->text, wait_whole,
		   &answer);
	if (answer.status != status) {
		fprintf(stderr, "without faults, and not %d:\n%s\n%s\n", status, request->text,
			answer.bytes);
		exit(2);
	}
	return answer.body;
}

/* The id of a new case. */
static char *new_case(void)
{
	static const char before[] = "\"report\":\"";
	struct request request = { 0 };
	const char *report;
	char *sql, *id;

	make_submit(&request);
	report = strstr(ask_whole(&request, 201), before);
	if (!report)
		exit(2);
	sql = print("select case_id from conduct.report where report_id = '%.*s'", TEXT_UUID_LENGTH,
		    report + sizeof(before) - 1);
	id = query(sql);
	free(sql);
	request_free(&request);
	return id;
}

static void make_act(struct request *request)
{
	char *id = new_case();
	char *path = print("/v1/cases/%s/actions/claim", id);
	char *sql = print("select revision from conduct.case_file where case_id = '%s'", id);
	long revision = query_number(sql);
	char *more = print("If-Match: \"%ld\"\r\n", revision);

	request->text = post(path, setup.handler, more, "{}");
	/* Each act makes one revision. */
	request->count = print("select revision - %ld from conduct.case_file where case_id = '%s'",
			       revision, id);
	free(id);
	free(path);
	free(sql);
	free(more);
}

static void make_read(struct request *request)
{
	request->text = print("GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
			      "Authorization: Bearer %s\r\n\r\n",
			      read_path, setup.handler);
	request->expected = read_page ? print("%s", read_page) : NULL;
}

static void make_policy(struct request *request)
{
	request->text = print("GET /v1/policy?wiki=enwiki&lang=en HTTP/1.1\r\nHost: localhost\r\n"
			      "Connection: close\r\n\r\n");
	request->expected = policy_page ? print("%s", policy_page) : NULL;
}

const struct scenario scenarios[] = {
	{ "submit", make_submit, 201, false }, { "emergency", make_emergency, 201, false },
	{ "act", make_act, 200, false },       { "read", make_read, 200, false },
	{ "policy", make_policy, 200, false }, { "policy over TLS", make_policy, 200, true },
};
const size_t scenarios_n = ARRAY_SIZE(scenarios);

void request_set_up(const struct request_setup *given)
{
	struct request request = { 0 };
	char *id;

	setup = *given;
	if (pg_session_new(setup.conninfo, "inject", &session) != 0)
		exit(2);
	id = new_case();
	read_path = print("/v1/cases/%s", id);
	free(id);
	make_read(&request);
	read_page = print("%s", ask_whole(&request, 200));
	request_free(&request);
	make_policy(&request);
	policy_page = print("%s", ask_whole(&request, 200));
	request_free(&request);
}

void request_end(void)
{
	session = pg_session_free(session);
	free(read_path);
	free(read_page);
	free(policy_page);
}

void request_free(struct request *request)
{
	free(request->text);
	free(request->count);
	free(request->expected);
	*request = (struct request){ 0 };
}

long request_count(const struct request *request)
{
	return query_number(request->count);
}
