/* The public half of a vault's keys as text. Read as strictly as it is written: what differs in a
 * single byte is no such file. */

#include "daemon/keys/public_file.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* intake: the one of the vault's that is to be sealed to. Returns 0 or negative. */
int public_keys_of(const struct vault_keys *keys, const struct intake_key *intake,
		   struct public_keys *ret_public)
{
	*ret_public = (struct public_keys){ .intake = *intake };
	memcpy(ret_public->host, keys->host, sizeof(ret_public->host));
	return ed25519_get_public(keys->signing, ret_public->log_key);
}

bool public_keys_equal(const struct public_keys *a, const struct public_keys *b)
{
	return memcmp(&a->intake, &b->intake, sizeof(a->intake)) == 0 &&
	       strcmp(a->host, b->host) == 0 &&
	       memcmp(a->log_key, b->log_key, sizeof(a->log_key)) == 0;
}

/* Returns 0, PUBLIC_FILE_E_DIFFERS where these are not of the vault's keys, or negative. */
int public_keys_check(const struct public_keys *public, const struct vault_keys *keys)
{
	const struct vault_intake *intake = vault_keys_find(keys, public->intake.key_id);
	struct public_keys own;
	int r;

	if (!intake)
		return PUBLIC_FILE_E_DIFFERS;
	r = public_keys_of(keys, &intake->public_part, &own);
	if (r)
		return r;
	return public_keys_equal(public, &own) ? 0 : PUBLIC_FILE_E_DIFFERS;
}

/* NUL-terminated. */
void public_file_write(const struct public_keys *keys, char ret_text[PUBLIC_FILE_TEXT_MAX])
{
	char deployment[TEXT_UUID_LENGTH + 1];
	char intake[2 * HPKE_KEY_SIZE + 1], log[2 * ED25519_KEY_SIZE + 1];

	text_write_uuid(deployment, keys->intake.deployment);
	codec_hex_encode(intake, keys->intake.public_key, HPKE_KEY_SIZE);
	codec_hex_encode(log, keys->log_key, ED25519_KEY_SIZE);
	(void)snprintf(ret_text, PUBLIC_FILE_TEXT_MAX,
		       "conductd vault public 1\ndeployment %s\nintake %u %s\nlog %s %s\n",
		       deployment, keys->intake.key_id, intake, keys->host, log);
}

/* What stands between the texts on both sides; borrowed. */
static bool part_take(struct slice *rest, const char *before, char end, struct slice *ret_part)
{
	size_t n_before = strlen(before);
	const char *at;

	if (rest->length < n_before || memcmp(rest->at, before, n_before) != 0)
		return false;
	rest->at += n_before;
	rest->length -= n_before;
	at = memchr(rest->at, end, rest->length);
	if (!at)
		return false;
	*ret_part = (struct slice){ rest->at, (size_t)(at - rest->at) };
	rest->length -= ret_part->length + 1;
	rest->at = at + 1;
	return true;
}

static bool key_read(struct slice text, void *ret_key, size_t size)
{
	size_t length;

	return codec_hex_decode(text, ret_key, size, &length) == 0 && length == size;
}

static bool keys_read(struct slice rest, struct public_keys *keys)
{
	struct slice part, key;

	if (!part_take(&rest, "conductd vault public 1\ndeployment ", '\n', &part) ||
	    text_read_uuid(part, keys->intake.deployment) ||
	    !part_take(&rest, "intake ", ' ', &part) || !part_take(&rest, "", '\n', &key) ||
	    part.length > 10 || !key_read(key, keys->intake.public_key, HPKE_KEY_SIZE))
		return false;
	keys->intake.key_id = (uint32_t)strtoul(part.at, NULL, 10);
	if (keys->intake.key_id == 0 || !part_take(&rest, "log ", ' ', &part) ||
	    !part_take(&rest, "", '\n', &key) || part.length > VAULT_HOST_MAX ||
	    !key_read(key, keys->log_key, ED25519_KEY_SIZE))
		return false;
	memcpy(keys->host, part.at, part.length);
	return vault_host_is_valid(keys->host);
}

/* Returns 0 or PUBLIC_FILE_E_MALFORMED. */
int public_file_read(struct slice text, struct public_keys *ret_keys)
{
	struct public_keys keys = { .host = "" };
	char again[PUBLIC_FILE_TEXT_MAX];

	if (!keys_read(text, &keys))
		return PUBLIC_FILE_E_MALFORMED;
	/* One spelling for each content, so nothing else can hide in the file. */
	public_file_write(&keys, again);
	if (strlen(again) != text.length || memcmp(again, text.at, text.length) != 0)
		return PUBLIC_FILE_E_MALFORMED;
	*ret_keys = keys;
	return 0;
}
