/*
 * The title of a process. ps reads the memory in which the kernel put the arguments, so that memory
 * is written over; the environment behind them is moved away first to make room.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "daemon/app/title.h"

/* Before anything keeps a pointer into the arguments. Returns 0 or -ENOMEM. */
int title_init(struct title *title, int argc, char **argv)
{
	char *end = argv[0] + strlen(argv[0]) + 1;
	size_t n = 0;

	for (int i = 1; i < argc && argv[i] == end; i++)
		end += strlen(argv[i]) + 1;
	while (environ[n])
		n++;
	for (size_t i = 0; i < n; i++) {
		char *copy;

		if (environ[i] == end)
			end += strlen(environ[i]) + 1;
		copy = strdup(environ[i]);
		if (!copy)
			return -ENOMEM;
		environ[i] = copy;
	}
	title->at = argv[0];
	title->size = (unsigned long)(end - argv[0]);
	return 0;
}

/* Cut to the room there is; also the name that top and the kernel use (15 bytes). */
void title_set(const struct title *title, const char *text)
{
	size_t length = strlen(text);

	(void)prctl(PR_SET_NAME, text);
	if (!title->at || title->size < 2)
		return;
	if (length >= title->size)
		length = title->size - 1;
	memset(title->at, 0, title->size);
	memcpy(title->at, text, length);
}
