/* conductctl keys status: what this host has of the keys, and how far a rotation is. */

#include <stdio.h>
#include <string.h>

#include "daemon/app/control_keys.h"
#include "daemon/keys/key_file.h"

static int index_key_status(const struct config *config)
{
	struct index_key key = { 0 };
	int r = key_file_load_index(config->index_key_file, &key);

	index_key_deinit(&key);
	(void)printf("index key  %s  %s\n", config->index_key_file, key_file_explain(r));
	return r ? CONTROL_FAILED : CONTROL_OK;
}

static int public_status(const struct keys_work *work)
{
	struct public_keys keys;
	int r = vault_load_public(work->config->vault_public_file, &keys);

	if (r == 0 && work->file.keys.n_intake && public_keys_check(&keys, &work->file.keys))
		r = VAULT_LOAD_E_DIFFERS;
	(void)printf("public     %s  %s", work->config->vault_public_file, vault_load_explain(r));
	if (r == 0)
		(void)printf(": seals to intake key %u", keys.intake.key_id);
	(void)putchar('\n');
	return r ? CONTROL_FAILED : CONTROL_OK;
}

static int vault_key_status(struct keys_work *work)
{
	const char *file = work->config->vault_key_file;
	int r = passphrase_find(work->config->vault_passphrase_file, &work->passphrase);

	if (r) {
		(void)printf("passphrase %s\n", passphrase_explain(r));
		return CONTROL_FAILED;
	}
	r = vault_load_file(work->config, &work->passphrase, &work->file);
	(void)printf("vault key  %s  %s", file, vault_load_explain(r));
	if (r == 0)
		(void)printf(": %zu intake key%s, signs the log as %s", work->file.keys.n_intake,
			     work->file.keys.n_intake == 1 ? "" : "s", work->file.keys.host);
	(void)putchar('\n');
	return r ? CONTROL_FAILED : CONTROL_OK;
}

/* Every key of the database, with how many keys of units are sealed to it; every host. */
static int rotation_status(const struct keys_work *work)
{
	struct pg_rows *rows = NULL;
	int r = keys_query(work,
			   "select k.key_id, k.state, (select count(*) from keyring.stanza s"
			   " where s.key_id = k.key_id) from keyring.vault_key k order by k.key_id",
			   NULL, 0, &rows);

	if (r)
		return r;
	for (int i = 0; i < pg_rows_count(rows); i++)
		(void)printf("key %-6s %-12s %s keys of units are sealed to it\n",
			     pg_rows_text(rows, i, 0), pg_rows_text(rows, i, 1),
			     pg_rows_text(rows, i, 2));
	rows = pg_rows_free(rows);
	r = keys_query(work,
		       "select h.host, h.seals_to, array_to_string(h.key_ids, ', '),"
		       " to_char(h.seen_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI\"Z\"')"
		       " from keyring.vault_host h order by h.host",
		       NULL, 0, &rows);
	if (r)
		return r;
	for (int i = 0; i < pg_rows_count(rows); i++)
		(void)printf("host %s seals to key %s and opens %s (said at %s)\n",
			     pg_rows_text(rows, i, 0), pg_rows_text(rows, i, 1),
			     pg_rows_text(rows, i, 2), pg_rows_text(rows, i, 3));
	pg_rows_free(rows);
	return CONTROL_OK;
}

/* What no vault opens any more: a dump was restored without its keyring, or somebody deleted there.
 */
static int words_status(const struct keys_work *work)
{
	struct pg_rows *rows = NULL;
	int r = keys_query(work,
			   "select count(*) from (select unit_id, generation from conduct.content"
			   " where body <> '' union all select unit_id, generation"
			   " from conduct.attachment a where exists (select"
			   " from conduct.attachment_chunk k"
			   " where k.attachment_id = a.attachment_id)) c where not exists (select"
			   " from keyring.stanza s where s.unit_id = c.unit_id"
			   " and s.generation = c.generation and s.kind = 'vault')",
			   NULL, 0, &rows);

	if (r)
		return r;
	if (strcmp(pg_rows_text(rows, 0, 0), "0") != 0)
		r = control_fail("%s words and files have no key: restore schema keyring from the "
				 "backup that was made with theirs",
				 pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return r;
}

static int database_status(struct control *control, struct keys_work *work)
{
	CLEANUP(index_key_deinit) struct index_key key = { 0 };
	int r = keys_work_start(control, work);

	if (r == 0 && key_file_load_index(work->config->index_key_file, &key) == 0 &&
	    keys_check_index(work, &key))
		r = control_fail("%s: %s", work->config->index_key_file,
				 key_file_explain(KEY_FILE_E_DIFFERS));
	if (r == 0 && !*work->index_mark)
		(void)printf(
			"database   does not know its index key: run `conductctl keys init`\n");
	if (r || !work->file.keys.n_intake)
		return r;
	if (memcmp(work->file.keys.deployment, work->deployment, KEYS_ID_SIZE) != 0)
		return control_fail("%s: %s", work->config->vault_key_file,
				    vault_load_explain(VAULT_LOAD_E_DEPLOYMENT));
	r = keys_compare(work);
	if (r == 0)
		r = rotation_status(work);
	return r ? r : words_status(work);
}

/* Looks at everything, whatever is wrong with one of it. */
int control_keys_status(struct control *control, int argc, char **argv)
{
	CLEANUP(keys_work_deinit) struct keys_work work = { .config = NULL };
	int worst, r;

	if (argc > 1)
		return control_misused("keys status takes no arguments");
	work.config = control_config(control);
	if (!work.config)
		return CONTROL_FAILED;
	worst = index_key_status(work.config);
	r = vault_key_status(&work);
	worst = r ? r : worst;
	r = public_status(&work);
	worst = r ? r : worst;
	r = database_status(control, &work);
	return r ? r : worst;
}
