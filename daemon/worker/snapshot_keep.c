/*
 * A snapshot is sealed as every file of a case is: in chunks under a key of its own, which is one
 * more generation of the case's unit, and beside them its name and hash as words. All of it goes to
 * the database in one call.
 */

#include "daemon/worker/snapshot_keep.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/cases/sealing.h"
#include "daemon/crypto/crypto.h"
#include "daemon/keys/chunk.h"

/* What is sealed, in the arena. */
struct sealed {
	char attachment[TEXT_UUID_LENGTH + 1];
	uint8_t unit_id[KEYS_ID_SIZE];
	uint8_t attachment_id[KEYS_ID_SIZE];
	struct words words;
	struct unit_key key;
	struct slice chunks;
};

static int seal_chunks(struct job *job, struct sealed *sealed, struct slice document)
{
	size_t n = (document.length + CHUNK_SIZE - 1) / CHUNK_SIZE, at = 0;
	uint8_t *bytes = arena_alloc(job->arena, document.length + n * CHUNK_OVERHEAD);
	int r = bytes ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < n; i++) {
		bool is_last = i + 1 == n;
		struct slice text = { document.at + i * CHUNK_SIZE,
				      is_last ? document.length - i * CHUNK_SIZE : CHUNK_SIZE };
		const struct chunk_place place = {
			.deployment = job->worker->setup.sealer->intake.deployment,
			.attachment_id = sealed->attachment_id,
			.nth = (uint32_t)i,
			.is_last = is_last,
		};

		r = chunk_seal(&sealed->key, &place, text, bytes + at);
		at += text.length + CHUNK_OVERHEAD;
	}
	sealed->chunks = (struct slice){ (const char *)bytes, at };
	return r;
}

/* The file's own key, with its stanza among the words. */
static int make_key(struct job *job, struct sealed *sealed)
{
	uint32_t generation;
	int r = sealer_new_generation(&generation);

	if (!r)
		r = sealing_new_key(&sealed->words, job->worker->setup.sealer, sealed->unit_id,
				    generation, &sealed->key);
	return r;
}

/* {attachment, generation, size, name, digest, hash_ix}; the name and the digest are words. */
static int write_args(struct job *job, struct sealed *sealed, const struct snapshot_place *place,
		      struct slice document, struct value *args)
{
	const char *name = arena_printf(job->arena, "%s-%" PRId64 ".json", place->wiki,
					place->revision);
	uint8_t digest[CRYPTO_SHA256_SIZE], index[INDEX_SIZE];
	char text[2 * CRYPTO_SHA256_SIZE + 1], hex[2 * INDEX_SIZE + 1];
	const char *name_id = NULL, *digest_id = NULL;
	int r = name && args ? crypto_sha256(document, digest) : -ENOMEM;

	if (r)
		return r;
	codec_hex_encode(text, digest, sizeof(digest));
	r = index_of_file(&job->worker->setup.index_key, text_slice(text), index);
	if (r)
		return r;
	codec_hex_encode(hex, index, sizeof(index));
	r = words_add(&sealed->words, "attachment.name", text_slice(name), &name_id);
	if (!r)
		r = words_add(&sealed->words, "attachment.digest", text_slice(text), &digest_id);
	if (!r)
		r = value_set_string(args, "attachment", sealed->attachment);
	if (!r)
		r = value_set_integer(args, "generation", sealed->key.generation);
	if (!r)
		r = value_set_integer(args, "size", (int64_t)document.length);
	if (!r)
		r = value_set_string(args, "name", name_id);
	if (!r)
		r = value_set_string(args, "digest", digest_id);
	return r ? r : value_set_string(args, "hash_ix", hex);
}

static int add_args(struct job *job, const struct value *args)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	int r = value_write(args, &buffer);
	const char *text = r ? NULL : arena_strndup(job->arena, buffer.at, buffer.length);

	if (text)
		job->params[1] = job_text(text);
	return r ? r : text ? 0 : -ENOMEM;
}

static struct pg_param param(struct slice text, bool is_binary)
{
	return (struct pg_param){ .at = text.at,
				  .length = (int)text.length,
				  .is_binary = is_binary };
}

static int add_sealed(struct job *job, const struct sealed *sealed)
{
	struct slice ids, kinds, texts;
	int r = words_write(&sealed->words, &ids, &kinds, &texts);

	if (r)
		return r;
	job->params[2] = param(ids, false);
	job->params[3] = param(kinds, false);
	job->params[4] = param(texts, false);
	job->params[5] = param(sealed->chunks, true);
	return 0;
}

static int seal(struct job *job, struct sealed *sealed, const struct snapshot_place *place,
		struct slice document)
{
	CLEANUP(value_freep) struct value *args = value_new_object();
	int r = make_key(job, sealed);

	if (!r)
		r = seal_chunks(job, sealed, document);
	if (!r)
		r = write_args(job, sealed, place, document, args);
	if (!r)
		r = sealing_words(&sealed->words, job->worker->setup.sealer, &sealed->key);
	if (!r)
		r = add_args(job, args);
	unit_key_deinit(&sealed->key);
	return r ? r : add_sealed(job, sealed);
}

int snapshot_keep(struct job *job, const struct snapshot_item *item,
		  const struct snapshot_place *place, struct slice document,
		  void (*done)(struct pg_call *call, const struct pg_answer *answer))
{
	struct sealed sealed = { 0 };
	int r;

	words_init(&sealed.words, job->arena);
	if (text_read_uuid(text_slice(item->unit), sealed.unit_id))
		return -EPROTO;
	r = text_new_uuid(sealed.attachment);
	if (!r)
		r = text_read_uuid(text_slice(sealed.attachment), sealed.attachment_id);
	if (!r)
		r = seal(job, &sealed, place, document);
	if (r)
		return r;
	job->params[0] = job_text(item->id);
	job_call(job, STATEMENT_SNAPSHOT_KEEP, done);
	return 0;
}
