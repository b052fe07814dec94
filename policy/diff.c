/*
 * The difference of two sets, by layer: their canonical forms are compared member by member, so a
 * difference is never overlooked because nobody thought of printing it.
 */

#include "policy/command.h"

#include <inttypes.h>
#include <string.h>

#include "policy/model.h"

enum { PATH_MAX_LENGTH = 512 };

struct diff {
	struct buffer *out;
	const char *heading; /* printed before the first difference under it */
	bool has_heading;
	size_t n_differences;
};

static void print_scalar(struct buffer *out, const struct value *value)
{
	struct slice text = value_text(value);

	if (text.at)
		buffer_append(out, text.at, text.length);
	else
		value_write(value, out);
}

static void print_difference(struct diff *diff, char sign, const char *path,
			     const struct value *from, const struct value *to)
{
	if (!diff->has_heading)
		buffer_printf(diff->out, "%s\n", diff->heading);
	diff->has_heading = true;
	diff->n_differences++;
	buffer_printf(diff->out, "  %c %s", sign, path);
	if (from && to) {
		buffer_append_text(diff->out, ": ");
		print_scalar(diff->out, from);
		buffer_append_text(diff->out, " -> ");
		print_scalar(diff->out, to);
	} else if (!value_is(from ? from : to, VALUE_OBJECT)) {
		buffer_append_text(diff->out, ": ");
		print_scalar(diff->out, from ? from : to);
	}
	buffer_append_char(diff->out, '\n');
}

static void path_join(char path[PATH_MAX_LENGTH], const char *parent, struct slice key)
{
	struct buffer text CLEANUP(buffer_deinit) = BUFFER_NULL;

	buffer_printf(&text, "%s%s%.*s", parent, *parent ? " " : "", (int)key.length, key.at);
	path[0] = '\0';
	if (buffer_finish(&text) == 0)
		strncat(path, text.at, PATH_MAX_LENGTH - 1);
}

static void compare(struct diff *diff, const char *path, const struct value *from,
		    const struct value *to);

static void compare_members(struct diff *diff, const char *path, const struct value *from,
			    const struct value *to)
{
	char below[PATH_MAX_LENGTH];
	struct slice key;
	struct value *member;

	for (void *at = NULL; value_each(from, &at, &key, &member);) {
		path_join(below, path, key);
		compare(diff, below, member, value_get(to, key.at));
	}
	for (void *at = NULL; value_each(to, &at, &key, &member);) {
		path_join(below, path, key);
		if (!value_get(from, key.at))
			compare(diff, below, NULL, member);
	}
}

static void compare(struct diff *diff, const char *path, const struct value *from,
		    const struct value *to)
{
	if (from && to && value_equals(from, to))
		return;
	if (value_is(from, VALUE_OBJECT) && value_is(to, VALUE_OBJECT))
		compare_members(diff, path, from, to);
	else
		print_difference(diff, !from ? '+' : !to ? '-' : '~', path, from, to);
}

/* The n-th file of a layer (one a directory), or NULL. */
static const struct value *find_layer(const struct value *layers, const char *kind, const char *id,
				      size_t number)
{
	for (size_t i = 0; i < value_count(layers); i++) {
		const struct value *layer = value_at(layers, i);

		if (strcmp(value_get_string(layer, "layer"), kind) == 0 &&
		    strcmp(value_get_string(layer, "id"), id) == 0 && number-- == 0)
			return layer;
	}
	return NULL;
}

static size_t number_of(const struct value *layers, size_t index)
{
	const struct value *layer = value_at(layers, index);
	size_t number = 0;

	for (size_t i = 0; i < index; i++) {
		const struct value *other = value_at(layers, i);

		number += value_equals(value_get(other, "id"), value_get(layer, "id")) &&
			  value_equals(value_get(other, "layer"), value_get(layer, "layer"));
	}
	return number;
}

static int compare_layer(struct diff *diff, const struct value *from, const struct value *to)
{
	const struct value *either = from ? from : to;
	struct buffer heading CLEANUP(buffer_deinit) = BUFFER_NULL;

	buffer_printf(&heading, "%s:%s%s", value_get_string(either, "layer"),
		      value_get_string(either, "id"),
		      !from ? " (new)"
		      : !to ? " (gone)"
			    : "");
	if (buffer_finish(&heading) < 0)
		return -ENOMEM;
	diff->heading = heading.at;
	diff->has_heading = false;
	compare_members(diff, "", from, to);
	diff->heading = NULL;
	return 0;
}

static int compare_layers(struct diff *diff, const struct value *from, const struct value *to)
{
	int r = 0;

	for (size_t i = 0; i < value_count(from) && r == 0; i++) {
		const struct value *layer = value_at(from, i);

		r = compare_layer(diff, layer,
				  find_layer(to, value_get_string(layer, "layer"),
					     value_get_string(layer, "id"), number_of(from, i)));
	}
	for (size_t i = 0; i < value_count(to) && r == 0; i++) {
		const struct value *layer = value_at(to, i);

		if (!find_layer(from, value_get_string(layer, "layer"),
				value_get_string(layer, "id"), number_of(to, i)))
			r = compare_layer(diff, NULL, layer);
	}
	return r;
}

static void compare_part(struct diff *diff, const char *name, const struct value *from,
			 const struct value *to)
{
	diff->heading = name;
	diff->has_heading = false;
	compare_members(diff, "", value_get(from, name), value_get(to, name));
}

int policy_command_diff(const struct policy_set *from, const struct policy_set *to,
			struct buffer *out)
{
	struct value *left CLEANUP(value_freep) = NULL, *right CLEANUP(value_freep) = NULL;
	struct diff diff = { .out = out };
	int r = value_parse(policy_set_canonical(from), &left, NULL);

	if (r == 0)
		r = value_parse(policy_set_canonical(to), &right, NULL);
	if (r != 0)
		return r < 0 ? r : -EINVAL;
	if (strcmp(policy_set_version(from), policy_set_version(to)) == 0) {
		buffer_append_text(out, "no differences\n");
		return buffer_finish(out);
	}
	buffer_printf(out, "revision %" PRId64 " -> %" PRId64 "\nversion %s -> %s\n",
		      policy_set_revision(from), policy_set_revision(to), policy_set_version(from),
		      policy_set_version(to));
	r = compare_layers(&diff, value_get(left, "layers"), value_get(right, "layers"));
	if (r < 0)
		return r;
	compare_part(&diff, "registry", left, right);
	compare_part(&diff, "languages", left, right);
	return buffer_finish(out);
}
