/*
 * A file on its way in: three calls of the database and one piece in memory. The first call refuses
 * what can be refused, before anything of the body is read. Each piece is hashed, looked at, sealed
 * under a key that is the file's own, and put away before the next one is taken. The last call
 * keeps all that came before, with the name, the digest and the stanza of the key: until then
 * nobody could read it, and nobody ever will if the client leaves.
 *
 * The Idempotency-Key is compared with the name and the digest, so that a client who was not told
 * sends the file again and gets the same answer; what it sends then is only hashed.
 */

#include "api/handlers/attachments.h"
#include "api/handlers/verb.h"
#include "api/http/filename.h"
#include "api/http/message.h"
#include "daemon/base/codec.h"
#include "daemon/base/media.h"
#include "daemon/base/text.h"
#include "daemon/cases/sealing.h"
#include "daemon/crypto/hash.h"
#include "daemon/keys/chunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUT_PARAMS = 3, DIGEST_TEXT = 2 * CRYPTO_SHA256_SIZE };

struct upload {
	struct exchange *exchange;
	bool is_of_case; /* by who handles it; else by a party */
	struct call call;
	struct words words; /* the key's stanza, later the name and the digest */
	struct slice name;
	struct crypto_hash *hash;
	struct media media;
	struct unit_key key;
	uint64_t size;
	bool is_replay; /* it is there already: compared, and not kept */
	char id[TEXT_UUID_LENGTH + 1];
	uint8_t attachment_id[KEYS_ID_SIZE];
	uint32_t nth;

	struct pg_call pg;
	struct pg_param params[PUT_PARAMS];
	char number[12];
	int status; /* of a refusal that waits for the drop */
	const char *refusal;
	size_t n_piece;
	char piece[CHUNK_SIZE];
	uint8_t sealed[CHUNK_SEALED_MAX];
};

static void take(struct upload *upload);

static void free_upload(void *at)
{
	struct upload *upload = at;

	crypto_hash_free(upload->hash);
	crypto_wipe(upload, sizeof(*upload));
	free(upload);
}

static void on_dropped(struct pg_call *pg, const struct pg_answer *answer)
{
	struct upload *upload = (struct upload *)(void *)((char *)pg - offsetof(struct upload, pg));

	/* What could not be dropped now is swept later. */
	verb_refuse(upload->exchange, &(struct call_answer){ .status = upload->status,
							     .error_key = upload->refusal });
}

static int submit(struct upload *upload, enum statement_id statement,
		  void (*done)(struct pg_call *pg, const struct pg_answer *answer))
{
	upload->pg = (struct pg_call){ .statement = &statements[statement],
				       .params = upload->params,
				       .lane = PG_LANE_ACT,
				       .done = done };
	return pg_pool_submit(verb_handlers(upload->exchange)->pool, &upload->pg);
}

/* What came so far is forgotten, then the client is told why. */
static void give_up(struct upload *upload, int status, const char *refusal)
{
	upload->status = status;
	upload->refusal = refusal;
	upload->params[0] = (struct pg_param){ .at = upload->id, .length = TEXT_UUID_LENGTH };
	if (!upload->id[0] || submit(upload, STATEMENT_ATTACHMENT_DROP, on_dropped))
		verb_refuse(upload->exchange,
			    &(struct call_answer){ .status = status, .error_key = refusal });
}

static void fail(struct upload *upload, int error)
{
	give_up(upload, error == -ENOMEM ? 503 : 500,
		error == -ENOMEM ? "conduct-unavailable" : "conduct-internal");
}

/* Its name and what its bytes are, as the last call takes them. */
static int write_args(struct upload *upload, const char *digest, struct value *args)
{
	const struct names *names = &verb_handlers(upload->exchange)->names;
	const char *name = NULL, *sum = NULL;
	uint8_t index[INDEX_SIZE];
	char hex[2 * INDEX_SIZE + 1];
	int r = words_add(&upload->words, "attachment.name", upload->name, &name);

	if (!r)
		r = words_add(&upload->words, "attachment.digest", text_slice(digest), &sum);
	if (!r)
		r = index_of_file(names->key, text_slice(digest), index);
	if (r)
		return r;
	codec_hex_encode(hex, index, sizeof(index));
	r = value_set_string(args, "attachment", upload->id);
	r = r ? r : value_set_string(args, "name", name);
	r = r ? r : value_set_string(args, "digest", sum);
	r = r ? r : value_set_string(args, "hash_ix", hex);
	r = r ? r : value_set_string(args, "media_type", media_type_name(upload->media.type));
	r = r ? r : value_set_integer(args, "size", (int64_t)upload->size);
	r = r ? r : value_set_integer(args, "generation", upload->key.generation);
	r = r ? r : value_set_boolean(args, "has_metadata", upload->media.has_metadata);
	return r ? r : value_set_boolean(args, "has_location", upload->media.has_location);
}

/* What is said of it, and, where it says more than it shows, so in every language. */
static void reply(struct upload *upload, const struct value *body)
{
	CLEANUP(value_freep) struct value *answer = value_copy(body);
	const char *warning = value_text(value_at(value_get(body, "warnings"), 0)).at;
	struct value *texts = NULL;
	int r = answer ? 0 : -ENOMEM;

	if (!r && warning) {
		texts = message_translate(strcmp(warning, "location") == 0
						  ? "conduct-attachment-location"
						  : "conduct-attachment-metadata");
		r = value_set_take(answer, "messageTranslations", texts);
	}
	if (r)
		exchange_fail(upload->exchange, r);
	else
		exchange_reply_json(upload->exchange, 201, answer);
}

static void on_kept(struct call *call, const struct call_answer *answer)
{
	struct upload *upload = call->userdata;

	if (answer->status < 400)
		reply(upload, answer->body);
	else if (answer->status == 503)
		/* Perhaps it is kept: only the same request can tell. */
		verb_refuse(upload->exchange, answer);
	else
		give_up(upload, answer->status,
			arena_strdup(upload->exchange->arena, answer->error_key));
}

static void add_who(struct upload *upload)
{
	struct exchange *exchange = upload->exchange;

	if (upload->is_of_case) {
		verb_add_account(exchange, &upload->call);
		call_add_text(&upload->call, exchange_param(exchange, 0));
	} else {
		/* It was there when the upload began. */
		(void)verb_add_party(exchange, &upload->call);
	}
}

/* Scope and MAC; what stands for the body is the name and the digest of what came. */
static void add_key(struct upload *upload, const char *digest)
{
	struct exchange *exchange = upload->exchange;
	struct slice participation = exchange_query(exchange, "participation");
	const char *text = arena_printf(exchange->arena, "%s\n%s", upload->name.at, digest);

	if (!text)
		upload->call.error = -ENOMEM;
	exchange->body = text_slice(text);
	verb_add_key(exchange, &upload->call, &participation, upload->is_of_case ? 0 : 1);
}

static void keep(struct upload *upload)
{
	CLEANUP(value_freep) struct value *args = value_new_object();
	struct exchange *exchange = upload->exchange;
	uint8_t bytes[CRYPTO_SHA256_SIZE];
	char digest[DIGEST_TEXT + 1];
	int r = args ? crypto_hash_finish(upload->hash, bytes) : -ENOMEM;

	if (r) {
		fail(upload, r);
		return;
	}
	codec_hex_encode(digest, bytes, sizeof(bytes));
	media_finish(&upload->media);
	call_init(&upload->call, exchange->arena,
		  upload->is_of_case ? STATEMENT_CASE_ATTACHMENT_KEEP
				     : STATEMENT_RECEIPT_ATTACHMENT_KEEP,
		  PG_LANE_ACT);
	add_who(upload);
	add_key(upload, digest);
	if (!upload->is_replay)
		r = write_args(upload, digest, args);
	if (!r)
		r = sealing_words(&upload->words, verb_handlers(exchange)->sealer, &upload->key);
	if (!r) {
		call_add_json(&upload->call, args);
		call_add_words(&upload->call, &upload->words);
		r = call_submit(&upload->call, verb_handlers(exchange)->pool, on_kept, upload);
	}
	if (r)
		fail(upload, r);
}

static void on_put(struct pg_call *pg, const struct pg_answer *answer)
{
	struct upload *upload = (struct upload *)(void *)((char *)pg - offsetof(struct upload, pg));

	if (answer->outcome == PG_DONE) {
		upload->nth++;
		take(upload);
	} else if (answer->outcome == PG_REFUSED && answer->status == 409) {
		/* A second try of the same request has taken its place. */
		give_up(upload, 409, "conduct-upload-lost");
	} else {
		give_up(upload, 503, "conduct-unavailable");
	}
}

static int put(struct upload *upload)
{
	const struct chunk_place place = {
		.deployment = verb_handlers(upload->exchange)->sealer->intake.deployment,
		.attachment_id = upload->attachment_id,
		.nth = upload->nth,
		.is_last = exchange_body_left(upload->exchange) == 0,
	};
	int n = snprintf(upload->number, sizeof(upload->number), "%u", upload->nth);
	int r = chunk_seal(&upload->key, &place, (struct slice){ upload->piece, upload->n_piece },
			   upload->sealed);

	if (r)
		return r;
	upload->params[0] = (struct pg_param){ .at = upload->id, .length = TEXT_UUID_LENGTH };
	upload->params[1] = (struct pg_param){ .at = upload->number, .length = n };
	upload->params[2] = (struct pg_param){ .at = (const char *)upload->sealed,
					       .length = (int)upload->n_piece + CHUNK_OVERHEAD,
					       .is_binary = true };
	return submit(upload, STATEMENT_ATTACHMENT_PUT, on_put);
}

static void on_piece(struct exchange *exchange, bool is_there)
{
	struct upload *upload = exchange->state;
	struct slice piece = { upload->piece, upload->n_piece };
	int r;

	if (!is_there) {
		give_up(upload, 408, "conduct-timeout");
		return;
	}
	r = crypto_hash_feed(upload->hash, piece);
	if (!r && upload->is_replay) {
		take(upload);
		return;
	}
	media_feed(&upload->media, piece);
	if (!r)
		r = put(upload);
	if (r)
		fail(upload, r);
}

static void take(struct upload *upload)
{
	uint64_t left = exchange_body_left(upload->exchange);

	if (left == 0) {
		keep(upload);
		return;
	}
	upload->n_piece = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
	exchange_take(upload->exchange, upload->piece, upload->n_piece, on_piece);
}

/* Where it goes, and the key that it goes under. */
static int prepare(struct upload *upload, const struct value *body)
{
	struct slice unit = value_text(value_get(body, "unit"));
	struct slice id = value_text(value_get(body, "attachment"));
	uint8_t unit_id[KEYS_ID_SIZE];
	uint32_t generation;
	int r;

	upload->is_replay = value_is_true(value_get(body, "replay"));
	if (!unit.at || text_read_uuid(unit, unit_id))
		return -EPROTO;
	r = crypto_hash_new(&upload->hash);
	if (r || upload->is_replay)
		return r;
	if (!id.at || text_read_uuid(id, upload->attachment_id))
		return -EPROTO;
	text_write_uuid(upload->id, upload->attachment_id);
	r = sealer_new_generation(&generation);
	return r ? r
		 : sealing_new_key(&upload->words, verb_handlers(upload->exchange)->sealer, unit_id,
				   generation, &upload->key);
}

static void on_begun(struct call *call, const struct call_answer *answer)
{
	struct upload *upload = call->userdata;
	int r;

	if (answer->status >= 400) {
		verb_refuse(upload->exchange, answer);
		return;
	}
	r = prepare(upload, answer->body);
	if (r)
		fail(upload, r);
	else
		take(upload);
}

static struct upload *upload_new(struct exchange *exchange)
{
	struct upload *upload = calloc(1, sizeof(*upload));

	if (!upload || arena_take(exchange->arena, upload, free_upload)) {
		exchange_fail(exchange, -ENOMEM);
		return NULL;
	}
	upload->exchange = exchange;
	upload->size = exchange_body_left(exchange);
	words_init(&upload->words, exchange->arena);
	exchange->state = upload;
	return upload;
}

/* False: the exchange has been answered, and the upload is gone with it. */
static bool read_head(struct upload *upload)
{
	struct exchange *exchange = upload->exchange;
	struct slice header = exchange->headers[HTTP_HEADER_CONDUCT_FILENAME];
	int r = filename_read(exchange->arena, header, &upload->name);

	if (r == 0 && upload->size > 0)
		return true;
	if (r < 0)
		exchange_fail(exchange, r);
	else if (r > 0)
		exchange_refuse(exchange, 400, "conduct-bad-filename");
	else
		verb_refuse(exchange,
			    &(struct call_answer){ .status = 422,
						   .error_key = "conduct-attachment-empty" });
	return false;
}

static void begin(struct exchange *exchange, bool is_of_case)
{
	struct slice participation = exchange_query(exchange, "participation");
	struct upload *upload = upload_new(exchange);
	struct call *scratch;
	struct slice scope;
	int r;

	if (!upload || !read_head(upload))
		return;
	upload->is_of_case = is_of_case;
	scratch = verb_begin(exchange, STATEMENT_ATTACHMENT_DROP, PG_LANE_ACT);
	if (!scratch || (!is_of_case && !verb_add_party(exchange, scratch)))
		return;
	scope = verb_add_key(exchange, scratch, &participation, is_of_case ? 0 : 1);
	call_init(&upload->call, exchange->arena,
		  is_of_case ? STATEMENT_CASE_ATTACHMENT_BEGIN : STATEMENT_RECEIPT_ATTACHMENT_BEGIN,
		  PG_LANE_ACT);
	add_who(upload);
	call_add_bytes(&upload->call, scope);
	call_add_integer(&upload->call, (int64_t)upload->size);
	r = scratch->error
		    ? scratch->error
		    : call_submit(&upload->call, verb_handlers(exchange)->pool, on_begun, upload);
	if (r)
		exchange_fail(exchange, r);
}

void attachments_bring(struct exchange *exchange)
{
	begin(exchange, false);
}

void attachments_add(struct exchange *exchange)
{
	begin(exchange, true);
}
