/* Makes tokens, honest and forged. */

#include "tests/unit/auth/forge.h"
#include "daemon/base/codec.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Two keys of the issuer and one of somebody else. */
void forge_init(struct forge *forge)
{
	ck_assert_int_eq(crypto_key_generate(&forge->key), 0);
	ck_assert_int_eq(crypto_key_generate(&forge->second), 0);
	ck_assert_int_eq(crypto_key_generate(&forge->foreign), 0);
	forge->clients[0] = (struct issuer_client){ "full-client", true };
	forge->clients[1] = (struct issuer_client){ "gadget", false };
	forge->issuer = (struct issuer){
		.iss = "https://demo.example",
		.scope = "CentralAuth",
		.is_demo = true,
		.clients = forge->clients,
		.n_clients = 2,
		.keys = { forge->key, forge->second },
		.n_keys = 2,
		.lifetime_max_s = 14400,
	};
	forge->issuers = (struct issuer_table){ .issuers = &forge->issuer, .n_issuers = 1 };
}

void forge_deinit(struct forge *forge)
{
	crypto_key_free(forge->key);
	crypto_key_free(forge->second);
	crypto_key_free(forge->foreign);
}

void forge_part(struct buffer *buffer, const void *bytes, size_t length)
{
	char *text = malloc(4 * length / 3 + 4);

	codec_base64url_encode(text, bytes, length);
	buffer_append_text(buffer, text);
	free(text);
}

void forge_token(const struct crypto_key *key, const char *header, const char *payload,
		 struct buffer *ret_token)
{
	uint8_t signature[CRYPTO_SIGNATURE_MAX];
	size_t length;

	buffer_clear(ret_token);
	forge_part(ret_token, header, strlen(header));
	buffer_append_char(ret_token, '.');
	forge_part(ret_token, payload, strlen(payload));
	ck_assert_int_eq(crypto_rs256_sign(key, (struct slice){ ret_token->at, ret_token->length },
					   signature, &length),
			 0);
	buffer_append_char(ret_token, '.');
	forge_part(ret_token, signature, length);
}
