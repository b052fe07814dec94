/*
 * A file on its way out. That somebody reads it is in the log before the vault is asked for its
 * key, and so before its first byte; who asks for the head alone, or has the file already, reads
 * none of it. The pieces are fetched and opened one by one, as fast as the client takes them, and
 * with each it is asked again whether they may. What does not open is not sent: the answer ends
 * there, shorter than it said.
 */

#include "api/handlers/attachments.h"
#include "api/handlers/page.h"
#include "api/http/filename.h"
#include "api/http/range.h"
#include "daemon/base/codec.h"
#include "daemon/base/log.h"
#include "daemon/base/media.h"
#include "daemon/base/text.h"
#include "daemon/crypto/crypto.h"
#include "daemon/keys/chunk.h"
#include "daemon/keys/envelope.h"
#include "daemon/pg/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_WORDS = 3, CHUNK_PARAMS = 4, RANGE_TEXT = 80 };

static const struct page files = { "case-attachments", "tu" };
static const char name_kind[] = "attachment.name";
/* Nothing that is shown runs, loads or is framed. */
static const char policy[] = "sandbox; default-src 'none'; frame-ancestors 'none'";

struct download {
	struct exchange *exchange;
	struct call call; /* who asks for what; its parameters serve for the pieces, too */
	struct range range;
	bool has_range;
	const char *type;
	uint64_t size, last, at; /* what is sent next, up to and with `last` */
	uint8_t attachment_id[KEYS_ID_SIZE];
	uint8_t name_id[KEYS_ID_SIZE];
	struct slice name; /* an envelope */
	struct vault_unit unit;
	struct vault_call vault;

	struct pg_call pg;
	struct pg_param params[CHUNK_PARAMS];
	char number[12];
	char piece[CHUNK_SEALED_MAX];
};

static void finish_list(struct call *call, const struct call_answer *answer)
{
	page_reply(call->userdata, &files, answer);
}

void attachments_list(struct exchange *exchange)
{
	struct call *call = verb_begin(exchange, STATEMENT_CASE_ATTACHMENTS, PG_LANE_READ);
	const struct value *after;
	unsigned limit;

	if (!call || !page_read(exchange, &files, &limit, &after))
		return;
	verb_add_account(exchange, call);
	call_add_text(call, exchange_param(exchange, 0));
	call_add_integer(call, limit);
	call_add_json(call, after);
	verb_pass(exchange, call, finish_list);
}

static void free_download(void *at)
{
	struct download *download = at;

	crypto_wipe(download, sizeof(*download));
	free(download);
}

static const uint8_t *deployment_of(const struct download *download)
{
	return verb_handlers(download->exchange)->sealer->intake.deployment;
}

static void log_damage(const struct download *download)
{
	const struct log_field field = { "conductd.attachment",
					 exchange_param(download->exchange, 1).at, 0 };

	log_event(LOG_LEVEL_ERROR,
		  "a sealed file does not open: it was changed or moved; `conductctl audit "
		  "verify` says what differs from the log, a backup has it as it was",
		  &field, 1);
}

static void on_want(struct exchange *exchange, bool is_wanted);

/* A piece from the row that came; 0, or anything else where there is none. */
static int open_piece(struct download *download, const struct pg_answer *answer, size_t *ret_length)
{
	const struct chunk_place place = {
		.deployment = deployment_of(download),
		.attachment_id = download->attachment_id,
		.nth = (uint32_t)(download->at / CHUNK_SIZE),
		.is_last = download->at / CHUNK_SIZE == (download->size - 1) / CHUNK_SIZE,
	};
	struct arena *arena = NULL;
	struct slice *bodies;
	size_t n = 0;
	int r = arena_new(&arena);

	if (r)
		return r;
	r = pg_text_to_byte_strings(arena, pg_answer_cell(answer, 0, COLUMN_WORDS), &bodies, &n);
	if (!r && n != 1)
		r = -EPROTO;
	if (!r)
		r = chunk_open(&download->unit.key, &place, bodies[0], download->piece);
	if (!r)
		*ret_length = bodies[0].length - CHUNK_OVERHEAD;
	arena_free(arena);
	return r;
}

static void on_piece(struct pg_call *pg, const struct pg_answer *answer)
{
	struct download *download = (struct download *)(void *)((char *)pg -
								offsetof(struct download, pg));
	size_t skipped = download->at % CHUNK_SIZE, length = 0;
	int r;

	if (answer->outcome != PG_DONE || answer->n_rows != 1) {
		exchange_end(download->exchange);
		return;
	}
	r = open_piece(download, answer, &length);
	if (r || length <= skipped) {
		log_damage(download);
		exchange_end(download->exchange);
		return;
	}
	length -= skipped;
	if (length > download->last - download->at + 1)
		length = download->last - download->at + 1;
	download->at += length;
	/* With the last one the download is gone. */
	exchange_send(download->exchange, (struct slice){ download->piece + skipped, length });
}

static void on_want(struct exchange *exchange, bool is_wanted)
{
	struct download *download = exchange->state;
	int n = snprintf(download->number, sizeof(download->number), "%" PRIu64,
			 download->at / CHUNK_SIZE);

	memcpy(download->params, download->call.params, sizeof(download->params));
	download->params[CHUNK_PARAMS - 1] = (struct pg_param){ .at = download->number,
								.length = n };
	download->pg = (struct pg_call){
		.statement = &statements[STATEMENT_CASE_ATTACHMENT_CHUNK],
		.params = download->params,
		.lane = PG_LANE_READ,
		.done = on_piece,
	};
	if (!is_wanted || pg_pool_submit(verb_handlers(exchange)->pool, &download->pg))
		exchange_end(exchange);
}

static void refuse(struct download *download, int status, const char *key, uint32_t retry_after_s)
{
	verb_refuse(download->exchange, &(struct call_answer){ .status = status,
							       .error_key = key,
							       .retry_after_s = retry_after_s });
}

static void set_headers(struct exchange *exchange)
{
	exchange_set_header(exchange, "Accept-Ranges", "bytes");
	exchange_set_page_policy(exchange, policy);
}

static int set_name(struct exchange *exchange, struct slice name)
{
	const char *disposition;
	int r = filename_write(exchange->arena, name, &disposition);

	if (!r)
		exchange_set_header(exchange, "Content-Disposition", disposition);
	return r;
}

static void begin(struct download *download, struct slice name)
{
	struct exchange *exchange = download->exchange;
	uint64_t first = 0, last = download->size - 1;
	char text[RANGE_TEXT];
	int r;

	if (download->has_range && range_fit(&download->range, download->size, &first, &last)) {
		snprintf(text, sizeof(text), "bytes */%" PRIu64, download->size);
		exchange_set_header(exchange, "Content-Range", text);
		refuse(download, 416, "conduct-range-beyond", 0);
		return;
	}
	r = set_name(exchange, name);
	if (r) {
		exchange_fail(exchange, r);
		return;
	}
	set_headers(exchange);
	if (download->has_range) {
		snprintf(text, sizeof(text), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, last,
			 download->size);
		exchange_set_header(exchange, "Content-Range", text);
	}
	download->at = first;
	download->last = last;
	exchange_begin_stream(exchange, download->has_range ? 206 : 200, download->type,
			      last - first + 1, on_want);
}

/* The key is here. */
static void open_name(struct download *download)
{
	const struct envelope_place place = { deployment_of(download), download->name_id,
					      text_slice(name_kind) };
	char *text = arena_alloc(download->exchange->arena, download->name.length + 1);
	size_t length = 0;
	int r = text ? envelope_open(&download->unit.key, &place, download->name, text, &length)
		     : -ENOMEM;

	if (r < 0) {
		exchange_fail(download->exchange, r);
	} else if (r > 0) {
		log_damage(download);
		refuse(download, 500, "conduct-damaged", 0);
	} else {
		begin(download, (struct slice){ text, length });
	}
}

static void on_opened(struct vault_call *vault, enum vault_outcome outcome)
{
	struct download *download = (struct download *)(void *)((char *)vault -
								offsetof(struct download, vault));
	enum ipc_vault_outcome unit = download->unit.outcome;

	if (outcome == VAULT_QUOTA)
		refuse(download, 429, "conduct-case-quota", vault->retry_after_s);
	else if (outcome == VAULT_AWAY || unit == IPC_VAULT_NO_KEY)
		refuse(download, 503, "conduct-vault-unavailable", VAULT_RETRY_S);
	else if (unit != IPC_VAULT_OPENED)
		refuse(download, 500, "conduct-damaged", 0);
	else
		open_name(download);
}

static int read_hex(const struct value *body, const char *name, void *ret_bytes, size_t size,
		    size_t *ret_length)
{
	struct slice hex = value_text(value_get(body, name));

	return hex.at && codec_hex_decode(hex, ret_bytes, size, ret_length) == 0 ? 0 : -EPROTO;
}

static const char *find_type(struct slice name)
{
	static const char text[] = "text/plain";

	if (text_equals(name, text_slice(text)))
		return "text/plain; charset=utf-8";
	for (enum media_type type = MEDIA_UNKNOWN; type < _MEDIA_N; type++)
		if (text_equals(name, text_slice(media_type_name(type))))
			return media_type_name(type);
	return media_type_name(MEDIA_UNKNOWN);
}

/* What the database says of the file. */
static int read_file(struct download *download, const struct value *body)
{
	struct vault_unit *unit = &download->unit;
	struct slice unit_id = value_text(value_get(body, "unit"));
	struct slice name_id = value_text(value_get(body, "name_id"));
	size_t most = value_text(value_get(body, "name")).length / 2, length = 0;
	char *name = arena_alloc(download->exchange->arena, most + 1);
	int r = 0;

	if (!name)
		return -ENOMEM;
	if (!unit_id.at || text_read_uuid(unit_id, unit->unit_id) || !name_id.at ||
	    text_read_uuid(name_id, download->name_id))
		r = -EPROTO;
	r = r ? r : read_hex(body, "vault", unit->blob, sizeof(unit->blob), &length);
	r = r ? r : read_hex(body, "name", name, most, &download->name.length);
	download->name.at = name;
	unit->generation = (uint32_t)value_integer(value_get(body, "generation"), 0);
	unit->key_id = (uint32_t)value_integer(value_get(body, "key_id"), 0);
	download->size = (uint64_t)value_integer(value_get(body, "size"), 0);
	download->type = find_type(value_text(value_get(body, "media_type")));
	return r || (length == sizeof(unit->blob) && download->size) ? r : -EPROTO;
}

/* Nothing is opened, not even its name: that would be a reading. */
static void on_looked(struct call *call, const struct call_answer *answer)
{
	struct download *download = call->userdata;
	struct exchange *exchange = download->exchange;
	int64_t size = value_integer(value_get(answer->body, "size"), 0);

	if (answer->status >= 400) {
		verb_refuse(exchange, answer);
		return;
	}
	set_headers(exchange);
	exchange_begin_stream(exchange, 200,
			      find_type(value_text(value_get(answer->body, "media_type"))),
			      (uint64_t)size, on_want);
}

static void on_read(struct call *call, const struct call_answer *answer)
{
	struct download *download = call->userdata;
	struct sealer *sealer = verb_handlers(download->exchange)->sealer;
	int r;

	if (answer->status >= 400) {
		verb_refuse(download->exchange, answer);
		return;
	}
	r = read_file(download, answer->body);
	if (r) {
		exchange_fail(download->exchange, r);
		return;
	}
	verb_set_reader(download->exchange, call);
	download->vault =
		(struct vault_call){ .units = &download->unit, .n_units = 1, .done = on_opened };
	memcpy(download->vault.person, call->reader.person, KEYS_ID_SIZE);
	memcpy(download->vault.case_id, call->reader.case_id, KEYS_ID_SIZE);
	r = vault_open(sealer_vault(sealer), &download->vault);
	if (r > 0)
		refuse(download, 503, "conduct-vault-unavailable", VAULT_RETRY_S);
	else if (r)
		exchange_fail(download->exchange, r);
}

/* Who asks whether anything changed does not ask for a part. */
static void read_range(struct download *download)
{
	const struct exchange *exchange = download->exchange;
	struct slice header = exchange->headers[HTTP_HEADER_RANGE];

	download->has_range = !exchange->headers[HTTP_HEADER_IF_NONE_MATCH].at &&
			      range_is_fresh(exchange->headers[HTTP_HEADER_IF_RANGE],
					     exchange_param(exchange, 1).at) &&
			      range_read(header, &download->range) == 0;
}

/* For the log; what is beyond every file is as good as any. */
static int64_t first_asked(const struct download *download)
{
	const struct range *range = &download->range;

	if (!download->has_range)
		return 0;
	if (range->n_last)
		return range->n_last > INT32_MAX ? -INT32_MAX : -(int64_t)range->n_last;
	return range->first > INT32_MAX ? INT32_MAX : (int64_t)range->first;
}

void attachments_show(struct exchange *exchange)
{
	struct download *download = calloc(1, sizeof(*download));
	struct call *call;
	bool is_look;
	int r;

	if (!download || arena_take(exchange->arena, download, free_download)) {
		exchange_fail(exchange, -ENOMEM);
		return;
	}
	download->exchange = exchange;
	exchange->state = download;
	exchange_set_etag(exchange, exchange_param(exchange, 1).at);
	is_look = exchange_is_head_enough(exchange);
	read_range(download);
	(void)text_read_uuid(exchange_param(exchange, 1), download->attachment_id);
	call = &download->call;
	call_init(call, exchange->arena, STATEMENT_CASE_ATTACHMENT_READ, PG_LANE_READ);
	verb_add_account(exchange, call);
	call_add_text(call, exchange_param(exchange, 0));
	call_add_text(call, exchange_param(exchange, 1));
	if (is_look)
		call_add_text(call, (struct slice){ NULL, 0 });
	else
		call_add_integer(call, first_asked(download));
	r = call_submit(call, verb_handlers(exchange)->pool, is_look ? on_looked : on_read,
			download);
	if (r)
		exchange_fail(exchange, r);
}
