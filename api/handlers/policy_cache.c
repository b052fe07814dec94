/*
 * Rendering a policy takes hundreds of times as long as sending it. Two small tables: questions as
 * they were asked point to documents, and documents are known by what they were rendered from, so
 * that a thousand spellings of Accept-Language cost one document. Both are of fixed size, and all
 * documents together are bounded: beyond it the table begins anew.
 */

#include "api/handlers/policy_cache.h"
#include "daemon/base/buffer.h"

#include <stdlib.h>
#include <string.h>

enum {
	QUESTIONS = 256,
	DOCUMENTS = 128,
	KEY_MAX = 512,              /* a longer question is not remembered */
	BYTES_MAX = 4 * 1024 * 1024 /* of all documents */
};

struct entry {
	struct shared *document; /* NULL: free */
	size_t length;
	char key[KEY_MAX];
};

struct policy_cache {
	size_t n_bytes;
	struct entry questions[QUESTIONS];
	struct entry documents[DOCUMENTS];
};

struct key {
	size_t length;
	bool is_too_long;
	char at[KEY_MAX];
};

int policy_cache_new(struct policy_cache **ret_cache)
{
	struct policy_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	*ret_cache = cache;
	return 0;
}

struct policy_cache *policy_cache_free(struct policy_cache *cache)
{
	if (cache)
		policy_cache_clear(cache);
	free(cache);
	return NULL;
}

void policy_cache_clear(struct policy_cache *cache)
{
	for (size_t i = 0; i < QUESTIONS; i++)
		cache->questions[i].document = shared_unref(cache->questions[i].document);
	for (size_t i = 0; i < DOCUMENTS; i++)
		cache->documents[i].document = shared_unref(cache->documents[i].document);
	cache->n_bytes = 0;
}

/* Parts are told apart by a byte that none of them holds. */
static void key_add(struct key *key, struct slice part)
{
	if (key->length + part.length + 2 > KEY_MAX) {
		key->is_too_long = true;
		return;
	}
	key->at[key->length++] = part.at ? '\n' : '\r';
	if (part.at)
		memcpy(key->at + key->length, part.at, part.length);
	key->length += part.length;
}

static struct key key_of(const struct policy_question *question)
{
	struct key key;

	key.length = 0;
	key.is_too_long = false;
	key_add(&key, question->wiki);
	key_add(&key, question->lang);
	key_add(&key, question->accept);
	return key;
}

/* FNV-1a: nothing is lost when two keys share a place. */
static size_t place(const struct key *key, size_t n)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < key->length; i++)
		hash = (hash ^ (unsigned char)key->at[i]) * 0x100000001b3;
	return (size_t)(hash % n);
}

static bool entry_is(const struct entry *entry, const struct key *key)
{
	return entry->document && entry->length == key->length &&
	       memcmp(entry->key, key->at, key->length) == 0;
}

static void entry_set(struct entry *entry, const struct key *key, struct shared *document)
{
	shared_unref(entry->document);
	entry->document = shared_ref(document);
	entry->length = key->length;
	memcpy(entry->key, key->at, key->length);
}

struct shared *policy_cache_find(const struct policy_cache *cache,
				 const struct policy_question *question)
{
	struct key key = key_of(question);
	const struct entry *entry = &cache->questions[place(&key, QUESTIONS)];

	return !key.is_too_long && entry_is(entry, &key) ? entry->document : NULL;
}

static int render(const struct policy_set *set, const struct policy_wiki *wiki,
		  const struct policy_chain *chain, struct shared **ret_document)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	CLEANUP(value_freep) struct value *value = NULL;
	int r = policy_set_render(set, wiki, chain, &value);

	if (r == 0)
		r = value_write(value, &buffer);
	return r ? r : shared_new((struct slice){ buffer.at, buffer.length }, ret_document);
}

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

/**
 * policy_cache_render() - the document, rendered if there is none
 * @ret_shared: borrowed until the next call on the cache
 *
 * Return: 0 or negative.
 */
int policy_cache_render(struct policy_cache *cache, const struct policy_set *set,
			const struct policy_wiki *wiki, const struct policy_chain *chain,
			const struct policy_question *question, struct shared **ret_shared)
{
	struct key asked = key_of(question), key = { .length = 0 };
	struct shared *document = NULL;
	struct entry *entry;
	int r;

	key_add(&key, slice_of(wiki ? wiki->dbname : NULL));
	/* Which of the languages were asked for is told with each text. */
	key_add(&key, (struct slice){ "0123456789abcdefghijklmnopqrstuvwxyz", chain->n_asked });
	for (size_t i = 0; i < chain->n_langs; i++)
		key_add(&key, slice_of(chain->langs[i]));
	entry = &cache->documents[place(&key, DOCUMENTS)];
	if (!key.is_too_long && entry_is(entry, &key)) {
		document = entry->document;
	} else {
		r = render(set, wiki, chain, &document);
		if (r)
			return r;
		if (cache->n_bytes + document->bytes.length > BYTES_MAX)
			policy_cache_clear(cache);
		cache->n_bytes += document->bytes.length;
		entry_set(entry, &key, document);
		shared_unref(document);
	}
	if (!asked.is_too_long)
		entry_set(&cache->questions[place(&asked, QUESTIONS)], &asked, document);
	*ret_shared = document;
	return 0;
}
