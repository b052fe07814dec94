/* conductctl, the operator's tool: finds the row of a command and runs it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app/control.h"

static const char usage[] =
	"usage: conductctl [-c FILE] [--database CONNINFO] COMMAND [ARGUMENTS]\n"
	"       conductctl COMMAND --help\n\n"
	"-c FILE              configuration (default /etc/conductd/conductd.yaml)\n"
	"--database CONNINFO  connect here instead of database.migrate\n"
	"--version            print the version and exit\n"
	"-h, --help           print this, or behind a command how it is used, and exit\n\n";

static void print_name(FILE *file, const struct control_command *command)
{
	(void)fprintf(file, "%s%s%s", command->group, command->name ? " " : "",
		      command->name ? command->name : "");
}

static void print_usage(FILE *file)
{
	(void)fputs(usage, file);
	for (size_t i = 0; i < control_n_commands; i++) {
		const struct control_command *command = &control_commands[i];
		char name[64];

		(void)snprintf(name, sizeof(name), "%s%s%s", command->group,
			       command->name ? " " : "", command->name ? command->name : "");
		(void)fprintf(file, "  %-15s %s\n", name, command->summary);
	}
}

static int print_help(const struct control_command *command)
{
	(void)fputs("usage: conductctl [-c FILE] [--database CONNINFO] ", stdout);
	print_name(stdout, command);
	(void)printf("%s%s\n\n%s", *command->arguments ? " " : "", command->arguments,
		     command->help);
	return CONTROL_OK;
}

/* Finds the row and how many words it took. */
static const struct control_command *find_command(int argc, char **argv, int *ret_n_words)
{
	for (size_t i = 0; i < control_n_commands; i++) {
		const struct control_command *command = &control_commands[i];
		int n_words = command->name ? 2 : 1;

		if (argc < n_words || strcmp(argv[0], command->group) != 0)
			continue;
		if (command->name && strcmp(argv[1], command->name) != 0)
			continue;
		*ret_n_words = n_words;
		return command;
	}
	return NULL;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

/* Without a word the whole list helps; behind a wrong one it would hide which. */
static void print_strange(int argc, char **argv)
{
	bool is_group = false;

	if (argc == 0) {
		print_usage(stderr);
		return;
	}
	for (size_t i = 0; i < control_n_commands; i++)
		is_group = is_group || strcmp(argv[0], control_commands[i].group) == 0;
	(void)fprintf(stderr, "conductctl: there is no command %s%s%s; --help lists them\n",
		      argv[0], is_group && argc > 1 ? " " : "",
		      is_group && argc > 1 ? argv[1] : "");
}

/* Whether a command's usage names the option. */
static bool is_option_of(const struct control_command *command, const char *option)
{
	size_t length = strlen(option);
	const char *at = command->arguments;

	while ((at = strstr(at, option))) {
		at += length;
		if (*at == '\0' || strchr(" ].", *at))
			return true;
	}
	return false;
}

/* An option that the command does not have, which it would take for a file; NULL: there is none. */
static const char *find_strange_option(const struct control_command *command, int argc, char **argv)
{
	for (int i = 0; *command->arguments && i < argc; i++) {
		bool is_value = i > 0 && strncmp(argv[i - 1], "--", 2) == 0;

		if (strncmp(argv[i], "--", 2) == 0 && !is_value && !is_option_of(command, argv[i]))
			return argv[i];
	}
	return NULL;
}

static int command_run(struct control *control, int argc, char **argv)
{
	const struct control_command *command;
	const char *strange;
	int n_words = 0;

	command = argc > 0 ? find_command(argc, argv, &n_words) : NULL;
	if (!command && wants_help(argc, argv)) {
		print_usage(stdout);
		return CONTROL_OK;
	}
	if (!command) {
		print_strange(argc, argv);
		return CONTROL_USAGE;
	}
	if (wants_help(argc - n_words, argv + n_words))
		return print_help(command);
	strange = find_strange_option(command, argc - n_words, argv + n_words);
	if (strange) {
		(void)fputs("conductctl: ", stderr);
		print_name(stderr, command);
		(void)fprintf(stderr, ": unknown argument %s\n", strange);
		return CONTROL_USAGE;
	}
	return command->run(control, argc - n_words + 1, argv + n_words - 1);
}

int main(int argc, char **argv)
{
	struct control control = { .config_file = "/etc/conductd/conductd.yaml" };
	int at = 1;
	int r;

	while (at < argc && argv[at][0] == '-') {
		if (wants_help(1, argv + at)) {
			print_usage(stdout);
			return CONTROL_OK;
		}
		if (strcmp(argv[at], "--version") == 0) {
			(void)puts("conductctl " CONDUCT_VERSION);
			return CONTROL_OK;
		}
		if (at + 1 < argc && strcmp(argv[at], "-c") == 0) {
			control.config_file = argv[at + 1];
		} else if (at + 1 < argc && strcmp(argv[at], "--database") == 0) {
			control.database = argv[at + 1];
		} else {
			(void)fprintf(stderr,
				      "conductctl: %s is no option, or lacks its value; --help "
				      "lists them\n",
				      argv[at]);
			return CONTROL_USAGE;
		}
		at += 2;
	}
	r = command_run(&control, argc - at, argv + at);
	config_free(control.config);
	return control_finish(r);
}
