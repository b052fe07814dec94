/* conductctl keys: the files of secrets that this host needs. */

#include <stdio.h>

#include "daemon/app/control.h"
#include "daemon/keys/key_file.h"

int control_keys_init(struct control *control, int argc, char **argv)
{
	const struct config *config;
	int r;

	if (argc > 1)
		return control_misused("keys init takes no arguments");
	config = control_config(control);
	if (!config)
		return CONTROL_FAILED;
	r = key_file_create_index(config->index_key_file);
	if (r)
		return control_fail("%s: %s", config->index_key_file, key_file_explain(r));
	(void)printf("made %s\n", config->index_key_file);
	return CONTROL_OK;
}

int control_keys_status(struct control *control, int argc, char **argv)
{
	struct index_key key = { 0 };
	const struct config *config;
	int r;

	if (argc > 1)
		return control_misused("keys status takes no arguments");
	config = control_config(control);
	if (!config)
		return CONTROL_FAILED;
	r = key_file_load_index(config->index_key_file, &key);
	index_key_deinit(&key);
	(void)printf("index key  %s  %s\n", config->index_key_file, key_file_explain(r));
	return r ? CONTROL_FAILED : CONTROL_OK;
}
