/* Eight ways through the daemon: four that store something, of which one comes in pieces, two that
 * read it, and two to the published policy in memory. */

#include "tests/inject/request.h"

#include "daemon/base/text.h"
#include "daemon/pg/session.h"
#include "tests/inject/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a file: it has two pieces. */
enum { WHOLE_MS = 20000, FILE_SIZE = 64 * 1024 + 1000 };

static struct request_setup setup;
static struct pg_session *session;
static struct answer answer;
static char *read_path;
static char *read_page;
static char *policy_page;
static char *file_path;
static char *file_page;

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

/* A text member of an answer. */
static char *copy_member(const char *body, const char *name)
{
	char *before = print("\"%s\":\"", name);
	const char *at = strstr(body, before);

	if (!at)
		exit(2);
	at += strlen(before);
	free(before);
	return print("%.*s", (int)strcspn(at, "\""), at);
}

/* The id of a new case, and the receipt of who reported it. */
static char *new_case(char **ret_receipt)
{
	struct request request = { 0 };
	const char *body;
	char *report, *sql, *id;

	make_submit(&request);
	body = ask_whole(&request, 201);
	report = copy_member(body, "report");
	*ret_receipt = copy_member(body, "receipt");
	sql = print("select case_id from conduct.report where report_id = '%s'", report);
	id = query(sql);
	free(report);
	free(sql);
	request_free(&request);
	return id;
}

/* What was written to the log after now, under this name. The sequencer does not run. */
static char *count_logged(const char *event)
{
	return print("select count(*) from conduct.audit_pending where pending_id > %ld and "
		     "event = '%s'",
		     query_number("select coalesce(max(pending_id), 0) from conduct.audit_pending"),
		     event);
}

static void make_act(struct request *request)
{
	char *receipt, *id = new_case(&receipt);
	char *path = print("/v1/cases/%s/actions/claim", id);
	char *sql = print("select revision from conduct.case_file where case_id = '%s'", id);
	long revision = query_number(sql);
	char *more = print("If-Match: \"%ld\"\r\n", revision);

	request->text = post(path, setup.handler, more, "{}");
	/* Each act makes one revision. */
	request->count = print("select revision - %ld from conduct.case_file where case_id = '%s'",
			       revision, id);
	free(id);
	free(receipt);
	free(path);
	free(sql);
	free(more);
}

static char *get(const char *path)
{
	return print("GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
		     "Authorization: Bearer %s\r\n\r\n",
		     path, setup.handler);
}

static void make_read(struct request *request)
{
	request->text = get(read_path);
	request->logged = count_logged("case.read");
	request->expected = read_page ? print("%s", read_page) : NULL;
}

/* A file to a case of its own, because one takes ten. */
static void make_upload_to(struct request *request, const char *id, const char *receipt)
{
	char key[TEXT_UUID_LENGTH + 1];

	(void)text_new_uuid(key);
	request->text = print("POST /v1/receipt/attachments HTTP/1.1\r\nHost: localhost\r\n"
			      "Connection: close\r\nAuthorization: Receipt %s\r\n"
			      "Idempotency-Key: \"%s\"\r\nConduct-Filename: numbers.txt\r\n"
			      "Content-Length: %d\r\n\r\n%0*d",
			      receipt, key, FILE_SIZE, FILE_SIZE, 1);
	request->count = print("select count(*) from conduct.attachment where case_id = '%s'", id);
}

static void make_upload(struct request *request)
{
	char *receipt, *id = new_case(&receipt);

	make_upload_to(request, id, receipt);
	free(id);
	free(receipt);
}

static void make_download(struct request *request)
{
	request->text = get(file_path);
	request->logged = count_logged("attachment_read.insert");
	request->expected = print("%s", file_page);
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
	{ "upload", make_upload, 201, false }, { "download", make_download, 200, false },
	{ "policy", make_policy, 200, false }, { "policy over TLS", make_policy, 200, true },
};
const size_t scenarios_n = ARRAY_SIZE(scenarios);

void request_set_up(const struct request_setup *given)
{
	struct request request = { 0 };
	char *id, *receipt, *file;

	setup = *given;
	if (pg_session_new(setup.conninfo, "inject", &session) != 0)
		exit(2);
	id = new_case(&receipt);
	read_path = print("/v1/cases/%s", id);
	make_upload_to(&request, id, receipt);
	file = copy_member(ask_whole(&request, 201), "id");
	file_path = print("%s/attachments/%s", read_path, file);
	file_page = print("%0*d", FILE_SIZE, 1);
	free(id);
	free(receipt);
	free(file);
	request_free(&request);
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
	free(file_path);
	free(file_page);
}

void request_free(struct request *request)
{
	free(request->text);
	free(request->count);
	free(request->logged);
	free(request->expected);
	*request = (struct request){ 0 };
}

long request_count(const struct request *request)
{
	return query_number(request->count);
}

long request_count_logged(const struct request *request)
{
	return query_number(request->logged);
}
