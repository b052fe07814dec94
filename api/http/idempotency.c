/*
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a structured string or the bare key.
 * The database stores hashes only: who stole it can neither replay a request nor test a body.
 */

#include "api/http/idempotency.h"
#include "daemon/crypto/crypto.h"

#include <string.h>

static bool is_key_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '_';
}

/* At least 22 characters of base64url (128 bits), 32 hex digits, or a UUID: all are of one
 * alphabet, so length is what counts. Quotes come in pairs. */
enum idempotency_state idempotency_read(struct slice header, struct slice *ret_key)
{
	if (!header.at)
		return IDEMPOTENCY_ABSENT;
	if (header.length >= 2 && header.at[0] == '"' && header.at[header.length - 1] == '"') {
		header.at++;
		header.length -= 2;
	}
	if (header.length < IDEMPOTENCY_KEY_MIN || header.length > IDEMPOTENCY_KEY_MAX)
		return IDEMPOTENCY_MALFORMED;
	for (size_t i = 0; i < header.length; i++)
		if (!is_key_char(header.at[i]))
			return IDEMPOTENCY_MALFORMED;
	*ret_key = header;
	return IDEMPOTENCY_PRESENT;
}

/* SHA-256 of subject, route, parameters and key, each behind its length, so that no two scopes read
 * as the same bytes. */
int idempotency_scope(struct slice key, struct slice subject, const char *route,
		      const struct slice *params, size_t n_params,
		      uint8_t ret_scope[IDEMPOTENCY_HASH_SIZE])
{
	enum { PIECES_MAX = 16 };
	struct slice pieces[PIECES_MAX], parts[2 * PIECES_MAX];
	uint32_t lengths[PIECES_MAX];
	size_t n = 0;

	if (n_params > PIECES_MAX - 3)
		return -EINVAL;
	pieces[n++] = subject.length ? subject : key;
	pieces[n++] = (struct slice){ route, strlen(route) };
	for (size_t i = 0; i < n_params; i++)
		pieces[n++] = params[i];
	pieces[n++] = key;
	for (size_t i = 0; i < n; i++) {
		lengths[i] = (uint32_t)pieces[i].length;
		parts[2 * i] = (struct slice){ (const char *)&lengths[i], sizeof(lengths[i]) };
		parts[2 * i + 1] = pieces[i];
	}
	return crypto_sha256_parts(parts, 2 * n, ret_scope);
}

/* Trailing spaces are padding, not content: a retry may pad otherwise. */
int idempotency_mac(struct slice key, struct slice body, uint8_t ret_mac[IDEMPOTENCY_HASH_SIZE])
{
	static const char info[] = "conductd idempotency body v1";
	uint8_t mac_key[CRYPTO_SHA256_SIZE];
	int r;

	while (body.length && body.at[body.length - 1] == ' ')
		body.length--;
	r = crypto_hkdf_sha256(key, (struct slice){ "", 0 },
			       (struct slice){ info, sizeof(info) - 1 }, mac_key, sizeof(mac_key));
	if (r >= 0)
		r = crypto_hmac_sha256((struct slice){ (const char *)mac_key, sizeof(mac_key) },
				       &body, 1, ret_mac);
	crypto_wipe(mac_key, sizeof(mac_key));
	return r;
}
