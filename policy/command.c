/*
 * check, show and publish for the operator's tool. Text goes to a buffer, so that the caller
 * decides where it is printed and tests can read it.
 */

#include "policy/command.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/model.h"

static void print_errors(const struct policy_errors *errors, struct buffer *out)
{
	for (size_t i = 0; i < errors->n_lines; i++)
		buffer_printf(out, "%s\n", errors->lines[i]);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static int read_file(const char *path, struct buffer *bytes)
{
	int fd CLEANUP(close_fd) = open(path, O_RDONLY | O_CLOEXEC);
	char chunk[65536];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (bytes->length + (size_t)n > VALUE_SIZE_MAX)
			return -EFBIG;
		buffer_append(bytes, chunk, (size_t)n);
	}
	return buffer_finish(bytes);
}

int policy_command_open(const char *path, struct policy_set **ret_set, struct buffer *out)
{
	struct policy_errors errors CLEANUP(policy_errors_deinit) = { 0 };
	struct buffer bytes CLEANUP(buffer_deinit) = BUFFER_NULL;
	struct stat status;
	int r;

	if (stat(path, &status) < 0) {
		buffer_printf(out, "%s: %s\n", path, strerror(errno));
		return POLICY_E_REFUSED;
	}
	if (S_ISDIR(status.st_mode)) {
		r = policy_set_load(&path, 1, ret_set, &errors);
	} else {
		r = read_file(path, &bytes);
		if (r < 0 && r != -ENOMEM) {
			buffer_printf(out, "%s: %s\n", path, strerror(-r));
			return POLICY_E_REFUSED;
		}
		if (r == 0)
			r = policy_set_read((struct slice){ bytes.at, bytes.length }, ret_set,
					    &errors);
	}
	print_errors(&errors, out);
	return r;
}

int policy_command_publish(const char *const *directories, size_t n_directories,
			   struct policy_set **ret_set, struct buffer *out)
{
	struct policy_errors errors CLEANUP(policy_errors_deinit) = { 0 };
	int r = policy_set_load(directories, n_directories, ret_set, &errors);

	print_errors(&errors, out);
	return r;
}

int policy_command_check(const char *const *directories, size_t n_directories, struct buffer *out)
{
	struct policy_set *set CLEANUP(policy_set_unrefp) = NULL;
	int r = policy_command_publish(directories, n_directories, &set, out);

	if (r == 0)
		buffer_printf(out,
			      "OK: revision %" PRId64
			      ", version %s, %zu layers, %zu wikis, %zu profiles\n",
			      policy_set_revision(set), policy_set_version(set),
			      policy_set_count_layers(set), policy_set_count_wikis(set),
			      policy_set_count_profiles(set));
	return r < 0 ? r : buffer_finish(out) < 0 ? -ENOMEM : r;
}

/* "Title (de, wiki:dewiki)": what is served, and where it comes from. */
static void print_text(struct buffer *out, const char *indent, const struct value *text)
{
	if (!value_is(text, VALUE_OBJECT))
		return;
	buffer_printf(out, "%s%s (%s, %s%s%s)\n", indent, value_get_string(text, "text"),
		      value_get_string(text, "lang"), value_get_string(text, "layer"),
		      value_is_true(value_get(text, "fallback")) ? ", fallback" : "",
		      value_is_true(value_get(text, "reviewed")) ? "" : ", not reviewed");
}

static void print_rule(struct buffer *out, const struct value *rule)
{
	const char *severity = value_get_string(rule, "severity_floor");
	const struct value *notes = value_get(rule, "notes");

	buffer_printf(out, "%s [%s] section %s, %s, severity %s, privacy %s, route %s%s\n",
		      value_get_string(rule, "id"), value_get_string(rule, "layer"),
		      value_get_string(rule, "section"), value_get_string(rule, "kind"),
		      severity ? severity : "none", value_get_string(rule, "privacy_floor"),
		      value_get_string(rule, "route"),
		      value_is_true(value_get(rule, "mediation")) ? "" : ", no mediation");
	print_text(out, "    ", value_get(rule, "title"));
	print_text(out, "    ", value_get(rule, "text"));
	for (size_t i = 0; i < value_count(notes); i++)
		print_text(out, "    note: ", value_at(notes, i));
}

static void print_list(struct buffer *out, const char *heading, const struct value *list)
{
	buffer_printf(out, "\n%s\n", heading);
	for (size_t i = 0; i < value_count(list); i++) {
		const struct value *item = value_at(list, i);

		buffer_printf(out, "%s [%s]", value_get_string(item, "id"),
			      value_get_string(item, "layer"));
		print_text(out, " ", value_get(item, "title"));
	}
}

static void print_procedure(struct buffer *out, const struct value *procedure)
{
	buffer_append_text(out, "\nprocedure\n");
	for (size_t i = 0; i < POLICY_N_LIMITS; i++) {
		int64_t number = value_integer(value_get(procedure, policy_limits[i].name), 0);
		char text[32];

		if (policy_limits[i].is_duration)
			policy_duration_print(number, text);
		else
			snprintf(text, sizeof(text), "%" PRId64, number);
		buffer_printf(out, "%s %s\n", policy_limits[i].name, text);
	}
}

static void print_policy(struct buffer *out, const struct value *policy)
{
	const struct value *layers = value_get(policy, "layers");
	const struct value *rules = value_get(policy, "rules");
	const char *wiki = value_get_string(policy, "wiki");

	buffer_printf(out, "%s: revision %" PRId64 ", version %s, layers", wiki ? wiki : "base",
		      value_integer(value_get(policy, "revision"), 0),
		      value_get_string(policy, "version"));
	for (size_t i = 0; i < value_count(layers); i++)
		buffer_printf(out, " %s", value_string(value_at(layers, i)));
	buffer_append_text(out, "\n\nrules\n");
	for (size_t i = 0; i < value_count(rules); i++)
		print_rule(out, value_at(rules, i));
	print_list(out, "categories", value_get(policy, "categories"));
	print_list(out, "sanctions", value_get(policy, "sanctions"));
	print_procedure(out, value_get(policy, "procedure"));
}

int policy_command_show(const struct policy_set *set, const char *wiki, const char *lang,
			const char *rule, struct buffer *out)
{
	const struct policy_wiki *found = wiki ? policy_set_find_wiki(set, policy_slice(wiki))
					       : NULL;
	struct value *value CLEANUP(value_freep) = NULL;
	struct policy_chain chain;
	int r;

	if (wiki && !found) {
		buffer_printf(out, "no wiki \"%s\" in the registry\n", wiki);
		return POLICY_E_ABSENT;
	}
	policy_chain_init(&chain, set, found, policy_slice(lang), (struct slice){ 0 });
	if (rule)
		r = policy_set_render_rule(set, found, &chain, policy_slice(rule), &value);
	else
		r = policy_set_render(set, found, &chain, &value);
	if (r == POLICY_E_ABSENT)
		buffer_printf(out, "no rule \"%s\" in force there\n", rule);
	if (r != 0)
		return r;
	if (rule)
		print_rule(out, value);
	else
		print_policy(out, value);
	return buffer_finish(out);
}
