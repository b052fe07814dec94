/*
 * Sealing the keys of a vault for the disk. The master key stands between passphrase and keys, so
 * that another passphrase, or shares held by five people, need no second copy of the keys.
 * Everything in the first two lines is authenticated with the master key: nobody lowers the cost
 * unseen.
 */

#include "daemon/keys/vault_file.h"
#include "daemon/base/codec.h"
#include "daemon/crypto/seal.h"

#include <stdio.h>
#include <string.h>

enum { SALT_SIZE = 16, WRAPPED_SIZE = VAULT_MASTER_SIZE + SEAL_OVERHEAD };

static const char magic[] = "conductd vault 1\n";
static const char keys_context[] = "conductd vault keys 1";

/* The parts of the text; what is sealed is decoded. */
struct parsed {
	struct slice head; /* the first two lines, with their ends */
	struct crypto_scrypt_cost cost;
	uint8_t salt[SALT_SIZE];
	uint8_t wrapped[WRAPPED_SIZE];
	uint8_t sealed[VAULT_KEYS_BYTES_MAX + SEAL_OVERHEAD];
	size_t n_sealed;
};

static struct slice bytes_of(const void *bytes, size_t length)
{
	return (struct slice){ bytes, length };
}

struct crypto_scrypt_cost vault_file_cost_of(struct slice passphrase)
{
	uint8_t bytes[VAULT_MASTER_SIZE];
	size_t length = 0;
	bool is_random = codec_hex_decode(passphrase, bytes, sizeof(bytes), &length) == 0 &&
			 length == sizeof(bytes);

	crypto_wipe(bytes, sizeof(bytes));
	return (struct crypto_scrypt_cost){ .log2_cost = is_random ? 10 : 17,
					    .block = 8,
					    .lanes = 1 };
}

void vault_file_deinit(struct vault_file *file)
{
	crypto_wipe(file, sizeof(*file));
}

/* "master HEX\n" behind what is there. */
static void line_append(char *text, const char *name, const void *bytes, size_t length)
{
	char *at = text + strlen(text);

	at = stpcpy(stpcpy(at, name), " ");
	at += codec_hex_encode(at, bytes, length);
	(void)strcpy(at, "\n");
}

/* Seals under the passphrase; a fresh salt each time. */
int vault_file_write(const struct vault_file *file, struct slice passphrase,
		     const struct crypto_scrypt_cost *cost, char ret_text[VAULT_FILE_TEXT_MAX])
{
	uint8_t salt[SALT_SIZE], wrapping[SEAL_KEY_SIZE] = { 0 }, wrapped[WRAPPED_SIZE];
	uint8_t plain[VAULT_KEYS_BYTES_MAX], sealed[sizeof(plain) + SEAL_OVERHEAD];
	size_t length = vault_keys_write(&file->keys, plain);
	char *text = ret_text;
	int r = crypto_random(salt, sizeof(salt));

	if (r == 0)
		r = crypto_scrypt(passphrase, bytes_of(salt, sizeof(salt)), cost, wrapping);
	(void)snprintf(text, VAULT_FILE_TEXT_MAX, "%sscrypt %u %u %u ", magic, cost->log2_cost,
		       cost->block, cost->lanes);
	codec_hex_encode(text + strlen(text), salt, sizeof(salt));
	strcat(text, "\n");
	if (r == 0)
		r = crypto_seal(wrapping, bytes_of(text, strlen(text)),
				bytes_of(file->master, VAULT_MASTER_SIZE), wrapped);
	if (r == 0)
		r = crypto_seal(file->master, bytes_of(keys_context, sizeof(keys_context) - 1),
				bytes_of(plain, length), sealed);
	if (r == 0) {
		line_append(text, "master", wrapped, sizeof(wrapped));
		line_append(text, "keys", sealed, length + SEAL_OVERHEAD);
	}
	crypto_wipe(wrapping, sizeof(wrapping));
	crypto_wipe(plain, sizeof(plain));
	return r;
}

/* Takes "NAME VALUE\n" off the front. */
static bool line_take(struct slice *rest, const char *name, struct slice *ret_value)
{
	const char *end = memchr(rest->at, '\n', rest->length);
	size_t n_name = strlen(name), length;

	if (!end)
		return false;
	length = (size_t)(end - rest->at);
	if (length <= n_name || memcmp(rest->at, name, n_name) != 0 || rest->at[n_name] != ' ')
		return false;
	*ret_value = (struct slice){ rest->at + n_name + 1, length - n_name - 1 };
	rest->at += length + 1;
	rest->length -= length + 1;
	return true;
}

static bool hex_read(struct slice text, void *ret_bytes, size_t size, size_t *ret_length)
{
	return codec_hex_decode(text, ret_bytes, size, ret_length) == 0;
}

/* A decimal number below 256 and the space behind it. */
static bool number_take(struct slice *rest, uint8_t *ret_number)
{
	unsigned number = 0;
	size_t n = 0;

	while (n < rest->length && n < 3 && rest->at[n] >= '0' && rest->at[n] <= '9')
		number = number * 10 + (unsigned)(rest->at[n++] - '0');
	if (n == 0 || n == rest->length || rest->at[n] != ' ' || number > 255)
		return false;
	*ret_number = (uint8_t)number;
	rest->at += n + 1;
	rest->length -= n + 1;
	return true;
}

static bool text_parse(struct slice text, struct parsed *ret_parsed)
{
	struct slice rest = text, value;
	size_t length;

	if (text.length < sizeof(magic) - 1 || memcmp(text.at, magic, sizeof(magic) - 1) != 0)
		return false;
	rest.at += sizeof(magic) - 1;
	rest.length -= sizeof(magic) - 1;
	if (!line_take(&rest, "scrypt", &value) ||
	    !number_take(&value, &ret_parsed->cost.log2_cost) ||
	    !number_take(&value, &ret_parsed->cost.block) ||
	    !number_take(&value, &ret_parsed->cost.lanes) ||
	    !crypto_scrypt_is_sane(&ret_parsed->cost) ||
	    !hex_read(value, ret_parsed->salt, SALT_SIZE, &length) || length != SALT_SIZE)
		return false;
	ret_parsed->head = (struct slice){ text.at, (size_t)(rest.at - text.at) };
	if (!line_take(&rest, "master", &value) ||
	    !hex_read(value, ret_parsed->wrapped, WRAPPED_SIZE, &length) || length != WRAPPED_SIZE)
		return false;
	return line_take(&rest, "keys", &value) && rest.length == 0 &&
	       hex_read(value, ret_parsed->sealed, sizeof(ret_parsed->sealed),
			&ret_parsed->n_sealed) &&
	       ret_parsed->n_sealed > SEAL_OVERHEAD;
}

static int keys_open(const struct parsed *parsed, const uint8_t *master,
		     struct vault_keys *ret_keys)
{
	uint8_t plain[VAULT_KEYS_BYTES_MAX];
	int r = crypto_open(master, bytes_of(keys_context, sizeof(keys_context) - 1),
			    bytes_of(parsed->sealed, parsed->n_sealed), plain);

	if (r > 0)
		return VAULT_FILE_E_MASTER;
	if (r == 0)
		r = vault_keys_read(bytes_of(plain, parsed->n_sealed - SEAL_OVERHEAD), ret_keys);
	crypto_wipe(plain, sizeof(plain));
	return r > 0 ? VAULT_FILE_E_MALFORMED : r;
}

/* Returns 0, VAULT_FILE_E_MALFORMED or VAULT_FILE_E_PASSPHRASE, or negative. */
int vault_file_read(struct slice text, struct slice passphrase, struct vault_file *ret_file)
{
	CLEANUP(vault_file_deinit) struct vault_file file = { .keys = { .n_intake = 0 } };
	uint8_t wrapping[SEAL_KEY_SIZE];
	struct parsed parsed;
	int r;

	if (!text_parse(text, &parsed))
		return VAULT_FILE_E_MALFORMED;
	if (passphrase.length == 0)
		return VAULT_FILE_E_PASSPHRASE;
	r = crypto_scrypt(passphrase, bytes_of(parsed.salt, SALT_SIZE), &parsed.cost, wrapping);
	if (r)
		return r;
	r = crypto_open(wrapping, parsed.head, bytes_of(parsed.wrapped, WRAPPED_SIZE), file.master);
	crypto_wipe(wrapping, sizeof(wrapping));
	if (r)
		return r > 0 ? VAULT_FILE_E_PASSPHRASE : r;
	r = keys_open(&parsed, file.master, &file.keys);
	if (r == 0)
		*ret_file = file;
	return r > 0 ? VAULT_FILE_E_MALFORMED : r;
}

/* Returns 0, VAULT_FILE_E_MALFORMED or VAULT_FILE_E_MASTER, or negative. */
int vault_file_read_with_master(struct slice text, const uint8_t master[VAULT_MASTER_SIZE],
				struct vault_file *ret_file)
{
	CLEANUP(vault_file_deinit) struct vault_file file = { .keys = { .n_intake = 0 } };
	struct parsed parsed;
	int r;

	if (!text_parse(text, &parsed))
		return VAULT_FILE_E_MALFORMED;
	memcpy(file.master, master, VAULT_MASTER_SIZE);
	r = keys_open(&parsed, master, &file.keys);
	if (r == 0)
		*ret_file = file;
	return r;
}
