/*
 * What the vault and its readers take from others: requests of a process that was taken over, key
 * files, escrow shares as people type them, and sealed values out of the database. Nothing opens
 * that was not sealed here, and what is read is written again byte for byte.
 *
 * The first byte says what the rest is.
 */

#include "tests/fuzz/fuzz.h"

#include "daemon/crypto/crypto.h"
#include "daemon/keys/envelope.h"
#include "daemon/keys/escrow.h"
#include "daemon/keys/public_file.h"
#include "daemon/keys/vault_server.h"

#include <stdlib.h>
#include <string.h>

enum { KINDS = 9 };

/* Made once from random keys, so no committed input is ever a right one. */
static struct vault_server *server;
static struct vault_keys keys;

static bool make_server(void)
{
	static const uint8_t deployment[KEYS_ID_SIZE] = "deployment";
	const struct vault_quota_limits limits = { .cases_person = 5, .cases_host = 9 };

	if (server)
		return true;
	if (vault_keys_new(deployment, "host", &keys))
		return false;
	if (vault_server_new(&limits, &server))
		return false;
	return vault_server_set_keys(server, &keys) == 0;
}

static void try_request(struct slice payload)
{
	static const uint8_t nobody[IPC_VAULT_ID_SIZE];
	static uint8_t reply[IPC_VAULT_OPENED_MAX];
	static int64_t now_ms;
	struct vault_report report;
	uint32_t retry_after_s = 0;
	size_t length = 0, n_units = 0;
	int r;

	now_ms += 7 * 60 * 1000;
	r = vault_server_open(server, now_ms, false, payload, reply, &length, &report);
	NOT_NEGATIVE(r, out);
	if (r == VAULT_SERVER_E_FORBIDDEN)
		PROPERTY(memcmp(payload.at, nobody, sizeof(nobody)) == 0);
	if (r)
		goto out;
	PROPERTY(report.n_opened == 0);
	PROPERTY(ipc_vault_read_opened((struct slice){ (char *)reply, length }, &retry_after_s,
				       &n_units) == 0);
	PROPERTY(sizeof(struct ipc_vault_ask) + n_units * sizeof(struct ipc_vault_unit) ==
		 payload.length);
	PROPERTY((report.refusal != 0) == (retry_after_s != 0));
	for (size_t i = 0; i < n_units; i++) {
		struct ipc_vault_opened opened;

		ipc_vault_get_opened((struct slice){ (char *)reply, length }, i, &opened);
		PROPERTY(opened.outcome != IPC_VAULT_OPENED);
		PROPERTY((opened.outcome == IPC_VAULT_QUOTA) == (report.refusal != 0));
	}
out:
	return;
}

static void try_checkpoint(struct slice text)
{
	uint8_t signature[IPC_VAULT_SIGNATURE_SIZE];
	int r = vault_server_sign(server, true, text, signature);

	NOT_NEGATIVE(r, out);
	if (r == 0)
		PROPERTY(text.length >= 6 && text.at[text.length - 1] == '\n' &&
			 !memchr(text.at, '\0', text.length));
out:
	return;
}

static void try_public(struct slice text)
{
	char again[PUBLIC_FILE_TEXT_MAX];
	struct public_keys read;

	if (public_file_read(text, &read))
		return;
	public_file_write(&read, again);
	PROPERTY(strlen(again) == text.length && memcmp(again, text.at, text.length) == 0);
}

static void try_keys(struct slice bytes)
{
	uint8_t again[VAULT_KEYS_BYTES_MAX];
	struct vault_keys read;
	size_t length;
	int r = vault_keys_read(bytes, &read);

	NOT_NEGATIVE(r, out);
	if (r)
		goto out;
	length = vault_keys_write(&read, again);
	PROPERTY(length == bytes.length && memcmp(again, bytes.at, length) == 0);
	PROPERTY(vault_keys_find(&read, vault_keys_newest(&read)->key_id));
out:
	return;
}

static void try_file(struct slice text)
{
	static const uint8_t master[VAULT_MASTER_SIZE] = "no file's";
	struct vault_file read;
	int r = vault_file_read_with_master(text, master, &read);

	NOT_NEGATIVE(r, out);
	PROPERTY(r == VAULT_FILE_E_MALFORMED || r == VAULT_FILE_E_MASTER);
out:
	return;
}

static void try_shares(struct slice text)
{
	struct slice lines[ESCROW_SHARES + 1];
	uint8_t master[VAULT_MASTER_SIZE];
	size_t n = 0, bad = 0;
	int r;

	while (text.length && n < ARRAY_SIZE(lines)) {
		const char *end = memchr(text.at, '\n', text.length);
		size_t length = end ? (size_t)(end - text.at) + 1 : text.length;

		lines[n++] = (struct slice){ text.at, length };
		text = (struct slice){ text.at + length, text.length - length };
	}
	r = escrow_join(lines, n, master, &bad);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0 || r == ESCROW_E_MALFORMED || r == ESCROW_E_SET);
	PROPERTY(r != ESCROW_E_MALFORMED || bad < n);
	PROPERTY(r || (n >= ESCROW_THRESHOLD && n <= ESCROW_SHARES));
out:
	return;
}

static void try_sealed(struct slice sealed)
{
	const struct envelope_place place = { keys.deployment, keys.deployment, { "kind", 4 } };
	struct unit_key key = { .generation = 1 };
	uint32_t generation = 0;
	char *text = malloc(sealed.length + 1);
	size_t length;
	int r;

	if (!text) {
		PROPERTY(fuzz_has_fault());
		return;
	}
	if (envelope_read_generation(sealed, &generation) == 0) {
		PROPERTY(generation > 0);
		key.generation = generation;
	}
	r = envelope_open(&key, &place, sealed, text, &length);
	NOT_NEGATIVE(r, out);
	PROPERTY((r == ENVELOPE_E_UNKNOWN) == (generation == 0) && r != 0);
	r = stanza_channel_open(keys.deployment, keys.deployment, keys.deployment, sealed, &key);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == STANZA_E_BROKEN);
out:
	free(text);
}

/* A whole way, with keys of its own: the file, its shares, and a stanza. */
static void try_vault(const uint8_t id[KEYS_ID_SIZE], struct vault_file *file,
		      struct vault_file *again)
{
	static const struct crypto_scrypt_cost cheap = { 1, 1, 1 };
	static const struct slice passphrase = { "a passphrase", 12 };
	static struct stanza_sender sender;
	char text[VAULT_FILE_TEXT_MAX], shares[ESCROW_SHARES][ESCROW_TEXT_SIZE];
	uint8_t blob[STANZA_VAULT_SIZE];
	struct unit_key key;
	int r = vault_keys_new(id, "host", &file->keys);

	NOT_NEGATIVE(r, out);
	r = vault_file_write(file, passphrase, &cheap, text);
	NOT_NEGATIVE(r, out);
	r = vault_file_read((struct slice){ text, strlen(text) }, passphrase, again);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0 && memcmp(again, file, sizeof(*file)) == 0);
	r = escrow_split(file->master, shares);
	NOT_NEGATIVE(r, out);
	r = unit_key_new(id, 1, &key);
	NOT_NEGATIVE(r, out);
	stanza_sender_deinit(&sender);
	r = stanza_seal(&sender, vault_keys_newest(&file->keys), 0, &key, blob);
	NOT_NEGATIVE(r, out);
out:
	return;
}

/* Made and put away again. */
static void try_server(struct slice text)
{
	const struct vault_quota_limits limits = { 1, 1 };
	struct vault_server *own = NULL;
	int r = vault_server_new(&limits, &own);

	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0 && own);
out:
	PROPERTY(vault_server_free(own) == NULL);
}

static void try_ways(struct slice text)
{
	static uint8_t id[KEYS_ID_SIZE] = "id";
	const struct envelope_place place = { id, id, { "kind", 4 } };
	struct unit_key key = { .generation = 1 }, channel;
	struct vault_file file = { .master = { 1 } }, again = { .master = { 0 } };
	uint8_t blob[STANZA_CHANNEL_SIZE];
	size_t size = envelope_size(text.length), length = 0;
	char *envelope = malloc(size + 1), *opened = malloc(size + 1);
	int r;

	try_vault(id, &file, &again);
	r = envelope && opened ? 0 : -ENOMEM;
	NOT_NEGATIVE(r, out);
	r = unit_key_derive_channel(&key, id, &channel);
	NOT_NEGATIVE(r, out);
	r = stanza_channel_seal(id, id, id, &channel, blob);
	NOT_NEGATIVE(r, out);
	r = stanza_channel_open(id, id, id, (struct slice){ (char *)blob, sizeof(blob) }, &channel);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0);
	r = envelope_seal(&key, &place, text, envelope);
	NOT_NEGATIVE(r, out);
	r = envelope_open(&key, &place, (struct slice){ envelope, size }, opened, &length);
	NOT_NEGATIVE(r, out);
	PROPERTY(r == 0 && length == text.length && memcmp(opened, text.at, length) == 0);
out:
	free(envelope);
	free(opened);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static void (*const tries[KINDS])(
		struct slice) = { try_request, try_checkpoint, try_public, try_keys,  try_file,
				  try_shares,  try_sealed,     try_ways,   try_server };

	if (!make_server()) {
		PROPERTY(fuzz_has_fault());
		return 0;
	}
	if (size > 0)
		tries[bytes[0] % KINDS]((struct slice){ (const char *)bytes + 1, size - 1 });
	return 0;
}
