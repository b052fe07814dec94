#pragma once
/* Sessions: opaque secrets, what the database holds of them, and what only their holder opens. */

#include "daemon/base/arena.h"

enum {
	SESSION_SECRET_SIZE = 32,
	SESSION_HASH_SIZE = 32,
	SESSION_TEXT_SIZE = 44, /* a secret as text, with its NUL */
	SESSION_LIFE_S = 8 * 3600,
};

#define SESSION_BEARER_PREFIX "cd_"

enum { SESSION_E_MALFORMED = 1 };

/* Which of the three it is: a secret of one kind is nothing as another. */
enum session_kind { SESSION_COOKIE, SESSION_CODE, SESSION_BEARER };

struct session_secret {
	uint8_t bytes[SESSION_SECRET_SIZE];
};

/* What is sealed: whose session it is, and the wiki's token that vouches for it. */
struct session_content {
	struct slice iss;
	struct slice id;    /* central id, digits */
	struct slice token; /* empty under the demo issuer */
	int64_t ends_s;     /* when the token ends, since 1970 */
};

const char *session_kind_name(enum session_kind kind);
int session_secret_new(struct session_secret *ret_secret);
int session_secret_read(struct slice text, struct session_secret *ret_secret);
void session_secret_write(const struct session_secret *secret, char ret_text[SESSION_TEXT_SIZE]);
int session_secret_hash(const struct session_secret *secret, uint8_t ret_hash[SESSION_HASH_SIZE]);
void session_secret_deinit(struct session_secret *secret); /* wipes it; for CLEANUP() */

int session_seal(struct arena *arena, const struct session_secret *secret, enum session_kind kind,
		 const struct session_content *content, struct slice *ret_sealed);
int session_unseal(struct arena *arena, const struct session_secret *secret, enum session_kind kind,
		   struct slice hex, struct session_content *ret_content);
