/* What is the same for everybody is rendered once and sent from one place. */

#include "api/http/shared.h"
#include "daemon/base/codec.h"
#include "daemon/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

enum { TAG_BYTES = 16 };

int shared_new(struct slice bytes, struct shared **ret_shared)
{
	struct shared *shared = malloc(sizeof(*shared) + bytes.length + 1);
	uint8_t hash[CRYPTO_SHA256_SIZE];
	char *at;
	int r;

	if (!shared)
		return -ENOMEM;
	r = crypto_sha256(bytes, hash);
	if (r < 0) {
		free(shared);
		return r;
	}
	at = (char *)(shared + 1);
	memcpy(at, bytes.at, bytes.length);
	at[bytes.length] = '\0';
	*shared = (struct shared){ .n_references = 1, .bytes = { at, bytes.length } };
	codec_hex_encode(shared->tag, hash, TAG_BYTES);
	*ret_shared = shared;
	return 0;
}

struct shared *shared_ref(struct shared *shared)
{
	shared->n_references++;
	return shared;
}

struct shared *shared_unref(struct shared *shared)
{
	if (shared && --shared->n_references == 0)
		free(shared);
	return NULL;
}
