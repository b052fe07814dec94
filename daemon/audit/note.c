/* Notes are read strictly: one way to write a number or a hash, and nothing behind the last line.
 */

#include "daemon/audit/note.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/crypto/crypto.h"

/* U+2014 and a blank begin a signature line. */
static const char dash[] = "\xe2\x80\x94 ";

enum {
	DASH_LENGTH = sizeof(dash) - 1,
	KEY_TYPE_ED25519 = 1,
	SIGNATURE_SIZE = NOTE_ID_SIZE + ED25519_SIGNATURE_SIZE,
	BASE64_MAX = (SIGNATURE_SIZE + 2) / 3 * 4 + 1,
};

static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.length; i++)
		if (name.at[i] <= ' ' || name.at[i] > '~' || name.at[i] == '+')
			return false;
	return name.length > 0 && name.length <= NOTE_NAME_MAX;
}

/* The first four bytes of SHA-256(name | newline | type | key). */
static int key_id(const char *name, const uint8_t public[ED25519_KEY_SIZE],
		  uint8_t ret_id[NOTE_ID_SIZE])
{
	static const char type[] = { '\n', KEY_TYPE_ED25519 };
	const struct slice parts[] = { text_slice(name),
				       { type, sizeof(type) },
				       { (const char *)public, ED25519_KEY_SIZE } };
	uint8_t hash[CRYPTO_SHA256_SIZE];
	int r = crypto_sha256_parts(parts, ARRAY_SIZE(parts), hash);

	if (r == 0)
		memcpy(ret_id, hash, NOTE_ID_SIZE);
	return r;
}

/* Returns 0, NOTE_E_MALFORMED for what is no name, or negative. */
int note_key_init(struct note_key *key, const char *name, const uint8_t public[ED25519_KEY_SIZE])
{
	struct slice text = text_slice(name);

	if (!is_name(text))
		return NOTE_E_MALFORMED;
	memcpy(key->name, text.at, text.length);
	key->name[text.length] = '\0';
	memcpy(key->public, public, ED25519_KEY_SIZE);
	return key_id(key->name, public, key->id);
}

void note_key_write(const struct note_key *key, char *ret_text)
{
	uint8_t typed[1 + ED25519_KEY_SIZE] = { KEY_TYPE_ED25519 };
	char id[2 * NOTE_ID_SIZE + 1], base64[BASE64_MAX];

	memcpy(typed + 1, key->public, ED25519_KEY_SIZE);
	codec_hex_encode(id, key->id, NOTE_ID_SIZE);
	codec_base64_encode(base64, typed, sizeof(typed));
	(void)snprintf(ret_text, NOTE_KEY_TEXT_MAX, "%s+%s+%s", key->name, id, base64);
}

/* The part before the next `end`, which is passed over; NULL where there is none. */
static struct slice take_until(struct slice *text, char end)
{
	const char *at = text->length ? memchr(text->at, end, text->length) : NULL;
	struct slice part = { 0 };

	if (!at)
		return part;
	part = (struct slice){ text->at, (size_t)(at - text->at) };
	text->length -= part.length + 1;
	text->at = at + 1;
	return part;
}

/* Returns 0, NOTE_E_MALFORMED, or negative. */
int note_key_read(struct slice text, struct note_key *ret_key)
{
	struct slice name = take_until(&text, '+'), id = take_until(&text, '+');
	uint8_t typed[1 + ED25519_KEY_SIZE], id_bytes[NOTE_ID_SIZE];
	char name_text[NOTE_NAME_MAX + 1];
	struct note_key key;
	size_t n_typed, n_id;
	int r;

	if (!name.at || !id.at || !is_name(name))
		return NOTE_E_MALFORMED;
	if (codec_hex_decode(id, id_bytes, sizeof(id_bytes), &n_id) || n_id != sizeof(id_bytes) ||
	    codec_base64_decode(text, typed, sizeof(typed), &n_typed) || n_typed != sizeof(typed) ||
	    typed[0] != KEY_TYPE_ED25519)
		return NOTE_E_MALFORMED;
	memcpy(name_text, name.at, name.length);
	name_text[name.length] = '\0';
	r = note_key_init(&key, name_text, typed + 1);
	if (r)
		return r;
	if (memcmp(key.id, id_bytes, NOTE_ID_SIZE) != 0)
		return NOTE_E_MALFORMED;
	*ret_key = key;
	return 0;
}

/* Returns 0, or NOTE_E_MALFORMED for an origin that is no name. */
int note_write_text(const struct checkpoint *checkpoint, char *ret_text, size_t *ret_length)
{
	char root[BASE64_MAX];

	if (!is_name(text_slice(checkpoint->origin)))
		return NOTE_E_MALFORMED;
	codec_base64_encode(root, checkpoint->root.at, TREE_HASH_SIZE);
	*ret_length = (size_t)snprintf(ret_text, NOTE_TEXT_MAX, "%s\n%" PRIu64 "\n%s\n",
				       checkpoint->origin, checkpoint->size, root);
	return 0;
}

/* Returns 0, or NOTE_E_MALFORMED for too long a text. */
int note_write(struct slice text, const struct note_key *key,
	       const uint8_t signature[ED25519_SIGNATURE_SIZE], char *ret_note, size_t *ret_length)
{
	uint8_t line[SIGNATURE_SIZE];
	char base64[BASE64_MAX];

	if (text.length >= NOTE_TEXT_MAX)
		return NOTE_E_MALFORMED;
	memcpy(line, key->id, NOTE_ID_SIZE);
	memcpy(line + NOTE_ID_SIZE, signature, ED25519_SIGNATURE_SIZE);
	codec_base64_encode(base64, line, sizeof(line));
	*ret_length = (size_t)snprintf(ret_note, NOTE_SIZE_MAX, "%.*s\n%s%s %s\n", (int)text.length,
				       text.at, dash, key->name, base64);
	return 0;
}

static int read_size(struct slice digits, uint64_t *ret_size)
{
	uint64_t size = 0;

	if (digits.length == 0 || digits.length > 15 || (digits.length > 1 && *digits.at == '0'))
		return NOTE_E_MALFORMED;
	for (size_t i = 0; i < digits.length; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return NOTE_E_MALFORMED;
		size = size * 10 + (uint64_t)(digits.at[i] - '0');
	}
	*ret_size = size;
	return size < TREE_SIZE_MAX ? 0 : NOTE_E_MALFORMED;
}

/* The signed text with its last newline; the rest is the signature lines. */
static int split(struct slice note, struct slice *ret_text, struct slice *ret_lines)
{
	static const char gap[] = "\n\n";
	const char *at = note.length <= NOTE_SIZE_MAX && note.length
				 ? memmem(note.at, note.length, gap, sizeof(gap) - 1)
				 : NULL;

	if (!at)
		return NOTE_E_MALFORMED;
	*ret_text = (struct slice){ note.at, (size_t)(at - note.at) + 1 };
	*ret_lines = (struct slice){ at + 2, note.length - ret_text->length - 1 };
	return 0;
}

static int read_text(struct slice text, struct checkpoint *ret_checkpoint)
{
	struct slice origin = take_until(&text, '\n'), size = take_until(&text, '\n'),
		     root = take_until(&text, '\n');
	struct checkpoint checkpoint = { 0 };
	size_t length;

	if (!origin.at || !size.at || !root.at || text.length || !is_name(origin))
		return NOTE_E_MALFORMED;
	if (read_size(size, &checkpoint.size) ||
	    codec_base64_decode(root, checkpoint.root.at, TREE_HASH_SIZE, &length) ||
	    length != TREE_HASH_SIZE)
		return NOTE_E_MALFORMED;
	memcpy(checkpoint.origin, origin.at, origin.length);
	*ret_checkpoint = checkpoint;
	return 0;
}

/* One signature line: the name, the key's id and the signature. */
static int read_line(struct slice *lines, struct slice *ret_name, uint8_t ret_bytes[SIGNATURE_SIZE])
{
	struct slice line = take_until(lines, '\n');
	size_t length;

	if (!line.at || line.length <= DASH_LENGTH || memcmp(line.at, dash, DASH_LENGTH) != 0)
		return NOTE_E_MALFORMED;
	line = (struct slice){ line.at + DASH_LENGTH, line.length - DASH_LENGTH };
	*ret_name = take_until(&line, ' ');
	if (!ret_name->at || !is_name(*ret_name) ||
	    codec_base64_decode(line, ret_bytes, SIGNATURE_SIZE, &length) ||
	    length != SIGNATURE_SIZE)
		return NOTE_E_MALFORMED;
	return 0;
}

/*
 * Which of the keys has signed. Lines of others are passed over; one of these that fails is not,
 * and neither is one that is there twice: of one checkpoint there is one text.
 */
static int find_signature(struct slice text, struct slice lines, const struct note_key *keys,
			  size_t n_keys, size_t *ret_key)
{
	size_t signers[NOTE_SIGNATURES_MAX], n_signers = 0;

	for (unsigned n = 0; lines.length; n++) {
		uint8_t bytes[SIGNATURE_SIZE];
		struct slice name;
		size_t i = 0;
		int r;

		if (n == NOTE_SIGNATURES_MAX || read_line(&lines, &name, bytes))
			return NOTE_E_MALFORMED;
		while (i < n_keys && (!text_equals(name, text_slice(keys[i].name)) ||
				      memcmp(keys[i].id, bytes, NOTE_ID_SIZE) != 0))
			i++;
		if (i == n_keys)
			continue;
		r = ed25519_verify(keys[i].public, text, bytes + NOTE_ID_SIZE);
		if (r)
			return r < 0 ? r : NOTE_E_SIGNATURE;
		for (size_t j = 0; j < n_signers; j++)
			if (signers[j] == i)
				return NOTE_E_MALFORMED;
		signers[n_signers++] = i;
		*ret_key = i;
	}
	return n_signers ? 0 : NOTE_E_UNKNOWN;
}

/* Returns 0 or NOTE_E_MALFORMED. */
int note_read(struct slice note, struct checkpoint *ret_checkpoint)
{
	struct slice text, lines;
	size_t key;
	int r = split(note, &text, &lines);

	if (r == 0)
		r = find_signature(text, lines, NULL, 0, &key);
	if (r && r != NOTE_E_UNKNOWN)
		return r;
	return read_text(text, ret_checkpoint);
}

/* Returns 0, a NOTE_E_…, or negative. */
int note_open(struct slice note, const struct note_key *keys, size_t n_keys,
	      struct checkpoint *ret_checkpoint, size_t *ret_key)
{
	struct checkpoint checkpoint;
	struct slice text, lines;
	size_t key;
	int r = split(note, &text, &lines);

	if (r == 0)
		r = find_signature(text, lines, keys, n_keys, &key);
	if (r == 0)
		r = read_text(text, &checkpoint);
	if (r)
		return r;
	*ret_checkpoint = checkpoint;
	*ret_key = key;
	return 0;
}
