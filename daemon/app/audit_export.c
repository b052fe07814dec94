/*
 * A bundle is what a handful of queries answer: each gives lines, and PostgreSQL makes their
 * base64. They read one snapshot, so that what is pending and what has its number are not mixed,
 * and they are here and not in the database, where who changes the log would change them too.
 */

#include "daemon/app/audit_export.h"

#include <string.h>

#include "daemon/base/buffer.h"
#include "sql/text.h"

#define PIECE "50"
#define BASE64(bytes) "translate(encode(" bytes ", 'base64'), E'\\n', '')"
#define TEXT64(text) BASE64("convert_to(" text ", 'UTF8')")

/* clang-format off */
static const char origin[] = "select 'origin ' || origin from conduct.audit_log";

static const char *const log_queries[] = {
	"select 'checkpoint ' || " TEXT64("note") " from conduct.audit_checkpoint order by size",
	"select 'leaf ' || " BASE64("l.leaf") " || ' ' || coalesce(" BASE64(
		"p.salt") ", '-')"
			  " || ' ' || coalesce(" TEXT64(
				  "p.payload") ", '-')"
					       " from conduct.audit_leaf l left join conduct.audit_payload p using (leaf_index)"
					       " order by l.leaf_index",
	"select 'pending ' || " TEXT64(
		"p.payload") " || ' ' || coalesce((select string_agg(r.id || ':'"
			     " || encode(r.hash, 'hex'), ',') from unnest(p.row_ids, p.row_hashes) r (id, hash)), '-')"
			     " from conduct.audit_pending p order by p.pending_id",
	/* What a report brought is hashed with its number: until then it is as it is. */
	"select 'pending ' || " TEXT64(
		"s.payload") " || ' -' from conduct_gate.audit_submitted("
			     "(select array_agg(case_id) from conduct.audit_pending where event = 'case.submit')) s",
	"select 'pending ' || " TEXT64(
		"w.payload") " || ' -' from conduct_gate.audit_placed("
			     "array(select i from conduct.audit_pending p, unnest(p.row_ids) i"
			     " where p.event = 'content.insert')) w",
};

/* The tables whose rows are logged and the columns of their keys stand in their triggers, which the
 * catalog is compared for; of each, the query of its lines. */
static const char row_queries[] = "select format($$select 'row %1$s ' || " TEXT64(
	"r.text") " || ' ' || r.key from (select"
		  " (t.of - %3$L::text[])::text as text, (select string_agg(t.of ->> k.name, '/' order by k.nth)"
		  " from unnest(%2$L::text[]) with ordinality k (name, nth)) as key from (select"
		  " jsonb_strip_nulls(to_jsonb(o)) as of from conduct.%1$I o) t) r$$, c.relname, a.args[1], a.args[2])"
		  " from pg_trigger t join pg_class c on c.oid = t.tgrelid,"
		  " lateral (select string_to_array(encode(t.tgargs, 'escape'), '\\000') as args) a"
		  " where t.tgname = c.relname || '_is_logged' and c.relnamespace = 'conduct'::regnamespace"
		  " and c.relname not in ('content', 'event') order by c.relname";

static const char *const more_queries[] = {
	"select x.line from ("
	" select e.proceeding_id, 0 as is_head, e.seq, 'row event ' || " TEXT64(
		"jsonb_strip_nulls(to_jsonb(e))::text") " || ' ' || e.proceeding_id || '/' || e.seq as line from conduct.event e"
							" union all select p.proceeding_id, 1, 0, 'head ' || p.proceeding_id || ' ' || p.version || ' '"
							" || p.state from conduct.proceeding p) x order by x.proceeding_id, x.is_head, x.seq",
	/* An erased word is an empty one. */
	"select 'word ' || content_id || ' ' || " BASE64("body") " from conduct.content"
							       " where body <> ''",
	"select 'word ' || c.chunk_id || ' ' || " BASE64(
		"c.body") " from conduct.attachment_chunk c where exists"
			  " (select from conduct.attachment a where a.attachment_id = c.attachment_id)",
	/* Where each of them stands, and what it is under. */
	"select 'row content_place ' || " TEXT64(
		"unit_id || ' ' || coalesce(party_id::text, '-') || ' ' || kind") " || ' ' || content_id"
									  " from conduct.content where body <> ''",
	"select 'row content_place ' || " TEXT64(
		"c.attachment_id || ' ' || c.nth") " || ' ' || c.chunk_id"
						   " from conduct.attachment_chunk c where exists"
						   " (select from conduct.attachment a where a.attachment_id = c.attachment_id)",
	"select 'row stanza ' || " TEXT64(
		"coalesce(u.kind, '-') || ' ' || encode(s.blob, 'hex')") " || ' ' || s.unit_id || '/' || s.generation"
									 " || '/' || s.kind || '/' || coalesce(s.party_id::text, s.key_id::text, '-')"
									 " from keyring.stanza s left join conduct.unit u on u.unit_id = s.unit_id",
};

/* clang-format on */

struct writer {
	struct pg_session *session;
	FILE *file;
	uint64_t n_lines;
};

static int write_line(struct writer *writer, const char *line)
{
	writer->n_lines++;
	return fputs(line, writer->file) < 0 || fputc('\n', writer->file) < 0 ? AUDIT_EXPORT_E_FILE
									      : 0;
}

static int run(struct writer *writer, const char *sql)
{
	int r = pg_session_run(writer->session, sql);

	return r > 0 ? AUDIT_EXPORT_E_DATABASE : r;
}

static int fetch(struct writer *writer, int *ret_n)
{
	struct pg_rows *rows = NULL;
	int r = pg_session_query(writer->session, "fetch " PIECE " from bundle", NULL, 0, &rows);

	if (r)
		return r > 0 ? AUDIT_EXPORT_E_DATABASE : r;
	*ret_n = pg_rows_count(rows);
	for (int i = 0; r == 0 && i < *ret_n; i++)
		r = write_line(writer, pg_rows_text(rows, i, 0));
	pg_rows_free(rows);
	return r;
}

static int write_query(struct writer *writer, const char *query)
{
	CLEANUP(buffer_deinit) struct buffer sql = BUFFER_NULL;
	int n = 1;
	int r;

	buffer_printf(&sql, "declare bundle no scroll cursor for %s", query);
	r = buffer_finish(&sql);
	if (r == 0)
		r = run(writer, sql.at);
	while (r == 0 && n > 0)
		r = fetch(writer, &n);
	return r ? r : run(writer, "close bundle");
}

static int write_queries(struct writer *writer, const char *const *queries, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = write_query(writer, queries[i]);
	return r;
}

static int write_rows(struct writer *writer)
{
	struct pg_rows *rows = NULL;
	int r = pg_session_query(writer->session, row_queries, NULL, 0, &rows);

	if (r)
		return r > 0 ? AUDIT_EXPORT_E_DATABASE : r;
	for (int i = 0; r == 0 && i < pg_rows_count(rows); i++)
		r = write_query(writer, pg_rows_text(rows, i, 0));
	pg_rows_free(rows);
	return r;
}

int audit_export(struct pg_session *session, FILE *file)
{
	struct writer writer = { session, file, 0 };
	size_t n;
	const struct sql_text *catalog = sql_texts(SQL_CATALOG, &n);
	char end[32];
	int r = run(&writer,
		    "begin isolation level repeatable read, read only;"
		    "set local timezone = 'UTC'; set local bytea_output = 'hex';"
		    "set local datestyle = 'ISO, MDY'; set local search_path = pg_catalog");

	if (r == 0)
		r = write_line(&writer, "conductd audit bundle 1");
	if (r == 0)
		r = write_query(&writer, origin);
	if (r == 0)
		r = write_queries(&writer, log_queries, ARRAY_SIZE(log_queries));
	if (r == 0)
		r = write_rows(&writer);
	if (r == 0)
		r = write_queries(&writer, more_queries, ARRAY_SIZE(more_queries));
	if (r == 0)
		r = write_query(&writer, catalog[0].text);
	if (r == 0)
		r = run(&writer, "commit");
	(void)snprintf(end, sizeof(end), "end %llu", (unsigned long long)writer.n_lines);
	if (r == 0)
		r = write_line(&writer, end);
	if (r == 0 && fflush(file) != 0)
		r = AUDIT_EXPORT_E_FILE;
	return r;
}
