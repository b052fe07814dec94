/*
 * Checks JSON bodies against tables. All faults are collected, so that a form can mark each field
 * at once; what no row names is a fault, so nothing can be slipped in (`state`, `reporter_id`).
 * Pointers name members of the table only where they exist there: an unknown member's name is the
 * client's text and is repeated in escaped, shortened form.
 */

#include "api/http/shape.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FAULTS_MAX = 100, POINTER_MAX = 256, NAME_MAX = 64 };

struct shape_faults {
	struct arena *arena;
	struct value *list;
	int error; /* the first negative return */
};

static void free_value(void *value)
{
	value_free(value);
}

/* An empty list of faults, freed with the arena. */
int shape_faults_new(struct arena *arena, struct shape_faults **ret_faults)
{
	struct shape_faults *faults = arena_alloc(arena, sizeof(*faults));
	int r;

	if (!faults)
		return -ENOMEM;
	faults->arena = arena;
	faults->list = value_new_array();
	if (!faults->list)
		return -ENOMEM;
	r = arena_take(arena, faults->list, free_value);
	if (r)
		return r;
	*ret_faults = faults;
	return 0;
}

/* Adds a fault. After FAULTS_MAX the rest is not told: a body of faults must not cost us memory. */
void shape_fault(struct shape_faults *faults, const char *pointer, const char *detail)
{
	struct value *fault;
	int r;

	if (value_count(faults->list) >= FAULTS_MAX || faults->error)
		return;
	fault = value_new_object();
	r = fault ? value_set_string(fault, "pointer", pointer) : -ENOMEM;
	if (!r)
		r = value_set_string(fault, "detail", detail);
	if (r) {
		value_free(fault);
		faults->error = r;
		return;
	}
	faults->error = value_append_take(faults->list, fault);
}

/* How many faults have been told. */
size_t shape_n_faults(const struct shape_faults *faults)
{
	return value_count(faults->list);
}

static void PRINTF(3, 4)
	fault_at(struct shape_faults *faults, const char *pointer, const char *format, ...)
{
	char detail[160];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(detail, sizeof(detail), format, arguments);
	va_end(arguments);
	shape_fault(faults, pointer, detail);
}

/* pointer + "/" + name, `~` and `/` escaped (RFC 6901 section 3), cut at whole characters. */
static void extend(char ret_pointer[POINTER_MAX], const char *pointer, struct slice name)
{
	size_t at = (size_t)snprintf(ret_pointer, POINTER_MAX, "%s/", pointer);
	size_t length = name.length;

	if (at >= POINTER_MAX)
		return;
	if (length > NAME_MAX)
		for (length = NAME_MAX; length && (name.at[length] & 0xc0) == 0x80;)
			length--;
	for (size_t i = 0; i < length && at + 3 < POINTER_MAX; i++) {
		char c = name.at[i];

		if (c == '~' || c == '/') {
			ret_pointer[at++] = '~';
			c = c == '~' ? '0' : '1';
		}
		ret_pointer[at++] = c;
	}
	ret_pointer[at] = '\0';
	/* A name cut by the pointer's own room may end inside a character. */
	while (at && !text_is_utf8((struct slice){ ret_pointer, at }))
		ret_pointer[--at] = '\0';
}

static void check(const struct value *value, const struct shape *shape, const char *pointer,
		  struct shape_faults *faults);

static bool is_blank(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (!strchr(" \t\r\n", text.at[i]))
			return false;
	return true;
}

static void check_text(const struct value *value, const struct shape *shape, const char *pointer,
		       struct shape_faults *faults)
{
	struct slice text = value_text(value), normal;
	int r;

	if (!text.at) {
		shape_fault(faults, pointer, "must be text");
		return;
	}
	if (!(shape->flags & SHAPE_EMPTY) && is_blank(text)) {
		shape_fault(faults, pointer, "must not be empty");
		return;
	}
	r = text_normalise(faults->arena, text, (size_t)shape->max, &normal);
	if (r < 0)
		faults->error = r;
	else if (r == TEXT_E_TOO_LONG)
		fault_at(faults, pointer, "must have at most %" PRId64 " characters", shape->max);
	else if (r)
		shape_fault(faults, pointer, "must be valid text");
}

static void check_token(const struct value *value, const struct shape *shape, const char *pointer,
			struct shape_faults *faults)
{
	struct slice text = value_text(value);
	bool is_sound = text.at && text.length > 0 && text.length <= (size_t)shape->max;

	for (size_t i = 0; is_sound && i < text.length; i++)
		is_sound = text.at[i] > ' ' && text.at[i] < 0x7f;
	if (!is_sound)
		fault_at(faults, pointer, "must be a word of at most %" PRId64 " characters",
			 shape->max);
}

static void check_enum(const struct value *value, const struct shape *shape, const char *pointer,
		       struct shape_faults *faults)
{
	CLEANUP(buffer_deinit) struct buffer detail = BUFFER_NULL;
	struct slice text = value_text(value);

	buffer_append_text(&detail, "must be one of");
	for (size_t i = 0; shape->words[i]; i++) {
		if (text.at && strlen(shape->words[i]) == text.length &&
		    memcmp(shape->words[i], text.at, text.length) == 0)
			return;
		buffer_printf(&detail, "%s %s", i ? "," : "", shape->words[i]);
	}
	if (buffer_finish(&detail))
		faults->error = -ENOMEM;
	else
		shape_fault(faults, pointer, detail.at);
}

static void check_array(const struct value *value, const struct shape *shape, const char *pointer,
			struct shape_faults *faults)
{
	size_t count = value_count(value);

	if (!value_is(value, VALUE_ARRAY)) {
		shape_fault(faults, pointer, "must be an array");
		return;
	}
	if (count < (size_t)shape->min || count > (size_t)shape->max) {
		fault_at(faults, pointer, "must have %" PRId64 " to %" PRId64 " items", shape->min,
			 shape->max);
		return;
	}
	for (size_t i = 0; i < count && shape->item; i++) {
		char below[POINTER_MAX], index[24];

		snprintf(index, sizeof(index), "%zu", i);
		extend(below, pointer, (struct slice){ index, strlen(index) });
		check(value_at(value, i), shape->item, below, faults);
	}
}

static const struct shape *find_member(const struct shape *members, struct slice name)
{
	for (const struct shape *at = members; at->member; at++)
		if (strlen(at->member) == name.length &&
		    memcmp(at->member, name.at, name.length) == 0)
			return at;
	return NULL;
}

static void check_object(const struct value *value, const struct shape *members,
			 const char *pointer, struct shape_faults *faults)
{
	char below[POINTER_MAX];
	struct value *member;
	struct slice name;

	if (!value_is(value, VALUE_OBJECT)) {
		shape_fault(faults, pointer, "must be an object");
		return;
	}
	for (void *at = NULL; value_each(value, &at, &name, &member);) {
		const struct shape *shape = find_member(members, name);

		extend(below, pointer, name);
		if (shape)
			check(member, shape, below, faults);
		else
			shape_fault(faults, below, "is not known here");
	}
	for (const struct shape *at = members; at->member; at++) {
		if (!(at->flags & SHAPE_REQUIRED) || value_get(value, at->member))
			continue;
		extend(below, pointer, (struct slice){ at->member, strlen(at->member) });
		shape_fault(faults, below, "is required");
	}
}

static void check_integer(const struct value *value, const struct shape *shape, const char *pointer,
			  struct shape_faults *faults)
{
	int64_t integer = value_integer(value, 0);

	if (!value_is(value, VALUE_INTEGER) || integer < shape->min || integer > shape->max)
		fault_at(faults, pointer, "must be a whole number from %" PRId64 " to %" PRId64,
			 shape->min, shape->max);
}

static void check(const struct value *value, const struct shape *shape, const char *pointer,
		  struct shape_faults *faults)
{
	struct slice text = value_text(value);
	int64_t usec;

	if (value_is(value, VALUE_NULL) && (shape->flags & SHAPE_NULLABLE)) {
		if (shape->flags & SHAPE_REQUIRED)
			shape_fault(faults, pointer, "is required");
		return;
	}
	switch (shape->type) {
	case SHAPE_TEXT:
		check_text(value, shape, pointer, faults);
		break;
	case SHAPE_TOKEN:
		check_token(value, shape, pointer, faults);
		break;
	case SHAPE_UUID:
		if (!text.at || !text_is_uuid(text))
			shape_fault(faults, pointer, "must be a UUID in lower case");
		break;
	case SHAPE_TIMESTAMP:
		if (!text.at || text_read_timestamp(text, &usec))
			shape_fault(faults, pointer, "must be a time such as 2026-11-20T10:00:00Z");
		break;
	case SHAPE_ENUM:
		check_enum(value, shape, pointer, faults);
		break;
	case SHAPE_INTEGER:
		check_integer(value, shape, pointer, faults);
		break;
	case SHAPE_BOOLEAN:
		if (!value_is(value, VALUE_BOOLEAN))
			shape_fault(faults, pointer, "must be true or false");
		break;
	case SHAPE_OBJECT:
		check_object(value, shape->members, pointer, faults);
		break;
	case SHAPE_ARRAY:
		check_array(value, shape, pointer, faults);
		break;
	case SHAPE_ANY:
		break;
	}
}

/* Appends the faults of `value` as an object with these members. */
int shape_check(const struct value *value, const struct shape *members, struct shape_faults *faults)
{
	check_object(value, members, "", faults);
	return faults->error;
}

/* The 422 with every fault that was found. */
void shape_refuse(struct exchange *exchange, const struct shape_faults *faults)
{
	CLEANUP(value_freep) struct value *params = value_new_array();
	int r = faults->error;

	if (!r)
		r = params ? 0 : -ENOMEM;
	if (!r)
		r = value_append_take(params, value_new_integer((int64_t)shape_n_faults(faults)));
	if (r) {
		exchange_fail(exchange, r);
		return;
	}
	exchange_reply_problem(exchange, &(struct problem){
						 .status = 422,
						 .key = "conduct-invalid-body",
						 .params = params,
						 .errors = faults->list,
					 });
}

/* Checks the body of an exchange; on false it has been answered. */
bool shape_accept(struct exchange *exchange, const struct shape *members)
{
	struct shape_faults *faults = NULL;
	int r = shape_faults_new(exchange->arena, &faults);

	if (!r)
		r = shape_check(exchange->json, members, faults);
	if (r) {
		exchange_fail(exchange, r);
		return false;
	}
	if (shape_n_faults(faults) == 0)
		return true;
	shape_refuse(exchange, faults);
	return false;
}

/* A text member in normal form. */
int shape_read_text(struct arena *arena, const struct value *object, const char *member,
		    size_t max_points, struct slice *ret_text)
{
	const struct value *value = value_get(object, member);
	struct slice text = value_text(value);
	int r;

	if (!value || value_is(value, VALUE_NULL)) {
		*ret_text = (struct slice){ NULL, 0 };
		return 0;
	}
	if (!text.at)
		return SHAPE_E_INVALID;
	r = text_normalise(arena, text, max_points, ret_text);
	return r > 0 ? SHAPE_E_INVALID : r;
}
