/* User names as indexes: the database compares people, it never reads their names. */

#include "daemon/cases/names.h"
#include "daemon/base/codec.h"
#include "daemon/cases/scalar.h"

static int set_index(struct value *object, const char *key, const uint8_t *index)
{
	char hex[2 * INDEX_SIZE + 1];

	codec_hex_encode(hex, index, INDEX_SIZE);
	return value_set_string(object, key, hex);
}

/* What a party, an excluded handler or a filter is matched by. */
int names_set_indexes(const struct names *names, struct arena *arena, struct slice name,
		      struct value *object)
{
	uint8_t name_ix[INDEX_SIZE], skeleton_ix[INDEX_SIZE], id_ix[INDEX_SIZE];
	int r;

	if (scalar_is_blank(name))
		return INDEX_E_MALFORMED;
	r = index_of_name(names->key, arena, names->scope, name, name_ix);
	if (!r)
		r = index_of_skeleton(names->key, arena, name, skeleton_ix);
	if (!r)
		r = set_index(object, "name_ix", name_ix);
	if (!r)
		r = set_index(object, "skeleton_ix", skeleton_ix);
	if (!r && names->find && names->find(names->userdata, name_ix, id_ix))
		r = set_index(object, "id_ix", id_ix);
	return r;
}

/* For places that take nothing but the index. */
int names_index(const struct names *names, struct arena *arena, struct slice name,
		const char **ret_hex)
{
	uint8_t name_ix[INDEX_SIZE];
	char *hex = arena_alloc(arena, 2 * INDEX_SIZE + 1);
	int r;

	if (!hex)
		return -ENOMEM;
	if (scalar_is_blank(name))
		return INDEX_E_MALFORMED;
	r = index_of_name(names->key, arena, names->scope, name, name_ix);
	if (r)
		return r;
	codec_hex_encode(hex, name_ix, INDEX_SIZE);
	*ret_hex = hex;
	return 0;
}
