/*
 * The keys of a vault and their layout: deployment 16 | number of intake keys u8 | for each of them
 * its id u32be and the private key 32 | signing key 32 | length of the host's name u8 | name.
 * Public keys are worked out from the private ones, so that no two of them can disagree.
 */

#include "daemon/keys/vault_keys.h"
#include "daemon/crypto/crypto.h"

#include <string.h>

/* What may stand in a C2SP key name behind the origin, and in a file's text. */
bool vault_host_is_valid(const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	size_t length = strlen(host);

	return length >= 1 && length <= VAULT_HOST_MAX && strspn(host, allowed) == length;
}

static int intake_fill(struct vault_intake *intake, const uint8_t *deployment, uint32_t key_id)
{
	memcpy(intake->public_part.deployment, deployment, KEYS_ID_SIZE);
	intake->public_part.key_id = key_id;
	return x25519_public(intake->key, intake->public_part.public_key);
}

/* Returns 0, -EINVAL for a bad host name, or negative; the keys are wiped then. */
int vault_keys_new(const uint8_t deployment[KEYS_ID_SIZE], const char *host,
		   struct vault_keys *ret_keys)
{
	int r;

	if (!vault_host_is_valid(host))
		return -EINVAL;
	*ret_keys = (struct vault_keys){ .n_intake = 1 };
	memcpy(ret_keys->deployment, deployment, KEYS_ID_SIZE);
	r = crypto_random(ret_keys->intake[0].key, HPKE_KEY_SIZE);
	if (r == 0)
		r = intake_fill(&ret_keys->intake[0], deployment, 1);
	if (r == 0)
		r = vault_keys_change_host(ret_keys, host);
	if (r)
		vault_keys_deinit(ret_keys);
	return r;
}

/* Returns 0, -EINVAL for a bad host name, or negative; nothing is changed then. */
int vault_keys_change_host(struct vault_keys *keys, const char *host)
{
	uint8_t signing[ED25519_KEY_SIZE];
	int r;

	if (!vault_host_is_valid(host))
		return -EINVAL;
	r = ed25519_generate(signing);
	if (r)
		return r;
	memcpy(keys->signing, signing, sizeof(signing));
	memset(keys->host, 0, sizeof(keys->host));
	memcpy(keys->host, host, strlen(host));
	crypto_wipe(signing, sizeof(signing));
	return 0;
}

/* NULL: there is none of that id. */
const struct vault_intake *vault_keys_find(const struct vault_keys *keys, uint32_t key_id)
{
	for (size_t i = 0; i < keys->n_intake; i++)
		if (keys->intake[i].public_part.key_id == key_id)
			return &keys->intake[i];
	return NULL;
}

/* The one that was made last. Which one is sealed to says the public file. */
const struct intake_key *vault_keys_newest(const struct vault_keys *keys)
{
	return &keys->intake[keys->n_intake - 1].public_part;
}

/* A further intake key. Returns 0, VAULT_KEYS_E_FULL, VAULT_KEYS_E_MALFORMED for an id that is not
 * above all others, or negative; nothing is changed then. */
int vault_keys_add(struct vault_keys *keys, uint32_t key_id)
{
	CLEANUP(vault_keys_deinit) struct vault_keys more = *keys;
	struct vault_intake *intake;
	int r;

	if (keys->n_intake == VAULT_INTAKE_MAX)
		return VAULT_KEYS_E_FULL;
	if (key_id <= vault_keys_newest(keys)->key_id)
		return VAULT_KEYS_E_MALFORMED;
	intake = &more.intake[more.n_intake++];
	r = crypto_random(intake->key, HPKE_KEY_SIZE);
	if (r == 0)
		r = intake_fill(intake, keys->deployment, key_id);
	if (r == 0)
		*keys = more;
	return r;
}

/* The private half is gone with it. Returns 0, or VAULT_KEYS_E_LAST where no key would be left. */
int vault_keys_remove(struct vault_keys *keys, uint32_t key_id)
{
	struct vault_intake kept[VAULT_INTAKE_MAX] = { { .key = { 0 } } };
	size_t n = 0;

	for (size_t i = 0; i < keys->n_intake; i++)
		if (keys->intake[i].public_part.key_id != key_id)
			kept[n++] = keys->intake[i];
	if (n > 0) {
		memcpy(keys->intake, kept, sizeof(kept));
		keys->n_intake = n;
	}
	crypto_wipe(kept, sizeof(kept));
	return n > 0 ? 0 : VAULT_KEYS_E_LAST;
}

/* Takes from another host's keys what these lack. Returns 0, VAULT_KEYS_E_DIFFERS for those of
 * another deployment, or where one id has two keys, or VAULT_KEYS_E_FULL; nothing is changed then.
 */
int vault_keys_merge(struct vault_keys *keys, const struct vault_keys *others, size_t *ret_n_new)
{
	CLEANUP(vault_keys_deinit) struct vault_keys all = { .n_intake = 0 };
	size_t i = 0, j = 0;

	if (memcmp(keys->deployment, others->deployment, KEYS_ID_SIZE) != 0)
		return VAULT_KEYS_E_DIFFERS;
	while (i < keys->n_intake || j < others->n_intake) {
		const struct vault_intake *own = i < keys->n_intake ? &keys->intake[i] : NULL;
		const struct vault_intake *other = j < others->n_intake ? &others->intake[j] : NULL;
		bool is_own = own &&
			      (!other || own->public_part.key_id <= other->public_part.key_id);

		if (all.n_intake == VAULT_INTAKE_MAX)
			return VAULT_KEYS_E_FULL;
		if (own && other && own->public_part.key_id == other->public_part.key_id) {
			if (!crypto_equals(own->key, other->key, HPKE_KEY_SIZE))
				return VAULT_KEYS_E_DIFFERS;
			j++;
		}
		all.intake[all.n_intake++] = is_own ? *own : *other;
		if (is_own)
			i++;
		else
			j++;
	}
	*ret_n_new = all.n_intake - keys->n_intake;
	memcpy(keys->intake, all.intake, sizeof(all.intake));
	keys->n_intake = all.n_intake;
	return 0;
}

void vault_keys_deinit(struct vault_keys *keys)
{
	crypto_wipe(keys, sizeof(*keys));
}

/* Returns how many bytes were written; they are to be wiped. */
size_t vault_keys_write(const struct vault_keys *keys, uint8_t ret_bytes[VAULT_KEYS_BYTES_MAX])
{
	size_t n_host = strlen(keys->host);
	uint8_t *at = ret_bytes;

	memcpy(at, keys->deployment, KEYS_ID_SIZE);
	at += KEYS_ID_SIZE;
	*at++ = (uint8_t)keys->n_intake;
	for (size_t i = 0; i < keys->n_intake; i++) {
		place_put_u32(at, keys->intake[i].public_part.key_id);
		memcpy(at + 4, keys->intake[i].key, HPKE_KEY_SIZE);
		at += 4 + HPKE_KEY_SIZE;
	}
	memcpy(at, keys->signing, ED25519_KEY_SIZE);
	at += ED25519_KEY_SIZE;
	*at++ = (uint8_t)n_host;
	memcpy(at, keys->host, n_host);
	return (size_t)(at - ret_bytes) + n_host;
}

/* Takes `length` bytes off the front. */
static bool take(struct slice *rest, void *ret_bytes, size_t length)
{
	if (rest->length < length)
		return false;
	memcpy(ret_bytes, rest->at, length);
	rest->at += length;
	rest->length -= length;
	return true;
}

static int intake_read(struct slice *rest, const uint8_t *deployment, uint32_t last_id,
		       struct vault_intake *intake)
{
	uint8_t number[4];
	uint32_t key_id;

	if (!take(rest, number, sizeof(number)) || !take(rest, intake->key, HPKE_KEY_SIZE))
		return VAULT_KEYS_E_MALFORMED;
	key_id = place_get_u32(number);
	return key_id <= last_id ? VAULT_KEYS_E_MALFORMED : intake_fill(intake, deployment, key_id);
}

static int keys_fill(struct slice rest, struct vault_keys *keys)
{
	uint8_t n_intake, n_host;
	uint32_t last_id = 0;

	if (!take(&rest, keys->deployment, KEYS_ID_SIZE) || !take(&rest, &n_intake, 1) ||
	    n_intake == 0 || n_intake > VAULT_INTAKE_MAX)
		return VAULT_KEYS_E_MALFORMED;
	for (; keys->n_intake < n_intake; keys->n_intake++) {
		struct vault_intake *intake = &keys->intake[keys->n_intake];
		int r = intake_read(&rest, keys->deployment, last_id, intake);

		if (r)
			return r;
		last_id = intake->public_part.key_id;
	}
	if (!take(&rest, keys->signing, ED25519_KEY_SIZE) || !take(&rest, &n_host, 1) ||
	    n_host > VAULT_HOST_MAX || rest.length != n_host)
		return VAULT_KEYS_E_MALFORMED;
	memcpy(keys->host, rest.at, n_host);
	return vault_host_is_valid(keys->host) && strlen(keys->host) == n_host
		       ? 0
		       : VAULT_KEYS_E_MALFORMED;
}

/* Returns 0, VAULT_KEYS_E_MALFORMED, or negative; ret_keys is untouched then. */
int vault_keys_read(struct slice bytes, struct vault_keys *ret_keys)
{
	CLEANUP(vault_keys_deinit) struct vault_keys keys = { .n_intake = 0 };
	int r = keys_fill(bytes, &keys);

	if (r == 0)
		*ret_keys = keys;
	return r;
}
