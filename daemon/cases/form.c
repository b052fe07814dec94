/*
 * The walk over a body. A refused member adds an error and the walk goes on, so that the client
 * hears of everything at once. In lenient mode the same errors are taken back where the member, the
 * list item or the name is optional: it is left out, and that something was is remembered.
 */

#include "daemon/cases/form.h"
#include "daemon/cases/scalar.h"
#include "daemon/base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { REFUSED = 1 };

static int check_object(struct form_check *check, const struct form *form, unsigned flags,
			const char *pointer, const struct value *object, struct value **ret_args);

void form_check_init(struct form_check *check, struct arena *arena, const struct names *names)
{
	*check = (struct form_check){ .arena = arena, .names = names };
	words_init(&check->words, arena);
}

void form_refuse(struct form_check *check, const char *pointer, const char *detail)
{
	if (check->n_errors < FORM_ERRORS_MAX)
		check->errors[check->n_errors++] = (struct form_error){ pointer, detail };
}

static int refuse(struct form_check *check, const char *pointer, const char *detail)
{
	if (!pointer || !detail)
		return -ENOMEM;
	form_refuse(check, pointer, detail);
	return REFUSED;
}

/* RFC 6901: '~' and '/' in names are escaped. */
static const char *extend_pointer(struct form_check *check, const char *pointer, struct slice name)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	buffer_append_text(&buffer, pointer);
	buffer_append_char(&buffer, '/');
	for (size_t i = 0; i < name.length; i++) {
		if (name.at[i] == '~')
			buffer_append_text(&buffer, "~0");
		else if (name.at[i] == '/')
			buffer_append_text(&buffer, "~1");
		else
			buffer_append_char(&buffer, name.at[i]);
	}
	return buffer_finish(&buffer) ? NULL : arena_strdup(check->arena, buffer.at);
}

static int take(struct value *made, struct value **ret_value)
{
	if (!made)
		return -ENOMEM;
	*ret_value = made;
	return 0;
}

/* The reference {"$word": id}: what stays in JSON that the database stores as it is. */
static int take_reference(const char *id, struct value **ret_value)
{
	struct value *object = value_new_object();
	int r = object ? value_set_string(object, "$word", id) : -ENOMEM;

	if (r) {
		value_free(object);
		return r;
	}
	*ret_value = object;
	return 0;
}

static int take_word(struct form_check *check, const char *kind, bool is_inline, struct slice text,
		     struct value **ret_value)
{
	const char *id;
	int r = words_add(&check->words, kind, text, &id);

	if (r)
		return r;
	return is_inline ? take_reference(id, ret_value) : take(value_new_string(id), ret_value);
}

static int check_word(struct form_check *check, const struct form *row, size_t max_points,
		      const char *pointer, const struct value *value, struct value **ret_value)
{
	struct slice text;
	int r;

	if (!value_is(value, VALUE_TEXT))
		return refuse(check, pointer, "must be a text");
	r = text_normalise(check->arena, value_text(value), max_points, &text);
	if (r == TEXT_E_TOO_LONG)
		return refuse(check, pointer,
			      arena_printf(check->arena, "must not be longer than %zu characters",
					   max_points));
	if (r)
		return r < 0 ? r : refuse(check, pointer, "must be valid text");
	if (scalar_is_blank(text)) {
		/* An empty field of a form is a field that was not filled in. */
		if (!(row->flags & FORM_REQUIRED) && !(row->flags & FORM_LIST))
			return take(value_new_null(), ret_value);
		return refuse(check, pointer, "must not be blank");
	}
	if (row->type == FORM_URL && !scalar_is_url(text))
		return refuse(check, pointer, "must be a web address");
	return take_word(check, row->name, row->flags & FORM_INLINE, text, ret_value);
}

static int check_evidence(struct form_check *check, const struct form *row, const char *pointer,
			  const struct value *value, struct value **ret_value)
{
	struct form word = *row;

	if (value_is(value, VALUE_TEXT) && text_is_uuid(value_text(value)))
		return take(value_copy(value), ret_value);
	word.flags |= FORM_INLINE;
	return check_word(check, &word, FORM_URL_MAX, pointer, value, ret_value);
}

/* The id of a person, or {"user": name}, which becomes {"name_ix": …}: a name need not be kept to
 * be looked up. */
static int check_person(struct form_check *check, const char *pointer, const struct value *value,
			struct value **ret_value)
{
	const struct value *user = value_get(value, "user");
	struct value *object;
	int r;

	if (value_is(value, VALUE_TEXT) && text_is_uuid(value_text(value)))
		return take(value_copy(value), ret_value);
	if (!value_is(user, VALUE_TEXT) || value_count(value) != 1)
		return refuse(check, pointer, "must be the id of a person, or {\"user\": name}");
	object = value_new_object();
	r = object ? names_set_indexes(check->names, check->arena, value_text(user), object)
		   : -ENOMEM;
	if (r) {
		value_free(object);
		return r < 0 ? r : refuse(check, pointer, "must be a user name");
	}
	*ret_value = object;
	return 0;
}

static int check_integer(struct form_check *check, const struct form *row, const char *pointer,
			 const struct value *value, struct value **ret_value)
{
	int64_t integer = value_integer(value, -1);

	if (!value_is(value, VALUE_INTEGER))
		return refuse(check, pointer, "must be an integer");
	if (integer < 0 || integer > row->limit)
		return refuse(check, pointer, "is out of range");
	return take(value_new_integer(integer), ret_value);
}

/* Beside its wiki such a number tells page, author and text, so it is a word. */
static int check_revision(struct form_check *check, const char *pointer, const struct value *value,
			  struct value **ret_value)
{
	int64_t number = value_integer(value, -1);
	char text[24];
	int n;

	if (!value_is(value, VALUE_INTEGER))
		return refuse(check, pointer, "must be an integer");
	if (number < 0)
		return refuse(check, pointer, "is out of range");
	n = snprintf(text, sizeof(text), "%" PRId64, number);
	return take_word(check, WORD_NUMBER, false, (struct slice){ text, (size_t)n }, ret_value);
}

static int check_choice(struct form_check *check, const struct form *row, const char *pointer,
			const struct value *value, struct value **ret_value)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	buffer_append_text(&buffer, "must be one of");
	for (const char *const *choice = row->choices; *choice; choice++) {
		if (text_equals(value_text(value), text_slice(*choice)))
			return take(value_new_string(*choice), ret_value);
		buffer_printf(&buffer, "%s %s", choice == row->choices ? "" : ",", *choice);
	}
	if (buffer_finish(&buffer))
		return -ENOMEM;
	return refuse(check, pointer, arena_strdup(check->arena, buffer.at));
}

/* The scalars that are passed on as they are, once they have the right form. */
static int check_scalar(struct form_check *check, const struct form *row, const char *pointer,
			const struct value *value, struct value **ret_value)
{
	static const struct {
		bool (*is_sound)(struct slice text);
		const char *detail;
	} forms[] = {
		[FORM_TIME] = { scalar_is_time, "must be a time such as 2026-11-20T10:00:00Z" },
		[FORM_UUID] = { text_is_uuid, "must be a UUID in lower case" },
		[FORM_ID] = { scalar_is_id, "must be an id" },
		[FORM_RULE] = { scalar_is_rule, "must be the id of a rule" },
		[FORM_WIKI] = { scalar_is_dbname, "must be the database name of a wiki" },
		[FORM_LANG] = { scalar_is_lang, "must be a language code" },
	};

	assert(forms[row->type].is_sound);
	if (!value_is(value, VALUE_TEXT) || !forms[row->type].is_sound(value_text(value)))
		return refuse(check, pointer, forms[row->type].detail);
	return take(value_copy(value), ret_value);
}

/* One value that is not null and not a list. */
static int check_value(struct form_check *check, const struct form *row, const char *pointer,
		       const struct value *value, struct value **ret_value)
{
	switch (row->type) {
	case FORM_WORD:
		return check_word(check, row, (size_t)row->limit, pointer, value, ret_value);
	case FORM_URL:
		return check_word(check, row, FORM_URL_MAX, pointer, value, ret_value);
	case FORM_USER:
		return check_word(check,
				  &(const struct form){ .name = "name", .flags = FORM_REQUIRED },
				  FORM_NAME_MAX, pointer, value, ret_value);
	case FORM_PERSON:
		return check_person(check, pointer, value, ret_value);
	case FORM_EVIDENCE:
		return check_evidence(check, row, pointer, value, ret_value);
	case FORM_BOOLEAN:
		return value_is(value, VALUE_BOOLEAN)
			       ? take(value_copy(value), ret_value)
			       : refuse(check, pointer, "must be true or false");
	case FORM_TRUE:
		return value_is_true(value) ? take(value_new_boolean(true), ret_value)
					    : refuse(check, pointer, "must be true");
	case FORM_INTEGER:
		return check_integer(check, row, pointer, value, ret_value);
	case FORM_REVISION:
		return check_revision(check, pointer, value, ret_value);
	case FORM_CHOICE:
		return check_choice(check, row, pointer, value, ret_value);
	case FORM_OBJECT:
		return check_object(check, row->members, row->flags, pointer, value, ret_value);
	default:
		return check_scalar(check, row, pointer, value, ret_value);
	}
}

/* What was refused or taken out since `mark` is as if it had never been there. */
static void take_back(struct form_check *check, size_t n_errors, size_t n_words)
{
	check->n_errors = n_errors;
	check->words.n_items = n_words;
	check->has_dropped = true;
}

static int check_list(struct form_check *check, const struct form *row, const char *pointer,
		      const struct value *list, struct value **ret_value)
{
	size_t n = value_count(list), n_errors = check->n_errors;
	size_t max = row->items ? row->items : FORM_ITEMS_DEFAULT;
	struct value *items;
	int r = 0;

	if (!value_is(list, VALUE_ARRAY))
		return refuse(check, pointer, "must be a list");
	if (!n && (row->flags & FORM_FILLED))
		return refuse(check, pointer, "must not be empty");
	if (n > max && !check->is_lenient)
		return refuse(
			check, pointer,
			arena_printf(check->arena, "must not have more than %zu entries", max));
	items = value_new_array();
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; r >= 0 && i < n && value_count(items) < max; i++) {
		size_t n_before = check->n_errors, n_words = check->words.n_items;
		const char *at = arena_printf(check->arena, "%s/%zu", pointer, i);
		struct value *item = NULL;

		r = at ? check_value(check, row, at, value_at(list, i), &item) : -ENOMEM;
		if (!r)
			r = value_append_take(items, item);
		else if (r > 0 && check->is_lenient)
			take_back(check, n_before, n_words);
	}
	if (check->is_lenient && n > max)
		check->has_dropped = true;
	if (r < 0 || check->n_errors > n_errors) {
		value_free(items);
		return r < 0 ? r : REFUSED;
	}
	*ret_value = items;
	return 0;
}

static int set_checked(struct form_check *check, const struct form *row, const char *pointer,
		       const struct value *value, struct value *args)
{
	struct value *checked = NULL;
	int r;

	r = row->flags & FORM_LIST ? check_list(check, row, pointer, value, &checked)
				   : check_value(check, row, pointer, value, &checked);
	if (r)
		return r;
	if (value_is(checked, VALUE_NULL)) {
		value_free(checked);
		return 0;
	}
	r = value_set_take(args, row->name, checked);
	if (!r && row->type == FORM_USER)
		r = names_set_indexes(check->names, check->arena, value_text(value), args);
	return r > 0 ? refuse(check, pointer, "must be a user name") : r;
}

static int check_member(struct form_check *check, const struct form *row, const char *parent,
			const struct value *value, struct value *args)
{
	size_t n_errors = check->n_errors, n_words = check->words.n_items;
	const char *pointer = extend_pointer(check, parent, text_slice(row->name));
	int r;

	if (!pointer)
		return -ENOMEM;
	if (value_is(value, VALUE_NULL) && (row->flags & FORM_NULLABLE))
		return value_set_null(args, row->name);
	if (!value || value_is(value, VALUE_NULL)) {
		if (!(row->flags & (FORM_REQUIRED | FORM_NULLABLE)))
			return 0;
		return refuse(check, pointer, "is required");
	}
	r = set_checked(check, row, pointer, value, args);
	if (r > 0 && check->is_lenient && !(row->flags & FORM_REQUIRED)) {
		take_back(check, n_errors, n_words);
		return value_remove(args, row->name);
	}
	return r;
}

/* Whatever is not a row is not taken: nobody sets what the interface does not name. */
static int check_names(struct form_check *check, const struct form *form, const char *pointer,
		       const struct value *object)
{
	struct value *member;
	struct slice name;
	int r = 0;

	for (void *at = NULL; r >= 0 && value_each(object, &at, &name, &member);) {
		const struct form *row = form;

		while (row->name && !text_equals(text_slice(row->name), name))
			row++;
		if (row->name)
			continue;
		if (check->is_lenient)
			check->has_dropped = true;
		else
			r = refuse(check, extend_pointer(check, pointer, name),
				   "is not known here");
	}
	return r < 0 ? r : 0;
}

static int check_object(struct form_check *check, const struct form *form, unsigned flags,
			const char *pointer, const struct value *object, struct value **ret_args)
{
	size_t n_errors = check->n_errors;
	struct value *args;
	int r;

	if (!value_is(object, VALUE_OBJECT))
		return refuse(check, pointer, "must be an object");
	args = value_new_object();
	r = args ? check_names(check, form, pointer, object) : -ENOMEM;
	for (const struct form *row = form; r >= 0 && row->name; row++)
		r = check_member(check, row, pointer, value_get(object, row->name), args);
	if (r >= 0 && check->n_errors == n_errors && (flags & FORM_ONE_OF)) {
		size_t n = 0;

		for (const struct form *row = form; row->name; row++)
			n += value_get(args, row->name) != NULL;
		if (n != 1)
			r = refuse(check, pointer, "must have exactly one member");
	}
	if (r < 0 || check->n_errors > n_errors) {
		value_free(args);
		return r < 0 ? r : REFUSED;
	}
	*ret_args = args;
	return 0;
}

/* Checks a whole body. In every case without a negative return *ret_args is an object. */
int form_check_body(struct form_check *check, const struct form *form, const struct value *body,
		    struct value **ret_args)
{
	int r = check_object(check, form, 0, "", body, ret_args);

	return r == REFUSED ? take(value_new_object(), ret_args) : r;
}

static struct value *write_error(const struct form_error *error)
{
	struct value *object = value_new_object();

	if (!object || value_set_string(object, "pointer", error->pointer) ||
	    value_set_string(object, "detail", error->detail))
		return value_free(object);
	return object;
}

struct value *form_write_errors(const struct form_check *check)
{
	struct value *errors = value_new_array();

	for (size_t i = 0; errors && i < check->n_errors; i++)
		if (value_append_take(errors, write_error(&check->errors[i])))
			errors = value_free(errors);
	return errors;
}
