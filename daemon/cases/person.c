/*
 * People become known with their names sealed. Who is new gets the unit made here; the name of who
 * is there already has to be sealed in the unit that the database knows, which it tells where it
 * needs the name.
 */

#include "daemon/cases/person.h"
#include "daemon/base/text.h"
#include "daemon/cases/sealing.h"

#include <string.h>

static struct pg_param text_param(struct slice text)
{
	return (struct pg_param){ .at = text.at, .length = (int)text.length };
}

/* Returns 0 or negative. */
int person_seal(struct arena *arena, struct sealer *sealer, const char *unit, struct slice name,
		struct pg_param ret_params[PERSON_PARAMS])
{
	char uuid[TEXT_UUID_LENGTH + 1];
	uint8_t unit_id[KEYS_ID_SIZE];
	struct slice parts[PERSON_PARAMS - 1];
	struct words words;
	const char *id;
	int r = 0;

	if (!unit) {
		r = text_new_uuid(uuid);
		unit = uuid;
	}
	unit = arena_strdup(arena, unit);
	if (r || !unit)
		return r ? r : -ENOMEM;
	if (text_read_uuid(text_slice(unit), unit_id))
		return -EPROTO;
	words_init(&words, arena);
	r = words_add(&words, "name", name, &id);
	if (!r)
		r = sealing_unit(&words, sealer, unit_id, 0);
	if (!r)
		r = words_write(&words, &parts[0], &parts[1], &parts[2]);
	if (r)
		return r;
	ret_params[0] = text_param(text_slice(unit));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		ret_params[i + 1] = text_param(parts[i]);
	return 0;
}

/* The answer is one that was done. Returns 0 or negative. */
int person_read_unit(struct arena *arena, const struct pg_answer *answer, const char **ret_unit)
{
	CLEANUP(value_freep) struct value *body = NULL;
	const char *unit;

	*ret_unit = NULL;
	if (answer->n_rows != 1 || pg_answer_integer(answer, 0, 0) != 202)
		return 0;
	if (value_parse(pg_answer_cell(answer, 0, 1), &body, NULL))
		return -EPROTO;
	unit = value_get_string(body, "unit");
	if (!unit)
		return -EPROTO;
	*ret_unit = arena_strdup(arena, unit);
	return *ret_unit ? 0 : -ENOMEM;
}
