#pragma once
/* Idempotency-Key: the header's form, and what is stored of it (never the key itself). */

#include "daemon/base/error.h"

enum idempotency_state { IDEMPOTENCY_ABSENT, IDEMPOTENCY_MALFORMED, IDEMPOTENCY_PRESENT };

enum { IDEMPOTENCY_KEY_MIN = 22, IDEMPOTENCY_KEY_MAX = 128, IDEMPOTENCY_HASH_SIZE = 32 };

/* `header.at` NULL: absent. *ret_key is the key without quotes, borrowed from the header. */
enum idempotency_state idempotency_read(struct slice header, struct slice *ret_key);

/* Where a key counts: the subject (account index or receipt hash; empty when anonymous, then the
 * key stands in), the route as "POST /v1/…", the path parameters, and the key. */
int idempotency_scope(struct slice key, struct slice subject, const char *route,
		      const struct slice *params, size_t n_params,
		      uint8_t ret_scope[IDEMPOTENCY_HASH_SIZE]);
/* HMAC of the body under HKDF(key): tells "same body" without keeping the body. */
int idempotency_mac(struct slice key, struct slice body, uint8_t ret_mac[IDEMPOTENCY_HASH_SIZE]);
