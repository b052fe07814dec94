/*
 * Checks wiki access tokens in one fixed order. The algorithm is ours to choose, not the token's;
 * keys are files of the configuration, so `kid` means nothing and a token that brings a key, an
 * address of a key or critical rules of its own is refused. Times are compared as floating point,
 * because MediaWiki's library writes fractions.
 */

#include "api/auth/token.h"
#include "daemon/base/codec.h"
#include "daemon/json/value.h"

#include <math.h>
#include <string.h>

struct parts {
	struct slice header, payload, signature; /* as text */
	struct slice signed_text;                /* header "." payload */
};

/* header "." payload "." signature, none of them empty (RFC 7515 section 3.1). */
static bool split(struct slice text, struct parts *ret_parts)
{
	const char *end = text.at + text.length;
	const char *first = memchr(text.at, '.', text.length);
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

	if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
		return false;
	*ret_parts = (struct parts){
		.header = { text.at, (size_t)(first - text.at) },
		.payload = { first + 1, (size_t)(second - first) - 1 },
		.signature = { second + 1, (size_t)(end - second) - 1 },
		.signed_text = { text.at, (size_t)(second - text.at) },
	};
	return ret_parts->header.length && ret_parts->payload.length && ret_parts->signature.length;
}

static int read_part(struct slice part, struct value **ret_value)
{
	char bytes[TOKEN_SIZE_MAX];
	size_t length;
	int r;

	if (codec_base64url_decode(part, bytes, sizeof(bytes), &length))
		return TOKEN_E_FORM;
	r = value_parse((struct slice){ bytes, length }, ret_value, NULL);
	if (r)
		return r > 0 ? TOKEN_E_FORM : r;
	return value_is(*ret_value, VALUE_OBJECT) ? 0 : TOKEN_E_FORM;
}

static bool is_text(const struct value *value, const char *text)
{
	struct slice is = value_text(value);

	return is.at && is.length == strlen(text) && memcmp(is.at, text, is.length) == 0;
}

static int check_header(const struct value *header)
{
	static const char *const refused[] = { "b64", "crit", "jku", "jwk", "x5u", "x5c" };
	const struct value *type = value_get(header, "typ");

	if (!is_text(value_get(header, "alg"), "RS256"))
		return TOKEN_E_ALGORITHM;
	/* RFC 8725 section 3.11: what the issuer signs for another purpose says so. */
	if (type && !is_text(type, "JWT") && !is_text(type, "at+jwt"))
		return TOKEN_E_ALGORITHM;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (value_get(header, refused[i]))
			return TOKEN_E_ALGORITHM;
	return 0;
}

static const struct issuer *find_issuer(const struct issuer_table *issuers,
					const struct value *payload)
{
	for (size_t i = 0; i < issuers->n_issuers; i++)
		if (is_text(value_get(payload, "iss"), issuers->issuers[i].iss))
			return &issuers->issuers[i];
	return NULL;
}

static int check_signature(const struct issuer *issuer, const struct parts *parts)
{
	uint8_t signature[CRYPTO_SIGNATURE_MAX];
	size_t length;

	if (codec_base64url_decode(parts->signature, signature, sizeof(signature), &length))
		return TOKEN_E_FORM;
	if (issuer->is_profile_only)
		return 0;
	for (size_t i = 0; i < issuer->n_keys; i++) {
		int r = crypto_rs256_verify(issuer->keys[i], parts->signed_text,
					    (struct slice){ (const char *)signature, length });

		if (r <= 0)
			return r;
	}
	return TOKEN_E_SIGNATURE;
}

/* The signature of these very bytes, unless it is known to hold. */
static int check_once(const struct issuer_table *issuers, const struct issuer *issuer,
		      struct slice text, const struct parts *parts)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];
	int r;

	if (!issuers->known || issuer->is_profile_only)
		return check_signature(issuer, parts);
	if (known_has(issuers->known, issuer, text, hash))
		return 0;
	r = check_signature(issuer, parts);
	if (!r)
		known_add(issuers->known, issuer, hash);
	return r;
}

static bool read_time(const struct value *payload, const char *claim, double *ret_time)
{
	const struct value *value = value_get(payload, claim);

	if (!value_is(value, VALUE_INTEGER) && !value_is(value, VALUE_REAL))
		return false;
	*ret_time = value_number(value, NAN);
	return isfinite(*ret_time);
}

static int check_times(const struct value *payload, const struct issuer *issuer, double now)
{
	double exp, nbf, iat;

	if (!read_time(payload, "exp", &exp) || !read_time(payload, "nbf", &nbf) ||
	    !read_time(payload, "iat", &iat))
		return TOKEN_E_TIME;
	if (exp <= now || nbf > now + TOKEN_LEEWAY_S || iat > now + TOKEN_LEEWAY_S ||
	    exp - iat > (double)issuer->lifetime_max_s)
		return TOKEN_E_TIME;
	return 0;
}

/* A string, or an array of one: a token for several audiences could be another service's. */
static const struct issuer_client *find_client(const struct issuer *issuer,
					       const struct value *payload)
{
	const struct value *audience = value_get(payload, "aud");

	if (value_is(audience, VALUE_ARRAY))
		audience = value_count(audience) == 1 ? value_at(audience, 0) : NULL;
	for (size_t i = 0; i < issuer->n_clients; i++)
		if (is_text(audience, issuer->clients[i].id))
			return &issuer->clients[i];
	return NULL;
}

static int check_claims(const struct value *payload)
{
	if (value_text(value_get(payload, "jti")).length == 0 ||
	    !value_is(value_get(payload, "scopes"), VALUE_ARRAY))
		return TOKEN_E_CLAIMS;
	return 0;
}

/* MediaWiki signs its session cookies with the same key; `sxp` and `CAToken` tell them. */
static bool is_session(const struct value *header, const struct value *payload)
{
	static const char *const marks[] = { "sxp", "CAToken" };

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
		if (value_get(header, marks[i]) || value_get(payload, marks[i]))
			return true;
	return false;
}

/* The central id in a `sub`: ^[1-9][0-9]{0,18}$, or the same behind "mw:SCOPE:". */
bool token_read_subject(struct slice subject, const char *scope, struct slice *ret_id)
{
	size_t n = strlen(scope);

	if (!subject.at)
		return false;
	if (subject.length > n + 4 && memcmp(subject.at, "mw:", 3) == 0) {
		if (memcmp(subject.at + 3, scope, n) != 0 || subject.at[n + 3] != ':')
			return false;
		subject.at += n + 4;
		subject.length -= n + 4;
	}
	if (subject.length < 1 || subject.length > TOKEN_ID_MAX || subject.at[0] == '0')
		return false;
	for (size_t i = 0; i < subject.length; i++)
		if (subject.at[i] < '0' || subject.at[i] > '9')
			return false;
	*ret_id = subject;
	return true;
}

static int check_payload(struct arena *arena, const struct value *header,
			 const struct value *payload, const struct issuer *issuer, int64_t now_us,
			 struct token *ret_token)
{
	const struct issuer_client *client;
	struct slice id, jti;
	double ends = 0;
	int r;

	r = check_times(payload, issuer, (double)now_us / 1e6);
	if (r)
		return r;
	client = find_client(issuer, payload);
	if (!client)
		return TOKEN_E_AUDIENCE;
	r = check_claims(payload);
	if (r)
		return r;
	if (is_session(header, payload))
		return TOKEN_E_KIND;
	if (!token_read_subject(value_text(value_get(payload, "sub")), issuer->scope, &id))
		return TOKEN_E_SUBJECT;
	jti = value_text(value_get(payload, "jti"));
	(void)read_time(payload, "exp", &ends);
	id.at = arena_strndup(arena, id.at, id.length);
	jti.at = arena_memdup(arena, jti.at, jti.length);
	if (!id.at || !jti.at)
		return -ENOMEM;
	*ret_token = (struct token){ issuer, client, id, jti, (int64_t)ends };
	return 0;
}

/**
 * token_check() - whether a bearer token holds, and for whom
 * @ret_token: borrows the issuer table; the id is in @arena
 *
 * The order is that of the API's documentation: form, algorithm, issuer, signature, times,
 * audience, claims, kind, subject. Return: 0, TOKEN_E_…, or negative.
 */
int token_check(struct arena *arena, const struct issuer_table *issuers, struct slice text,
		int64_t now_us, struct token *ret_token)
{
	CLEANUP(value_freep) struct value *header = NULL;
	CLEANUP(value_freep) struct value *payload = NULL;
	const struct issuer *issuer;
	struct parts parts;
	int r;

	if (text.length > TOKEN_SIZE_MAX || !split(text, &parts))
		return TOKEN_E_FORM;
	r = read_part(parts.header, &header);
	if (!r)
		r = read_part(parts.payload, &payload);
	if (!r)
		r = check_header(header);
	if (r)
		return r;
	issuer = find_issuer(issuers, payload);
	if (!issuer)
		return TOKEN_E_ISSUER;
	r = check_once(issuers, issuer, text, &parts);
	if (r)
		return r;
	return check_payload(arena, header, payload, issuer, now_us, ret_token);
}
