/* conductd: reads its arguments and configuration, then is the parent of its processes. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app/files.h"
#include "daemon/app/process.h"
#include "daemon/base/buffer.h"
#include "daemon/base/log.h"

static const char usage[] =
	"usage: conductd [-n | --dump-config] [-c FILE]\n\n"
	"-c FILE        configuration (default /etc/conductd/conductd.yaml)\n"
	"-n             check the configuration and the files that it names, and exit\n"
	"--dump-config  print what is in effect, defaults included, and exit\n"
	"--version      print the version and exit\n"
	"-h, --help     print this and exit\n\n"
	"Stays in the foreground. TERM: stop after what is under way. HUP: read configuration and\n"
	"files again; a bad one keeps the old. USR2: the program that now lies in this one's\n"
	"place takes over the listening sockets, and this one stops when it serves.\n";

struct arguments {
	const char *config_file;
	bool is_check;
	bool is_dump;
};

enum { ARGUMENTS_E_USAGE = 1, ARGUMENTS_E_DONE };

static int arguments_read(int argc, char **argv, struct arguments *arguments)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-n") == 0) {
			arguments->is_check = true;
		} else if (strcmp(argv[i], "--dump-config") == 0) {
			arguments->is_dump = true;
		} else if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
			arguments->config_file = argv[++i];
		} else if (strcmp(argv[i], "--version") == 0) {
			(void)puts("conductd " CONDUCT_VERSION);
			return ARGUMENTS_E_DONE;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			(void)fputs(usage, stdout);
			return ARGUMENTS_E_DONE;
		} else {
			(void)fprintf(stderr, "conductd: %s %s\n%s",
				      strcmp(argv[i], "-c") == 0 ? "a file is missing behind"
								 : "unknown argument",
				      argv[i], usage);
			return ARGUMENTS_E_USAGE;
		}
	}
	return 0;
}

static int dump(const struct config *config)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;

	config_dump(config, &buffer);
	if (buffer_finish(&buffer) < 0)
		return EXIT_FAILURE;
	(void)fputs(buffer.at, stdout);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .config_file = "/etc/conductd/conductd.yaml" };
	struct config_error error = { 0 };
	struct config *config = NULL;
	struct title title = { 0 };
	char text[512];
	int r = arguments_read(argc, argv, &arguments);

	if (r)
		return r == ARGUMENTS_E_DONE ? EXIT_SUCCESS : 2;
	if (arguments.is_check)
		return files_check_all(arguments.config_file) ? EXIT_FAILURE : EXIT_SUCCESS;
	r = config_load(arguments.config_file, &config, &error);
	if (r) {
		config_error_print(arguments.config_file, &error, text, sizeof(text));
		(void)fprintf(stderr, "%s\n", r < 0 ? strerror(-r) : text);
		return EXIT_FAILURE;
	}
	if (arguments.is_dump) {
		r = dump(config);
		config_free(config);
		return r;
	}
	log_init("parent", (enum log_level)config->log_level);
	if (title_init(&title, argc, argv) < 0) {
		config_free(config);
		return EXIT_FAILURE;
	}
	return parent_run(config, &title, argv);
}
