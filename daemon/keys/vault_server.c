/*
 * Opening and signing. The private keys lie in a mapping of their own: locked, left out of core
 * dumps and gone from a fork. A context of a key agreement is kept for the next stanzas with the
 * same `enc`, because web seals a minute's reports in one; the places are few and of fixed size.
 */

#include "daemon/keys/vault_server.h"
#include "daemon/crypto/crypto.h"
#include "daemon/keys/stanza.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CONTEXTS = 256 };

struct context {
	bool is_filled;
	uint32_t key_id;
	uint8_t enc[HPKE_ENC_SIZE];
	struct hpke hpke;
};

/* What must not leave the memory. */
struct secrets {
	struct vault_keys keys;
	struct context contexts[CONTEXTS];
	struct stanza_sender sender; /* for what is sealed again */
};

struct vault_server {
	struct secrets *secrets;
	struct vault_quota *quota;
};

_Static_assert((int)IPC_VAULT_BLOB_SIZE == (int)STANZA_VAULT_SIZE, "a blob is a stanza");
_Static_assert((int)IPC_VAULT_ID_SIZE == (int)KEYS_ID_SIZE, "ids are ids");
_Static_assert((int)IPC_VAULT_SIGNATURE_SIZE == (int)ED25519_SIGNATURE_SIZE, "of Ed25519");
_Static_assert((int)IPC_VAULT_KEYS_MAX == (int)VAULT_INTAKE_MAX, "all keys are listed");

static int secrets_new(struct secrets **ret_secrets)
{
	struct secrets *secrets = mmap(NULL, sizeof(*secrets), PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r;

	if (secrets == MAP_FAILED)
		return -errno;
	if (mlock(secrets, sizeof(*secrets)) < 0 ||
	    madvise(secrets, sizeof(*secrets), MADV_DONTDUMP) < 0 ||
	    madvise(secrets, sizeof(*secrets), MADV_WIPEONFORK) < 0) {
		r = -errno;
		(void)munmap(secrets, sizeof(*secrets));
		return r;
	}
	*ret_secrets = secrets;
	return 0;
}

/* Returns 0 or negative: -ENOMEM or -EPERM also where so little memory may not be locked. */
int vault_server_new(const struct vault_quota_limits *limits, struct vault_server **ret_server)
{
	struct vault_server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	r = secrets_new(&server->secrets);
	if (r < 0) {
		free(server);
		return r;
	}
	r = vault_quota_new(limits, &server->quota);
	if (r < 0) {
		vault_server_free(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

struct vault_server *vault_server_free(struct vault_server *server)
{
	if (!server)
		return NULL;
	crypto_wipe(server->secrets, sizeof(*server->secrets));
	(void)munmap(server->secrets, sizeof(*server->secrets));
	vault_quota_free(server->quota);
	free(server);
	return NULL;
}

/* Returns 0 or negative. */
int vault_server_set_keys(struct vault_server *server, const struct vault_keys *keys)
{
	crypto_wipe(server->secrets, sizeof(*server->secrets));
	server->secrets->keys = *keys;
	return 0;
}

/* The context of a stanza: kept from before, or agreed upon now. */
static int context_find(struct vault_server *server, const struct ipc_vault_unit *unit,
			const struct hpke **ret_hpke)
{
	const struct vault_intake *intake = vault_keys_find(&server->secrets->keys, unit->key_id);
	struct context *context = &server->secrets->contexts[unit->blob[0] % CONTEXTS];
	const struct slice blob = { (const char *)unit->blob, sizeof(unit->blob) };
	int r;

	if (!intake)
		return IPC_VAULT_NO_KEY;
	if (!context->is_filled || context->key_id != unit->key_id ||
	    memcmp(context->enc, unit->blob, HPKE_ENC_SIZE) != 0) {
		context->is_filled = false;
		r = stanza_recipient_init(&context->hpke, &intake->public_part, intake->key, blob);
		if (r)
			return r > 0 ? IPC_VAULT_BROKEN : r;
		memcpy(context->enc, unit->blob, HPKE_ENC_SIZE);
		context->key_id = unit->key_id;
		context->is_filled = true;
	}
	*ret_hpke = &context->hpke;
	return 0;
}

/* Returns an enum ipc_vault_outcome or negative. */
static int unit_open(struct vault_server *server, const struct ipc_vault_unit *unit,
		     uint8_t ret_key[IPC_VAULT_KEY_SIZE])
{
	CLEANUP(unit_key_deinit) struct unit_key key = { .generation = unit->generation };
	const struct slice blob = { (const char *)unit->blob, sizeof(unit->blob) };
	const struct hpke *hpke = NULL;
	int r = context_find(server, unit, &hpke);

	if (r)
		return r;
	memcpy(key.unit_id, unit->unit_id, KEYS_ID_SIZE);
	r = stanza_open(hpke, server->secrets->keys.deployment, blob, &key);
	if (r)
		return r > 0 ? IPC_VAULT_BROKEN : r;
	memcpy(ret_key, key.bytes, sizeof(key.bytes));
	return IPC_VAULT_OPENED;
}

/* Counts the case; the zero person is the worker's own. */
static int quota_take(struct vault_server *server, int64_t now_ms, struct slice payload,
		      const struct ipc_vault_ask *ask, size_t n_units, uint32_t *ret_retry_after_s)
{
	uint8_t unit_ids[IPC_VAULT_UNITS_MAX][KEYS_ID_SIZE];
	struct ipc_vault_unit unit;

	for (size_t i = 0; i < n_units; i++) {
		ipc_vault_get_unit(payload, i, &unit);
		memcpy(unit_ids[i], unit.unit_id, KEYS_ID_SIZE);
	}
	return vault_quota_take(server->quota, now_ms, ask->person, ask->case_id,
				(const uint8_t(*)[KEYS_ID_SIZE])unit_ids, n_units,
				ret_retry_after_s);
}

static bool is_nobody(const uint8_t person[IPC_VAULT_ID_SIZE])
{
	static const uint8_t nobody[IPC_VAULT_ID_SIZE];

	return memcmp(person, nobody, sizeof(nobody)) == 0;
}

/* Returns 0, VAULT_SERVER_E_…, or negative: then there is no reply. */
int vault_server_open(struct vault_server *server, int64_t now_ms, bool is_worker,
		      struct slice payload, uint8_t ret_reply[IPC_VAULT_OPENED_MAX],
		      size_t *ret_length, struct vault_report *ret_report)
{
	struct ipc_vault_ask ask;
	uint32_t retry_after_s = 0;
	size_t n_units;

	*ret_report = (struct vault_report){ .n_opened = 0 };
	if (ipc_vault_read_open(payload, &ask, &n_units))
		return VAULT_SERVER_E_MALFORMED;
	if (is_nobody(ask.person) && !is_worker)
		return VAULT_SERVER_E_FORBIDDEN;
	ret_report->refusal = quota_take(server, now_ms, payload, &ask, n_units, &retry_after_s);
	memcpy(ret_reply, &retry_after_s, sizeof(retry_after_s));
	for (size_t i = 0; i < n_units; i++) {
		struct ipc_vault_opened opened = { .outcome = IPC_VAULT_QUOTA };
		struct ipc_vault_unit unit;

		ipc_vault_get_unit(payload, i, &unit);
		if (!ret_report->refusal) {
			int r = unit_open(server, &unit, opened.key);

			if (r < 0)
				return r;
			opened.outcome = (uint8_t)r;
			ret_report->n_opened += r == IPC_VAULT_OPENED;
			ret_report->n_broken += r != IPC_VAULT_OPENED;
		}
		memcpy(ret_reply + sizeof(retry_after_s) + i * sizeof(opened), &opened,
		       sizeof(opened));
		crypto_wipe(&opened, sizeof(opened));
	}
	*ret_length = sizeof(retry_after_s) + n_units * sizeof(struct ipc_vault_opened);
	return 0;
}

/* Opens a stanza and seals what is in it to another key; the unit's key stays here. */
static int unit_rewrap(struct vault_server *server, int64_t now_ms, const struct intake_key *target,
		       const struct ipc_vault_unit *unit, uint8_t ret_blob[IPC_VAULT_BLOB_SIZE])
{
	CLEANUP(unit_key_deinit) struct unit_key key = { .generation = unit->generation };
	int r = unit_open(server, unit, key.bytes);

	if (r != IPC_VAULT_OPENED)
		return r;
	memcpy(key.unit_id, unit->unit_id, KEYS_ID_SIZE);
	r = stanza_seal(&server->secrets->sender, target, now_ms, &key, ret_blob);
	return r > 0 ? IPC_VAULT_NO_KEY : r;
}

/* Returns 0, VAULT_SERVER_E_…, or negative: then there is no reply. No case is counted: nothing of
 * what is inside leaves the vault. */
int vault_server_rewrap(struct vault_server *server, int64_t now_ms, bool is_worker,
			struct slice payload, uint8_t ret_reply[IPC_VAULT_REWRAPPED_MAX],
			size_t *ret_length, struct vault_report *ret_report)
{
	const struct vault_intake *target;
	uint32_t key_id;
	size_t n_units;

	*ret_report = (struct vault_report){ .n_opened = 0 };
	if (!is_worker)
		return VAULT_SERVER_E_FORBIDDEN;
	if (ipc_vault_read_rewrap(payload, &key_id, &n_units))
		return VAULT_SERVER_E_MALFORMED;
	target = vault_keys_find(&server->secrets->keys, key_id);
	for (size_t i = 0; i < n_units; i++) {
		struct ipc_vault_rewrapped result = { .outcome = IPC_VAULT_NO_KEY };
		struct ipc_vault_unit unit;
		int r = IPC_VAULT_NO_KEY;

		ipc_vault_get_rewrap(payload, i, &unit);
		if (target)
			r = unit_rewrap(server, now_ms, &target->public_part, &unit, result.blob);
		if (r < 0)
			return r;
		result.outcome = (uint8_t)r;
		ret_report->n_rewrapped += r == IPC_VAULT_OPENED;
		ret_report->n_broken += r != IPC_VAULT_OPENED;
		memcpy(ret_reply + i * sizeof(result), &result, sizeof(result));
	}
	*ret_length = n_units * sizeof(struct ipc_vault_rewrapped);
	return 0;
}

/* Returns 0 or VAULT_SERVER_E_FORBIDDEN. */
int vault_server_list(const struct vault_server *server, bool is_worker,
		      uint8_t ret_reply[IPC_VAULT_LISTED_MAX], size_t *ret_length)
{
	const struct vault_keys *keys = &server->secrets->keys;

	if (!is_worker)
		return VAULT_SERVER_E_FORBIDDEN;
	for (size_t i = 0; i < keys->n_intake; i++) {
		const struct intake_key *intake = &keys->intake[i].public_part;
		struct ipc_vault_listed listed = { .key_id = intake->key_id };

		memcpy(listed.public_key, intake->public_key, sizeof(listed.public_key));
		memcpy(ret_reply + i * sizeof(listed), &listed, sizeof(listed));
	}
	*ret_length = keys->n_intake * sizeof(struct ipc_vault_listed);
	return 0;
}

/* Lines of visible ASCII, at least three: an origin, a size and a root (C2SP tlog-checkpoint). */
static bool is_checkpoint(struct slice text)
{
	size_t n_lines = 0;

	if (text.length < 2 || text.length > IPC_VAULT_NOTE_MAX || text.at[text.length - 1] != '\n')
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '\n') {
			if (i == 0 || text.at[i - 1] == '\n')
				return false;
			n_lines++;
		} else if (text.at[i] < ' ' || text.at[i] > '~') {
			return false;
		}
	}
	return n_lines >= 3;
}

/* Returns 0, VAULT_SERVER_E_…, or negative. */
int vault_server_sign(const struct vault_server *server, bool is_worker, struct slice text,
		      uint8_t ret_signature[IPC_VAULT_SIGNATURE_SIZE])
{
	if (!is_worker)
		return VAULT_SERVER_E_FORBIDDEN;
	if (!is_checkpoint(text))
		return VAULT_SERVER_E_MALFORMED;
	return ed25519_sign(server->secrets->keys.signing, text, ret_signature);
}
