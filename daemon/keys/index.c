/*
 * Index values: HMAC-SHA-256 under the index key of the column's name and the normalised value, the
 * parts held apart by 0x1f, which no part may contain. Who steals the database without the key
 * cannot test a name against it.
 */

#include "daemon/keys/index.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/crypto/crypto.h"

#include <string.h>

enum { SEPARATOR = 0x1f, PARTS_MAX = 3 };

/* Reads the content of a key file. */
int index_key_read(struct slice text, struct index_key *ret_key)
{
	struct index_key key;
	size_t length;

	if (text.length == INDEX_KEY_TEXT + 1 && text.at[INDEX_KEY_TEXT] == '\n')
		text.length--;
	if (text.length != INDEX_KEY_TEXT ||
	    codec_hex_decode(text, key.bytes, sizeof(key.bytes), &length))
		return INDEX_E_MALFORMED;
	*ret_key = key;
	index_key_deinit(&key);
	return 0;
}

/* A fresh random key. */
int index_key_new(struct index_key *ret_key)
{
	return crypto_random(ret_key->bytes, sizeof(ret_key->bytes));
}

/* The key as the key file holds it, without the line feed. */
void index_key_write(const struct index_key *key, char ret_text[INDEX_KEY_TEXT + 1])
{
	codec_hex_encode(ret_text, key->bytes, sizeof(key->bytes));
}

/* Overwrites the key. */
void index_key_deinit(struct index_key *key)
{
	crypto_wipe(key, sizeof(*key));
}

static int index_of(const struct index_key *key, const char *column, const struct slice *values,
		    size_t n_values, uint8_t *ret_index)
{
	static const char separator[] = { SEPARATOR };
	struct slice parts[1 + 2 * PARTS_MAX] = { { column, strlen(column) } };
	size_t n = 1;

	for (size_t i = 0; i < n_values; i++) {
		if (values[i].length && memchr(values[i].at, SEPARATOR, values[i].length))
			return INDEX_E_MALFORMED;
		parts[n++] = (struct slice){ separator, sizeof(separator) };
		parts[n++] = values[i];
	}
	return crypto_hmac_sha256((struct slice){ (const char *)key->bytes, sizeof(key->bytes) },
				  parts, n, ret_index);
}

/* HMAC("mark" ‖ id of the deployment), in hex: says which key it is, and nothing else. */
int index_key_mark(const struct index_key *key, const char *deployment,
		   char ret_mark[INDEX_MARK_TEXT + 1])
{
	const struct slice value = text_slice(deployment);
	uint8_t index[INDEX_SIZE];
	int r = index_of(key, "mark", &value, 1, index);

	if (r == 0)
		codec_hex_encode(ret_mark, index, sizeof(index));
	return r;
}

/* A database that knows no index key takes any. */
bool index_key_is_marked(const struct index_key *key, const char *deployment, struct slice mark)
{
	char own[INDEX_MARK_TEXT + 1];

	return !mark.at ||
	       (index_key_mark(key, deployment, own) == 0 && text_equals(mark, text_slice(own)));
}

/* HMAC("id" ‖ issuer ‖ scope ‖ id). Issuer and scope are configured, id is a checked `sub`. */
int index_of_id(const struct index_key *key, struct slice issuer, struct slice scope,
		struct slice id, uint8_t ret_index[INDEX_SIZE])
{
	const struct slice values[] = { issuer, scope, id };

	return index_of(key, "id", values, ARRAY_SIZE(values), ret_index);
}

/* HMAC("name" ‖ scope ‖ folded name). */
int index_of_name(const struct index_key *key, struct arena *arena, struct slice scope,
		  struct slice user, uint8_t ret_index[INDEX_SIZE])
{
	struct slice values[] = { scope, { 0 } };
	int r = text_fold_user(arena, user, &values[1]);

	if (r)
		return r > 0 ? INDEX_E_MALFORMED : r;
	return index_of(key, "name", values, ARRAY_SIZE(values), ret_index);
}

/* HMAC("skeleton" ‖ skeleton). */
int index_of_skeleton(const struct index_key *key, struct arena *arena, struct slice name,
		      uint8_t ret_index[INDEX_SIZE])
{
	struct slice skeleton;
	int r = text_fold_skeleton(arena, name, &skeleton);

	if (r)
		return r > 0 ? INDEX_E_MALFORMED : r;
	return index_of(key, "skeleton", &skeleton, 1, ret_index);
}

/* HMAC("file" ‖ SHA-256). */
int index_of_file(const struct index_key *key, struct slice digest, uint8_t ret_index[INDEX_SIZE])
{
	return index_of(key, "file", &digest, 1, ret_index);
}
