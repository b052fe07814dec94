#pragma once
/* Wiki access tokens: Extension:OAuth 2.0 JWTs, RS256 alone. */

#include "api/auth/issuer.h"
#include "daemon/base/arena.h"

enum { TOKEN_SIZE_MAX = 4096, TOKEN_LEEWAY_S = 30, TOKEN_ID_MAX = 19 };

/* Why a token does not hold, in the order of the checks. Clients are never told. */
enum {
	TOKEN_E_FORM = 1,  /* size, three parts, base64url, JSON, duplicate members */
	TOKEN_E_ALGORITHM, /* alg, or a header that brings its own key or rules */
	TOKEN_E_ISSUER,
	TOKEN_E_SIGNATURE,
	TOKEN_E_TIME,
	TOKEN_E_AUDIENCE,
	TOKEN_E_CLAIMS, /* jti or scopes missing */
	TOKEN_E_KIND,   /* a session cookie's token: same key, other purpose */
	TOKEN_E_SUBJECT,
};

struct token {
	const struct issuer *issuer;
	const struct issuer_client *client;
	struct slice id;  /* central id: digits, in the arena */
	struct slice jti; /* in the arena */
	int64_t ends_s;   /* since 1970 */
};

/* 0, TOKEN_E_…, or negative. `now_us`: since 1970. Of a profile-only issuer the signature is not
 * looked at: nothing of the token is proved before its wiki has been asked. */
int token_check(struct arena *arena, const struct issuer_table *issuers, struct slice text,
		int64_t now_us, struct token *ret_token);
/* `sub` as digits or mw:SCOPE:digits; false: neither. */
bool token_read_subject(struct slice subject, const char *scope, struct slice *ret_id);
