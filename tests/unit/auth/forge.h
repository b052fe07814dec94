#pragma once
/* Makes tokens, honest and forged, for the tests of api/auth. Keys are made once a suite. */

#include "api/auth/token.h"
#include "daemon/base/buffer.h"

enum { FORGE_NOW_S = 1800000000 };

#define FORGE_HEADER "{\"typ\":\"JWT\",\"alg\":\"RS256\"}"
/* An honest payload, cut open where tests put their own claims. */
#define FORGE_ISS "\"iss\":\"https://demo.example\""
#define FORGE_AUD "\"aud\":\"full-client\""
#define FORGE_JTI "\"jti\":\"abc\""
#define FORGE_TIMES "\"iat\":1799999000.25,\"nbf\":1799999000.25,\"exp\":1800003000.75"
#define FORGE_SUB "\"sub\":\"42\""
#define FORGE_SCOPES "\"scopes\":[\"basic\"]"
#define FORGE_PAYLOAD \
	"{" FORGE_AUD "," FORGE_JTI "," FORGE_TIMES "," FORGE_SUB "," FORGE_ISS "," FORGE_SCOPES "}"

struct forge {
	struct crypto_key *key, *second, *foreign;
	struct issuer_client clients[2];
	struct issuer issuer;
	struct issuer_table issuers;
};

void forge_init(struct forge *forge);
void forge_deinit(struct forge *forge);
/* header.payload.signature by RS256 with `key`; the buffer is replaced. */
void forge_token(const struct crypto_key *key, const char *header, const char *payload,
		 struct buffer *ret_token);
void forge_part(struct buffer *buffer, const void *bytes, size_t length); /* base64url */
