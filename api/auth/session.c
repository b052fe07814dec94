/*
 * A session is a random secret that the browser keeps. The database finds it by a hash of a derived
 * value, and holds the rest of it, the wiki's access token above all, sealed under another derived
 * key: a stolen database opens no session and acts for nobody, and a session is worth no more than
 * the token in it, which is checked and asked for like any other.
 */

#include "api/auth/session.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/crypto/crypto.h"
#include "daemon/crypto/seal.h"
#include "daemon/json/value.h"

#include <string.h>

/* As the database has it. */
const char *session_kind_name(enum session_kind kind)
{
	switch (kind) {
	case SESSION_CODE:
		return "code";
	case SESSION_BEARER:
		return "bearer";
	default:
		return "cookie";
	}
}

int session_secret_new(struct session_secret *ret_secret)
{
	return crypto_random(ret_secret->bytes, sizeof(ret_secret->bytes));
}

/* 43 digits of base64url. 0 or SESSION_E_MALFORMED. */
int session_secret_read(struct slice text, struct session_secret *ret_secret)
{
	struct session_secret secret;
	size_t length;

	if (text.length != SESSION_TEXT_SIZE - 1 ||
	    codec_base64url_decode(text, secret.bytes, sizeof(secret.bytes), &length) ||
	    length != sizeof(secret.bytes))
		return SESSION_E_MALFORMED;
	*ret_secret = secret;
	session_secret_deinit(&secret);
	return 0;
}

void session_secret_write(const struct session_secret *secret, char ret_text[SESSION_TEXT_SIZE])
{
	char text[4 * SESSION_SECRET_SIZE / 3 + 4];

	codec_base64url_encode(text, secret->bytes, sizeof(secret->bytes));
	memcpy(ret_text, text, SESSION_TEXT_SIZE);
	crypto_wipe(text, sizeof(text));
}

static int derive(const struct session_secret *secret, const char *info, uint8_t ret_key[32])
{
	return crypto_hkdf_sha256(
		(struct slice){ (const char *)secret->bytes, sizeof(secret->bytes) },
		text_slice(""), text_slice(info), ret_key, 32);
}

/* What the database holds of it: like a receipt's, the hash of a derived value. */
int session_secret_hash(const struct session_secret *secret, uint8_t ret_hash[SESSION_HASH_SIZE])
{
	uint8_t derived[32];
	int r = derive(secret, "conductd session v1", derived);

	if (!r)
		r = crypto_sha256((struct slice){ (const char *)derived, sizeof(derived) },
				  ret_hash);
	crypto_wipe(derived, sizeof(derived));
	return r;
}

/* Overwrites the secret. */
void session_secret_deinit(struct session_secret *secret)
{
	crypto_wipe(secret, sizeof(*secret));
}

static int write_content(const struct session_content *content, struct buffer *buffer)
{
	CLEANUP(value_freep) struct value *object = value_new_object();
	int r = object ? 0 : -ENOMEM;

	if (!r)
		r = value_set_text(object, "iss", content->iss);
	if (!r)
		r = value_set_text(object, "id", content->id);
	if (!r)
		r = value_set_text(object, "token", content->token);
	if (!r)
		r = value_set_integer(object, "ends", content->ends_s);
	return r ? r : value_write(object, buffer);
}

/* The seal holds for its kind alone: a code's cannot be passed off as a cookie's. */
int session_seal(struct arena *arena, const struct session_secret *secret, enum session_kind kind,
		 const struct session_content *content, struct slice *ret_sealed)
{
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
	uint8_t key[SEAL_KEY_SIZE];
	char *sealed = NULL;
	int r = write_content(content, &text);

	if (!r)
		r = derive(secret, "conductd session seal v1", key);
	if (!r) {
		sealed = arena_alloc(arena, text.length + SEAL_OVERHEAD);
		r = sealed ? crypto_seal(key, text_slice(session_kind_name(kind)),
					 (struct slice){ text.at, text.length }, sealed)
			   : -ENOMEM;
	}
	if (!r)
		*ret_sealed = (struct slice){ sealed, text.length + SEAL_OVERHEAD };
	crypto_wipe(key, sizeof(key));
	if (text.at)
		crypto_wipe(text.at, text.length);
	return r;
}

static void free_value(void *value)
{
	value_free(value);
}

static int read_content(struct arena *arena, struct slice text, struct session_content *ret_content)
{
	struct value *object = NULL;
	int r = value_parse(text, &object, NULL);

	if (!r)
		r = arena_take(arena, object, free_value);
	if (r)
		return r > 0 ? SESSION_E_MALFORMED : r;
	*ret_content = (struct session_content){
		.iss = value_text(value_get(object, "iss")),
		.id = value_text(value_get(object, "id")),
		.token = value_text(value_get(object, "token")),
		.ends_s = value_integer(value_get(object, "ends"), 0),
	};
	return ret_content->iss.at && ret_content->id.at && ret_content->token.at
		       ? 0
		       : SESSION_E_MALFORMED;
}

/* The reverse, from the hex digits of the database. 0, SESSION_E_MALFORMED (not sealed by this
 * secret as this kind), or negative; the texts lie in the arena. */
int session_unseal(struct arena *arena, const struct session_secret *secret, enum session_kind kind,
		   struct slice hex, struct session_content *ret_content)
{
	uint8_t key[SEAL_KEY_SIZE];
	char *sealed = arena_alloc(arena, hex.length / 2 + 1);
	char *text = arena_alloc(arena, hex.length / 2 + 1);
	size_t length;
	int r;

	if (!sealed || !text)
		return -ENOMEM;
	if (codec_hex_decode(hex, sealed, hex.length / 2, &length) || length < SEAL_OVERHEAD)
		return SESSION_E_MALFORMED;
	r = derive(secret, "conductd session seal v1", key);
	if (!r)
		r = crypto_open(key, text_slice(session_kind_name(kind)),
				(struct slice){ sealed, length }, text);
	crypto_wipe(key, sizeof(key));
	if (r)
		return r > 0 ? SESSION_E_MALFORMED : r;
	return read_content(arena, (struct slice){ text, length - SEAL_OVERHEAD }, ret_content);
}
