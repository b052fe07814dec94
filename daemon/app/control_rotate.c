/*
 * conductctl keys rotate, import, activate, destroy, escrow: another intake key takes over while
 * everything goes on. First every host's vault has the new key, then web seals to it, then the
 * worker seals again what is older; the old private half goes last. Every step may be interrupted
 * and run again, and none is taken before the one ahead of it holds on all hosts.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app/control_keys.h"
#include "daemon/base/codec.h"
#include "daemon/keys/escrow.h"
#include "daemon/keys/key_file.h"

static const char reload_hint[] = "Reload the daemon of this host now (HUP; systemctl reload "
				  "conductd).\n";

/* The key that waits for its activation; 0: none. */
static int pending_find(const struct keys_work *work, uint32_t *ret_key_id)
{
	struct pg_rows *rows = NULL;
	int r = keys_query(
		work, "select max(k.key_id) from keyring.vault_key k where k.state = 'pending'",
		NULL, 0, &rows);

	if (r == 0) {
		const char *text = pg_rows_text(rows, 0, 0);

		*ret_key_id = text ? (uint32_t)strtoul(text, NULL, 10) : 0;
	}
	pg_rows_free(rows);
	return r;
}

/* Two hosts that rotate at once: the second one waits, and finds the key of the first. */
static int keys_lock(struct keys_work *work)
{
	int r = keys_query(work, "begin", NULL, 0, NULL);

	if (r == 0)
		r = keys_query(work, "lock table keyring.vault_key in share row exclusive mode",
			       NULL, 0, NULL);
	return r ? r : keys_ask_database(work);
}

static int key_make(struct keys_work *work, uint32_t *ret_key_id)
{
	uint32_t newest_id = vault_keys_newest(&work->file.keys)->key_id;
	int r;

	/* An earlier run has come as far as the file. */
	if (newest_id > work->newest_id) {
		*ret_key_id = newest_id;
		return CONTROL_OK;
	}
	r = vault_keys_add(&work->file.keys, work->newest_id + 1);
	if (r)
		return control_fail("%s", r == VAULT_KEYS_E_FULL
						  ? "the key file is full: destroy retired keys "
						    "first (conductctl keys destroy)"
						  : strerror(r < 0 ? -r : EINVAL));
	*ret_key_id = work->newest_id + 1;
	return keys_write_file(work, false);
}

static int intake_rotate(struct keys_work *work)
{
	uint32_t key_id = 0;
	int r;

	r = keys_lock(work);
	if (r)
		return r;
	if (!work->active_id)
		return control_fail("there is no active intake key: run `conductctl keys init`");
	r = pending_find(work, &key_id);
	if (r)
		return r;
	if (key_id && !vault_keys_find(&work->file.keys, key_id))
		return control_fail("another host has made intake key %u already: copy its key "
				    "file here and run `conductctl keys import FILE`",
				    key_id);
	if (!key_id) {
		r = key_make(work, &key_id);
		if (r == 0)
			r = keys_register(work);
	} else {
		r = control_settle(work->session);
	}
	if (r == 0)
		r = keys_check(work, key_id);
	if (r == 0)
		r = keys_query(work, "commit", NULL, 0, NULL);
	if (r == 0)
		(void)printf("Intake key %u is pending in %s. The escrow shares open this file as "
			     "they did the last one.\n%sOn every other host, import a copy of this "
			     "file (conductctl keys import FILE) and reload.\n"
			     "Then: conductctl keys activate, on each host.\n",
			     key_id, work->config->vault_key_file, reload_hint);
	return r;
}

/* The log goes on under another key of this host. */
static int log_rotate(struct keys_work *work)
{
	char host[VAULT_HOST_MAX + 1], old[2 * ED25519_KEY_SIZE + 1];
	struct public_keys public;
	int r = vault_load_public(work->config->vault_public_file, &public);

	if (r)
		return control_fail("%s: %s", work->config->vault_public_file,
				    vault_load_explain(r));
	codec_hex_encode(old, public.log_key, ED25519_KEY_SIZE);
	memcpy(host, work->file.keys.host, sizeof(host));
	r = vault_keys_change_host(&work->file.keys, host);
	if (r)
		return control_fail("%s", strerror(-r));
	r = keys_write_file(work, false);
	if (r == 0)
		r = keys_write_public(work, public.intake.key_id);
	if (r == 0)
		(void)printf("%s signs the log with another key. Keep the old public key %s: what "
			     "it has signed is verified with it.\n%s",
			     host, old, reload_hint);
	return r;
}

int control_keys_rotate(struct control *control, int argc, char **argv)
{
	CLEANUP(keys_work_deinit) struct keys_work work = { .config = NULL };
	bool is_log = false;
	const struct control_option options[] = { { "--log", NULL, &is_log, false } };
	int r = control_read_options("keys rotate", argc, argv, options, ARRAY_SIZE(options));

	if (r == 0)
		r = keys_work_open(control, &work);
	if (r)
		return r;
	return is_log ? log_rotate(&work) : intake_rotate(&work);
}

static int other_load(const char *file, const struct passphrase *passphrase,
		      struct vault_file *ret_file)
{
	char text[VAULT_FILE_TEXT_MAX];
	size_t length = 0;
	int r = key_file_load(file, KEY_FILE_SECRET, text, sizeof(text), &length);

	if (r)
		return control_fail("%s: %s", file, key_file_explain(r));
	r = vault_file_read((struct slice){ text, length }, passphrase_slice(passphrase), ret_file);
	if (r)
		r = control_fail("%s: %s", file,
				 vault_load_explain(r == VAULT_FILE_E_PASSPHRASE
							    ? VAULT_LOAD_E_PASSPHRASE
							    : VAULT_LOAD_E_MALFORMED));
	return r;
}

/* What has been destroyed elsewhere does not come back with an older file. */
static int destroyed_remove(struct keys_work *work)
{
	struct pg_rows *rows = NULL;
	int r = keys_query(work,
			   "select k.key_id from keyring.vault_key k where k.state = 'destroyed'",
			   NULL, 0, &rows);

	for (int i = 0; r == 0 && i < pg_rows_count(rows); i++)
		(void)vault_keys_remove(&work->file.keys,
					(uint32_t)strtoul(pg_rows_text(rows, i, 0), NULL, 10));
	pg_rows_free(rows);
	return r;
}

int control_keys_import(struct control *control, int argc, char **argv)
{
	CLEANUP(keys_work_deinit) struct keys_work work = { .config = NULL };
	CLEANUP(vault_file_deinit) struct vault_file other = { .keys = { .n_intake = 0 } };
	CLEANUP(passphrase_deinit) struct passphrase given = { .length = 0 };
	const char *passphrase = NULL;
	const struct control_option options[] = { { "--passphrase", &passphrase, NULL, false } };
	size_t n_new = 0;
	int r;

	if (argc < 2 || argv[1][0] == '-')
		return control_misused("keys import: FILE is missing");
	r = control_read_options("keys import", argc - 1, argv + 1, options, ARRAY_SIZE(options));
	if (r == 0)
		r = keys_work_open(control, &work);
	if (r == 0 && passphrase && (r = passphrase_read(passphrase, &given)) != 0)
		r = control_fail("%s: %s", passphrase, passphrase_explain(r));
	if (r == 0)
		r = other_load(argv[1], passphrase ? &given : &work.passphrase, &other);
	if (r)
		return r;
	r = vault_keys_merge(&work.file.keys, &other.keys, &n_new);
	if (r)
		return control_fail("%s: %s", argv[1],
				    r == VAULT_KEYS_E_FULL
					    ? "too many keys: destroy retired ones first"
					    : "these are the keys of another vault");
	r = destroyed_remove(&work);
	if (r == 0)
		r = keys_write_file(&work, false);
	if (r == 0)
		r = keys_register(&work);
	if (r == 0)
		(void)printf("%s has %zu more intake keys.\n%s", work.config->vault_key_file, n_new,
			     reload_hint);
	return r;
}

/* One that is gone for good neither opens nor seals. */
static int host_forget(const struct keys_work *work, const char *host)
{
	const char *const params[] = { host };
	struct pg_rows *rows = NULL;
	int r = keys_query(work, "delete from keyring.vault_host where host = $1 returning host",
			   params, 1, &rows);

	if (r == 0 && pg_rows_count(rows) == 0)
		r = control_fail("--without: there is no host %s (conductctl keys status)", host);
	pg_rows_free(rows);
	return r;
}

/* A host that cannot open what others seal must not learn of it from its readers. */
static int hosts_check(const struct keys_work *work, const char *id)
{
	const char *const params[] = { id };
	struct pg_rows *rows = NULL;
	int r = keys_query(work,
			   "select string_agg(h.host, ', ' order by h.host)"
			   " from keyring.vault_host h where not $1::integer = any (h.key_ids)",
			   params, 1, &rows);

	if (r == 0 && pg_rows_text(rows, 0, 0))
		r = control_fail("the vaults of these hosts have not said that they have intake "
				 "key %s: %s. Import it there and reload their daemons; a host "
				 "that is gone for good is left out with --without HOST",
				 id, pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return r;
}

static int state_activate(const struct keys_work *work, const char *id)
{
	const char *const params[] = { id };
	int r = keys_query(work, "begin", NULL, 0, NULL);

	if (r == 0)
		r = keys_query(work,
			       "update keyring.vault_key set state = 'decrypt_only',"
			       " changed_at = conduct.clock() where state = 'active'"
			       " and key_id <> $1::integer",
			       params, 1, NULL);
	if (r == 0)
		r = keys_query(work,
			       "update keyring.vault_key set state = 'active',"
			       " changed_at = conduct.clock() where state = 'pending'"
			       " and key_id = $1::integer",
			       params, 1, NULL);
	return r ? r : keys_query(work, "commit", NULL, 0, NULL);
}

int control_keys_activate(struct control *control, int argc, char **argv)
{
	CLEANUP(keys_work_deinit) struct keys_work work = { .config = NULL };
	const char *without = NULL;
	const struct control_option options[] = { { "--without", &without, NULL, false } };
	uint32_t key_id = 0;
	char id[16];
	int r = control_read_options("keys activate", argc, argv, options, ARRAY_SIZE(options));

	if (r == 0)
		r = keys_work_open(control, &work);
	if (r == 0)
		r = pending_find(&work, &key_id);
	if (r)
		return r;
	if (!key_id)
		key_id = work.active_id;
	if (!vault_keys_find(&work.file.keys, key_id))
		return control_fail("%s lacks intake key %u: import it from another host's key "
				    "file first (conductctl keys import)",
				    work.config->vault_key_file, key_id);
	(void)snprintf(id, sizeof(id), "%u", key_id);
	r = keys_check(&work, key_id);
	if (r == 0 && without)
		r = host_forget(&work, without);
	if (r == 0 && key_id != work.active_id) {
		r = hosts_check(&work, id);
		if (r == 0)
			r = state_activate(&work, id);
	}
	if (r == 0)
		r = control_settle(work.session);
	if (r == 0)
		r = keys_write_public(&work, key_id);
	if (r == 0)
		(void)printf("Intake key %u is active.\n%sRun this on every other host as well. "
			     "The worker seals again what is sealed to older keys;\n"
			     "conductctl keys status says how far it is.\n",
			     key_id, reload_hint);
	return r;
}

/* Nothing is sealed to the key, and nobody seals to it. */
static int destroy_check(const struct keys_work *work, const char *id)
{
	const char *const params[] = { id };
	struct pg_rows *rows = NULL;
	int r = keys_query(work,
			   "select k.state, (select string_agg(h.host, ', ' order by h.host)"
			   " from keyring.vault_host h where h.seals_to = k.key_id)"
			   " from keyring.vault_key k where k.key_id = $1::integer",
			   params, 1, &rows);

	if (r)
		return r;
	if (pg_rows_count(rows) != 1)
		r = control_fail("there is no intake key %s (conductctl keys status)", id);
	else if (strcmp(pg_rows_text(rows, 0, 0), "active") == 0)
		r = control_fail("intake key %s is the active one: `conductctl keys rotate` makes "
				 "another, which takes over first",
				 id);
	else if (pg_rows_text(rows, 0, 1))
		r = control_fail("these hosts still seal to intake key %s: %s. Run `conductctl "
				 "keys activate` there and reload their daemons; a host that is "
				 "gone for good is forgotten with `conductctl keys activate "
				 "--without HOST`",
				 id, pg_rows_text(rows, 0, 1));
	else if (strcmp(pg_rows_text(rows, 0, 0), "retired") != 0 &&
		 strcmp(pg_rows_text(rows, 0, 0), "destroyed") != 0)
		r = control_fail("intake key %s is %s: only a retired key is destroyed. The worker "
				 "retires a key an hour after another one took over, when no unit "
				 "is sealed to it any more (conductctl keys status)",
				 id, pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return r;
}

static int key_destroy(struct keys_work *work, uint32_t key_id, const char *id)
{
	const char *const params[] = { id };
	struct public_keys public;
	int r;

	if (vault_load_public(work->config->vault_public_file, &public) == 0 &&
	    public.intake.key_id == key_id)
		return control_fail("%s still names intake key %s: run `conductctl keys activate`",
				    work->config->vault_public_file, id);
	/* First in the database, which takes nothing that is sealed to it from here on. */
	r = keys_query(work,
		       "update keyring.vault_key set state = 'destroyed',"
		       " changed_at = conduct.clock() where key_id = $1::integer"
		       " and state = 'retired'",
		       params, 1, NULL);
	if (r == 0)
		r = control_settle(work->session);
	if (r)
		return r;
	if (vault_keys_find(&work->file.keys, key_id)) {
		if (vault_keys_remove(&work->file.keys, key_id))
			return control_fail("this is the only key of %s",
					    work->config->vault_key_file);
		r = keys_write_file(work, false);
	}
	if (r == 0)
		(void)printf("Intake key %s is destroyed in %s.\n%sRun this on every other host as "
			     "well, and destroy copies and backups of older key files:\nuntil then "
			     "they open what older backups of the database hold, and afterwards "
			     "nothing does.\n",
			     id, work->config->vault_key_file, reload_hint);
	return r;
}

int control_keys_destroy(struct control *control, int argc, char **argv)
{
	CLEANUP(keys_work_deinit) struct keys_work work = { .config = NULL };
	uint32_t key_id;
	char id[16];
	int r;

	if (argc != 2 || argv[1][0] == '\0' || strlen(argv[1]) > 9 ||
	    strspn(argv[1], "0123456789") != strlen(argv[1]))
		return control_misused("keys destroy: the number of a key is needed");
	key_id = (uint32_t)strtoul(argv[1], NULL, 10);
	(void)snprintf(id, sizeof(id), "%u", key_id);
	r = keys_work_open(control, &work);
	if (r == 0)
		r = destroy_check(&work, id);
	return r ? r : key_destroy(&work, key_id, id);
}

/* Another master key: shares that were given out before open older copies of the file alone. */
int control_keys_escrow(struct control *control, int argc, char **argv)
{
	CLEANUP(keys_work_deinit) struct keys_work work = { .config = NULL };
	int r;

	if (argc > 1)
		return control_misused("keys escrow takes no arguments");
	r = keys_work_open(control, &work);
	if (r)
		return r;
	r = crypto_random(work.file.master, VAULT_MASTER_SIZE);
	if (r)
		return control_fail("%s", strerror(-r));
	/* Whoever has not seen the new ones needs the old. */
	r = keys_print_shares(&work);
	if (r)
		return r;
	r = keys_write_file(&work, false);
	return r ? control_fail("the shares that were printed open nothing; those of before do")
		 : r;
}
