/*
 * Access tokens. The mutator changes header and payload and signs them anew with the key that the
 * target trusts, so that inputs get past the signature; what is accepted then has to say, read by
 * this file's own eyes, everything that the API's documentation demands.
 */

#include "tests/fuzz/fuzz.h"

#include "api/auth/token.h"
#include "daemon/base/buffer.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/json/value.h"
#include "tests/fuzz/token_key.h"

#include <stdlib.h>
#include <string.h>

enum { NOW_S = 1800000000, LIFETIME_MAX_S = 14400 };

static const struct issuer_client clients[] = { { "full-client", true }, { "gadget", false } };

/* Made once; the process owns it. */
static struct crypto_key *key;
static struct issuer issuer = {
	.iss = "https://demo.example",
	.scope = "CentralAuth",
	.clients = clients,
	.n_clients = ARRAY_SIZE(clients),
	.lifetime_max_s = LIFETIME_MAX_S,
};
static const struct issuer_table issuers = { &issuer, 1 };
static const struct issuer_table nobody = { NULL, 0 };

static bool prepare(void)
{
	static const struct slice pem = { FUZZ_TOKEN_KEY, sizeof(FUZZ_TOKEN_KEY) - 1 };

	if (!key && crypto_key_new_private(pem, &key))
		key = NULL;
	issuer.keys[0] = key;
	issuer.n_keys = key ? 1 : 0;
	return key != NULL;
}

/* The three parts of a compact token. */
static bool split(struct slice text, struct slice ret_parts[3])
{
	for (size_t i = 0; i < 3; i++) {
		const char *dot = memchr(text.at, '.', text.length);

		if (!dot == (i < 2))
			return false;
		ret_parts[i] = (struct slice){ text.at,
					       dot ? (size_t)(dot - text.at) : text.length };
		text.at += ret_parts[i].length + (dot ? 1 : 0);
		text.length -= ret_parts[i].length + (dot ? 1 : 0);
	}
	return true;
}

static struct value *decode(struct slice part)
{
	struct value *value = NULL;
	char bytes[TOKEN_SIZE_MAX];
	size_t length;

	if (codec_base64url_decode(part, bytes, sizeof(bytes), &length) ||
	    value_parse((struct slice){ bytes, length }, &value, NULL))
		return NULL;
	return value;
}

static bool says(const struct value *value, const char *text)
{
	return value_string(value) && strcmp(value_string(value), text) == 0;
}

static void check_claims(const struct value *header, const struct value *payload,
			 const struct token *token)
{
	static const char *const foreign[] = {
		"crit", "jku", "jwk", "x5u", "x5c", "sxp", "CAToken"
	};
	const struct value *audience = value_get(payload, "aud");
	double exp = value_number(value_get(payload, "exp"), -1);
	double iat = value_number(value_get(payload, "iat"), 1e300);
	double nbf = value_number(value_get(payload, "nbf"), 1e300);
	const char *sub = value_get_string(payload, "sub");

	PROPERTY(says(value_get(header, "alg"), "RS256"));
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		PROPERTY(!value_get(header, foreign[i]));
	PROPERTY(!value_get(payload, "sxp") && !value_get(payload, "CAToken"));
	PROPERTY(says(value_get(payload, "iss"), issuer.iss) && token->issuer == &issuer);
	PROPERTY(exp > NOW_S && exp - iat <= LIFETIME_MAX_S);
	PROPERTY(iat <= NOW_S + TOKEN_LEEWAY_S && nbf <= NOW_S + TOKEN_LEEWAY_S);
	if (value_is(audience, VALUE_ARRAY)) {
		PROPERTY(value_count(audience) == 1);
		audience = value_at(audience, 0);
	}
	PROPERTY(says(audience, token->client->id));
	PROPERTY(value_get_string(payload, "jti") && *value_get_string(payload, "jti"));
	PROPERTY(value_is(value_get(payload, "scopes"), VALUE_ARRAY));
	PROPERTY(token->id.length >= 1 && token->id.length <= TOKEN_ID_MAX);
	PROPERTY(strspn(token->id.at, "0123456789") == token->id.length && token->id.at[0] != '0');
	PROPERTY(sub && strlen(sub) >= token->id.length &&
		 strcmp(sub + strlen(sub) - token->id.length, token->id.at) == 0);
}

/* Another last character of a part, or another time or trust, and the token does not hold. */
static void check_changes(struct arena *arena, struct slice text, uint32_t choice)
{
	char changed[TOKEN_SIZE_MAX];
	struct token token;
	size_t at;
	int r;

	if (!text.length)
		return;
	at = choice % text.length;
	memcpy(changed, text.at, text.length);
	changed[at] = changed[at] == 'A' ? 'B' : 'A';
	r = token_check(arena, &issuers, (struct slice){ changed, text.length },
			NOW_S * INT64_C(1000000), &token);
	PROPERTY(r != 0);
	r = token_check(arena, &nobody, text, NOW_S * INT64_C(1000000), &token);
	PROPERTY(r == TOKEN_E_ISSUER || fuzz_has_fault());
	r = token_check(arena, &issuers, text, (NOW_S + 2 * LIFETIME_MAX_S) * INT64_C(1000000),
			&token);
	PROPERTY(r == TOKEN_E_TIME || (r != 0 && fuzz_has_fault()));
}

static void check_accepted(struct arena *arena, struct slice text, const struct token *token)
{
	CLEANUP(value_freep) struct value *header = NULL;
	CLEANUP(value_freep) struct value *payload = NULL;
	uint8_t signature[CRYPTO_SIGNATURE_MAX];
	struct slice parts[3], message;
	size_t length = 0;

	PROPERTY(text.length <= TOKEN_SIZE_MAX && split(text, parts));
	message = (struct slice){ text.at, parts[0].length + 1 + parts[1].length };
	PROPERTY(codec_base64url_decode(parts[2], signature, sizeof(signature), &length) == 0);
	PROPERTY(crypto_rs256_verify(key, message, (struct slice){ (char *)signature, length }) ==
			 0 ||
		 fuzz_has_fault());
	header = decode(parts[0]);
	payload = decode(parts[1]);
	if (header && payload)
		check_claims(header, payload, token);
	else
		PROPERTY(fuzz_has_fault());
	check_changes(arena, text, fuzz_hash((const uint8_t *)text.at, text.length));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct slice text = { size ? (const char *)bytes : "", size };
	struct arena *arena = NULL;
	struct token token;
	int r = prepare() ? arena_new(&arena) : -ENOMEM;

	NOT_NEGATIVE(r, out);
	r = token_check(arena, &issuers, text, NOW_S * INT64_C(1000000), &token);
	/* OpenSSL's failures are negative: a signature that does not fit its key is none of them.
	 */
	NOT_NEGATIVE(r, out);
	PROPERTY(r >= 0 && r <= TOKEN_E_SUBJECT);
	if (r == 0)
		check_accepted(arena, text, &token);
out:
	arena_free(arena);
	return 0;
}

static void append_base64url(struct buffer *buffer, const uint8_t *bytes, size_t length)
{
	char text[4 * TOKEN_SIZE_MAX / 3 + 4];

	codec_base64url_encode(text, bytes, length);
	buffer_append_text(buffer, text);
}

/* A part's bytes, changed if it is its turn. */
static bool append_part(struct buffer *buffer, struct slice part, bool is_changed)
{
	uint8_t bytes[TOKEN_SIZE_MAX];
	size_t length;

	if (codec_base64url_decode(part, bytes, sizeof(bytes), &length))
		return false;
	if (is_changed)
		length = LLVMFuzzerMutate(bytes, length, 2048);
	append_base64url(buffer, bytes, length);
	return true;
}

/* Three of four inputs are changed inside and signed; the others are changed as they stand. */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t size_max, unsigned seed)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	uint8_t signature[CRYPTO_SIGNATURE_MAX];
	struct slice parts[3];
	size_t length;

	if (seed % 4 == 0 || !prepare() ||
	    !split((struct slice){ (const char *)bytes, size }, parts) ||
	    !append_part(&buffer, parts[0], seed % 4 == 1))
		return LLVMFuzzerMutate(bytes, size, size_max);
	buffer_append_char(&buffer, '.');
	if (!append_part(&buffer, parts[1], seed % 4 != 1) || buffer_finish(&buffer) ||
	    crypto_rs256_sign(key, (struct slice){ buffer.at, buffer.length }, signature, &length))
		return LLVMFuzzerMutate(bytes, size, size_max);
	buffer_append_char(&buffer, '.');
	append_base64url(&buffer, signature, length);
	if (buffer_finish(&buffer) || buffer.length > size_max)
		return LLVMFuzzerMutate(bytes, size, size_max);
	memcpy(bytes, buffer.at, buffer.length);
	return buffer.length;
}
