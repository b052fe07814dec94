/*
 * The demo issuer has no wiki to ask for a profile, so user names come from a file beside its key.
 * Ids and user names must be unique: two people behind one name would share recusals.
 */

#include "api/auth/people.h"
#include "api/auth/token.h"
#include "daemon/base/arena.h"
#include "daemon/base/buffer.h"
#include "daemon/json/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEOPLE_MAX = 1000, FILE_MAX = 1024 * 1024 };

struct people {
	struct arena *arena;
	struct person *persons;
	size_t n_persons;
};

static int add_person(struct people *people, struct slice name, const struct value *entry,
		      const char *scope, const char **ret_message)
{
	struct slice user = value_text(value_get(entry, "user")), id;
	const char *home_wiki = value_get_string(entry, "home_wiki");
	struct person *person = &people->persons[people->n_persons];

	*ret_message = "each person needs a `sub` of the issuer's scope and a `user`";
	if (!user.length || !token_read_subject(value_text(value_get(entry, "sub")), scope, &id))
		return PEOPLE_E_REFUSED;
	*ret_message = "two people have one `sub` or one `user`";
	if (people_find(people, id))
		return PEOPLE_E_REFUSED;
	for (size_t i = 0; i < people->n_persons; i++)
		if (strcmp(people->persons[i].user, user.at) == 0)
			return PEOPLE_E_REFUSED;
	person->name = arena_strndup(people->arena, name.at, name.length);
	person->id = arena_strndup(people->arena, id.at, id.length);
	person->user = arena_strndup(people->arena, user.at, user.length);
	if (home_wiki)
		person->home_wiki = arena_strdup(people->arena, home_wiki);
	if (!person->name || !person->id || !person->user || (home_wiki && !person->home_wiki))
		return -ENOMEM;
	people->n_persons++;
	return 0;
}

static int fill(struct people *people, const struct value *entries, const char *scope,
		const char **ret_message)
{
	struct value *entry;
	struct slice name;
	int r = 0;

	people->persons = arena_alloc(people->arena,
				      (value_count(entries) + 1) * sizeof(*people->persons));
	if (!people->persons)
		return -ENOMEM;
	for (void *at = NULL; !r && value_each(entries, &at, &name, &entry);)
		r = add_person(people, name, entry, scope, ret_message);
	return r;
}

/* 0, PEOPLE_E_REFUSED with a message, or negative. */
int people_new(struct slice bytes, const char *scope, struct people **ret_people,
	       const char **ret_message)
{
	CLEANUP(value_freep) struct value *root = NULL;
	CLEANUP(people_freep) struct people *people = NULL;
	const struct value *entries;
	int r;

	r = value_parse(bytes, &root, NULL);
	if (r < 0)
		return r;
	entries = value_get(root, "people");
	if (r || !value_is(entries, VALUE_OBJECT) || value_count(entries) > PEOPLE_MAX) {
		*ret_message = "must be a JSON object with a member `people`";
		return PEOPLE_E_REFUSED;
	}
	people = calloc(1, sizeof(*people));
	if (!people)
		return -ENOMEM;
	r = arena_new(&people->arena);
	if (!r)
		r = fill(people, entries, scope, ret_message);
	if (r)
		return r;
	*ret_people = people;
	people = NULL;
	return 0;
}

/* The same from a file; PEOPLE_E_UNREADABLE when it cannot be read. */
int people_load(const char *file, const char *scope, struct people **ret_people,
		const char **ret_message)
{
	CLEANUP(buffer_deinit) struct buffer bytes = BUFFER_NULL;
	char piece[4096];
	FILE *stream = fopen(file, "re");
	bool is_read;
	size_t n;

	*ret_message = "cannot be read";
	if (!stream)
		return PEOPLE_E_UNREADABLE;
	while ((n = fread(piece, 1, sizeof(piece), stream)) > 0 && bytes.length <= FILE_MAX)
		buffer_append(&bytes, piece, n);
	is_read = !ferror(stream) && bytes.length <= FILE_MAX;
	fclose(stream);
	if (!is_read)
		return PEOPLE_E_UNREADABLE;
	if (buffer_finish(&bytes))
		return -ENOMEM;
	return people_new((struct slice){ bytes.at, bytes.length }, scope, ret_people, ret_message);
}

/* Takes NULL; returns NULL. */
struct people *people_free(struct people *people)
{
	if (people)
		arena_free(people->arena);
	free(people);
	return NULL;
}

/* For CLEANUP(). */
void people_freep(struct people **people)
{
	*people = people_free(*people);
}

/* The person with a central id. The file is small: a walk is enough. */
const struct person *people_find(const struct people *people, struct slice id)
{
	for (size_t i = 0; i < people->n_persons; i++)
		if (strlen(people->persons[i].id) == id.length &&
		    memcmp(people->persons[i].id, id.at, id.length) == 0)
			return &people->persons[i];
	return NULL;
}

/* How many there are. */
size_t people_count(const struct people *people)
{
	return people->n_persons;
}

/* In the order of the file. */
const struct person *people_at(const struct people *people, size_t index)
{
	return index < people->n_persons ? &people->persons[index] : NULL;
}
