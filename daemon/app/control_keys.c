/*
 * conductctl keys: the files of secrets that this host needs. `init` brings about what is missing
 * and keeps what is there, so that it may be interrupted and run again; what it must not do is make
 * a second set of intake keys for a deployment that has one.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/app/control_keys.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/keys/escrow.h"
#include "daemon/keys/key_file.h"

enum { SHARES_TEXT_MAX = 4096 };

void keys_work_deinit(struct keys_work *work)
{
	pg_session_free(work->session);
	passphrase_deinit(&work->passphrase);
	vault_file_deinit(&work->file);
}

/* As pg_session_query(), with a message. */
int keys_query(const struct keys_work *work, const char *sql, const char *const *params,
	       unsigned n_params, struct pg_rows **ret_rows)
{
	int r = pg_session_query(work->session, sql, params, n_params, ret_rows);

	return r ? control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(work->session))
		 : CONTROL_OK;
}

static uint32_t id_read(const struct pg_rows *rows, int row, int column)
{
	const char *text = pg_rows_text(rows, row, column);

	return text ? (uint32_t)strtoul(text, NULL, 10) : 0;
}

/* Asks the database which deployment it is, and which keys it knows. */
int keys_ask_database(struct keys_work *work)
{
	struct pg_rows *rows = NULL;
	int r = pg_session_query(work->session,
				 "select d.deployment_id, (select k.key_id from keyring.vault_key k"
				 " where k.state = 'active'), (select max(k.key_id)"
				 " from keyring.vault_key k), (select encode(i.mark, 'hex')"
				 " from keyring.index_key i) from conduct.deployment d",
				 NULL, 0, &rows);

	if (r)
		return control_fail("%s: run `conductctl migrate` first",
				    r < 0 ? strerror(-r) : pg_session_error(work->session));
	if (pg_rows_count(rows) != 1 ||
	    text_read_uuid(text_slice(pg_rows_text(rows, 0, 0)), work->deployment)) {
		r = control_fail("the database does not say which deployment it is");
	} else {
		work->active_id = id_read(rows, 0, 1);
		work->newest_id = id_read(rows, 0, 2);
		(void)snprintf(work->index_mark, sizeof(work->index_mark), "%s",
			       pg_rows_text(rows, 0, 3) ? pg_rows_text(rows, 0, 3) : "");
	}
	pg_rows_free(rows);
	return r;
}

int keys_check_index(const struct keys_work *work, const struct index_key *key)
{
	char deployment[TEXT_UUID_LENGTH + 1];
	struct slice mark = text_slice(work->index_mark);

	text_write_uuid(deployment, work->deployment);
	return !mark.length || index_key_is_marked(key, deployment, mark) ? 0 : KEY_FILE_E_DIFFERS;
}

static int index_key_failed(const struct keys_work *work, int r)
{
	return control_fail("%s: %s", work->config->index_key_file, key_file_explain(r));
}

/* Of a deployment that has keys a second index key would recognise nobody: who wants that says so.
 */
static int index_key_make(const struct keys_work *work, bool is_new_wanted)
{
	const char *file = work->config->index_key_file;
	CLEANUP(index_key_deinit) struct index_key key = { 0 };
	int r = key_file_load_index(file, &key);

	if (r == 0 && !is_new_wanted)
		r = keys_check_index(work, &key);
	if (r == 0) {
		(void)printf("kept %s\n", file);
		return CONTROL_OK;
	}
	if (r != KEY_FILE_E_ABSENT)
		return index_key_failed(work, r);
	if (!is_new_wanted && (work->newest_id || *work->index_mark))
		return control_fail("%s: there is no such file, and this deployment has its index "
				    "key already: copy the file from another host or a backup. "
				    "Where it is lost for good nobody is recognised any more: "
				    "`conductctl keys init --new-index-key` begins with another",
				    file);
	r = key_file_create_index(file);
	if (r)
		return index_key_failed(work, r);
	(void)printf("made %s\n", file);
	return CONTROL_OK;
}

/* From here on the database knows its index key. */
static int index_key_register(const struct keys_work *work)
{
	CLEANUP(index_key_deinit) struct index_key key = { 0 };
	char deployment[TEXT_UUID_LENGTH + 1], mark[INDEX_MARK_TEXT + 1];
	const char *const params[] = { mark };
	int r = key_file_load_index(work->config->index_key_file, &key);

	text_write_uuid(deployment, work->deployment);
	if (r == 0)
		r = index_key_mark(&key, deployment, mark);
	if (r)
		return index_key_failed(work, r);
	return keys_query(work,
			  "insert into keyring.index_key (mark) values (decode($1, 'hex'))"
			  " on conflict (only_row) do update set mark = excluded.mark"
			  " where index_key.mark <> excluded.mark",
			  params, ARRAY_SIZE(params), NULL);
}

static int passphrase_make(struct keys_work *work)
{
	const char *file = work->config->vault_passphrase_file;
	bool is_made = false;
	int r = passphrase_ensure(file, &is_made);

	if (is_made)
		(void)printf("made %s\n", file);
	if (r == 0)
		r = passphrase_find(file, &work->passphrase);
	return r ? control_fail("%s: %s", *file ? file : "passphrase", passphrase_explain(r))
		 : CONTROL_OK;
}

/* A new passphrase opens no file that is there already, and is none where one has to be copied. */
static int passphrase_make_first(struct keys_work *work)
{
	const char *key_file = work->config->vault_key_file;
	int r;

	if (!work->newest_id && access(key_file, F_OK) < 0 && errno == ENOENT)
		return passphrase_make(work);
	r = passphrase_find(work->config->vault_passphrase_file, &work->passphrase);
	if (r == PASSPHRASE_E_ABSENT)
		return control_fail("the passphrase of %s is not here: copy it from another host "
				    "or a backup, or let three holders of escrow shares run "
				    "`conductctl keys recover`",
				    key_file);
	return r ? control_fail("passphrase: %s", passphrase_explain(r)) : CONTROL_OK;
}

/* Five shares, once: whoever has three of them needs the key file and nothing else. */
int keys_print_shares(const struct keys_work *work)
{
	char shares[ESCROW_SHARES][ESCROW_TEXT_SIZE];
	int r = escrow_split(work->file.master, shares);

	if (r < 0)
		return control_fail("%s", strerror(-r));
	(void)printf("\nEscrow: give these %d lines to %d people, and keep no copy. Any %d of them "
		     "open\nthe key file without its passphrase (conductctl keys recover).\n\n",
		     ESCROW_SHARES, ESCROW_SHARES, ESCROW_THRESHOLD);
	for (size_t i = 0; i < ESCROW_SHARES; i++)
		(void)printf("%s\n", shares[i]);
	(void)putchar('\n');
	crypto_wipe(shares, sizeof(shares));
	if (fflush(stdout) != 0 || ferror(stdout))
		return control_fail("the escrow shares could not be printed: run `conductctl keys "
				    "escrow`, which prints others");
	return CONTROL_OK;
}

/* Whenever this is interrupted, the old file or the new one is there. */
int keys_write_file(const struct keys_work *work, bool is_new)
{
	const char *file = work->config->vault_key_file;
	char text[VAULT_FILE_TEXT_MAX];
	struct slice passphrase = passphrase_slice(&work->passphrase);
	struct crypto_scrypt_cost cost = vault_file_cost_of(passphrase);
	int r = vault_file_write(&work->file, passphrase, &cost, text);

	if (r == 0)
		r = is_new ? key_file_create(file, 0600, text) : key_file_replace(file, 0600, text);
	crypto_wipe(text, sizeof(text));
	return r ? control_fail("%s: %s", file, key_file_explain(r)) : CONTROL_OK;
}

static int vault_key_new(struct keys_work *work, const char *host)
{
	int r;

	if (work->newest_id)
		return control_fail("%s: there is no such file, and this deployment has its intake "
				    "keys already: copy the file from another host or a backup",
				    work->config->vault_key_file);
	r = vault_keys_new(work->deployment, host, &work->file.keys);
	if (r == 0)
		r = crypto_random(work->file.master, VAULT_MASTER_SIZE);
	if (r)
		return control_fail("%s", strerror(-r));
	r = keys_write_file(work, true);
	if (r)
		return r;
	(void)printf("made %s\n", work->config->vault_key_file);
	return keys_print_shares(work);
}

/* A file that is there: of this deployment, and with a signing key of this host. */
static int vault_key_keep(struct keys_work *work, const char *host)
{
	const char *file = work->config->vault_key_file;
	int r;

	if (memcmp(work->file.keys.deployment, work->deployment, KEYS_ID_SIZE) != 0)
		return control_fail("%s: %s", file, vault_load_explain(VAULT_LOAD_E_DEPLOYMENT));
	if (strcmp(work->file.keys.host, host) == 0) {
		(void)printf("kept %s\n", file);
		return CONTROL_OK;
	}
	r = vault_keys_change_host(&work->file.keys, host);
	if (r)
		return control_fail("%s", strerror(-r));
	r = keys_write_file(work, false);
	if (r == 0)
		(void)printf("kept %s, with a new log-signing key for %s\n", file, host);
	return r;
}

static int vault_key_make(struct keys_work *work, const char *host)
{
	int r = vault_load_file(work->config, &work->passphrase, &work->file);

	if (r == VAULT_LOAD_E_ABSENT)
		return vault_key_new(work, host);
	if (r)
		return control_fail("%s: %s", work->config->vault_key_file, vault_load_explain(r));
	return vault_key_keep(work, host);
}

int keys_write_public(const struct keys_work *work, uint32_t key_id)
{
	const struct vault_intake *intake = vault_keys_find(&work->file.keys, key_id);
	const char *file = work->config->vault_public_file;
	struct public_keys keys, old;
	char text[PUBLIC_FILE_TEXT_MAX];
	bool is_there;
	int r;

	if (!intake)
		return control_fail("%s lacks intake key %u, which is the active one: copy the "
				    "newer key file from another host or a backup, or import its "
				    "keys with `conductctl keys import`",
				    work->config->vault_key_file, key_id);
	r = public_keys_of(&work->file.keys, &intake->public_part, &keys);
	if (r)
		return control_fail("%s", strerror(-r));
	is_there = vault_load_public(file, &old) == 0 && public_keys_equal(&keys, &old);
	public_file_write(&keys, text);
	r = is_there ? 0 : key_file_replace(file, 0644, text);
	if (r)
		return control_fail("%s: %s", file, key_file_explain(r));
	(void)printf("%s %s\n", is_there ? "kept" : "made", file);
	return CONTROL_OK;
}

/* The first keys of a deployment: the newest is active. Later ones wait for `keys activate`. */
static const char *state_of(const struct keys_work *work, uint32_t key_id)
{
	uint32_t active_id = work->active_id ? work->active_id
					     : vault_keys_newest(&work->file.keys)->key_id;

	if (key_id == active_id)
		return "active";
	return key_id < active_id ? "decrypt_only" : "pending";
}

int keys_register(const struct keys_work *work)
{
	const struct vault_keys *keys = &work->file.keys;
	int r = CONTROL_OK;

	for (size_t i = 0; r == 0 && i < keys->n_intake; i++) {
		const struct intake_key *intake = &keys->intake[i].public_part;
		char id[16], hex[2 * HPKE_KEY_SIZE + 1];
		const char *const params[] = { id, hex, state_of(work, intake->key_id) };

		(void)snprintf(id, sizeof(id), "%u", intake->key_id);
		codec_hex_encode(hex, intake->public_key, HPKE_KEY_SIZE);
		r = keys_query(work,
			       "insert into keyring.vault_key (key_id, public_key, state, made_at,"
			       " changed_at) values ($1::integer, decode($2, 'hex'), $3,"
			       " conduct.clock(), conduct.clock()) on conflict (key_id) do nothing",
			       params, ARRAY_SIZE(params), NULL);
	}
	return r ? r : control_settle(work->session);
}

/* Whether the database has this very key. */
static int key_compare(const struct keys_work *work, const struct intake_key *intake, bool is_said)
{
	char id[16], hex[2 * HPKE_KEY_SIZE + 1];
	const char *const params[] = { id, hex };
	struct pg_rows *rows = NULL;
	int r;

	(void)snprintf(id, sizeof(id), "%u", intake->key_id);
	codec_hex_encode(hex, intake->public_key, HPKE_KEY_SIZE);
	r = keys_query(work,
		       "select k.state from keyring.vault_key k where k.key_id = $1::integer"
		       " and k.public_key = decode($2, 'hex')",
		       params, ARRAY_SIZE(params), &rows);
	if (r == 0 && pg_rows_count(rows) != 1)
		r = control_fail("the database has another intake key %s than %s, or none: this "
				 "file is of another vault; copy the right one from another host "
				 "or a backup",
				 id, work->config->vault_key_file);
	else if (r == 0 && is_said)
		(void)printf("database   intake key %s is %s\n", id, pg_rows_text(rows, 0, 0));
	pg_rows_free(rows);
	return r;
}

/* The file has this key. */
int keys_check(const struct keys_work *work, uint32_t key_id)
{
	const struct vault_intake *intake = vault_keys_find(&work->file.keys, key_id);

	return key_compare(work, &intake->public_part, false);
}

/* Whether the database has the very keys of the file. */
int keys_compare(const struct keys_work *work)
{
	const struct vault_keys *keys = &work->file.keys;
	int r = CONTROL_OK;

	for (size_t i = 0; r == 0 && i < keys->n_intake; i++)
		r = key_compare(work, &keys->intake[i].public_part, true);
	return r;
}

int keys_work_start(struct control *control, struct keys_work *work)
{
	work->config = control_config(control);
	if (!work->config)
		return CONTROL_FAILED;
	work->session = control_session(control);
	return work->session ? keys_ask_database(work) : CONTROL_FAILED;
}

int keys_work_open(struct control *control, struct keys_work *work)
{
	int r = keys_work_start(control, work);

	if (r)
		return r;
	r = passphrase_find(work->config->vault_passphrase_file, &work->passphrase);
	if (r)
		return control_fail("passphrase: %s", passphrase_explain(r));
	r = vault_load_file(work->config, &work->passphrase, &work->file);
	if (r == 0 && memcmp(work->file.keys.deployment, work->deployment, KEYS_ID_SIZE) != 0)
		r = VAULT_LOAD_E_DEPLOYMENT;
	return r ? control_fail("%s: %s", work->config->vault_key_file, vault_load_explain(r))
		 : CONTROL_OK;
}

int control_keys_init(struct control *control, int argc, char **argv)
{
	CLEANUP(keys_work_deinit) struct keys_work work = { .config = NULL };
	const char *given = NULL;
	bool is_new_wanted = false;
	const struct control_option options[] = {
		{ "--host", &given, NULL, false },
		{ "--new-index-key", NULL, &is_new_wanted, false },
	};
	char host[VAULT_HOST_MAX + 1] = "";
	int r = control_read_options("keys init", argc, argv, options, ARRAY_SIZE(options));

	if (r)
		return r;
	if (!given && gethostname(host, sizeof(host) - 1) == 0)
		given = host;
	if (!given || !vault_host_is_valid(given))
		return control_misused("keys init: --host must be a name of at most %d letters, "
				       "digits, '.', '-' and '_'",
				       VAULT_HOST_MAX);
	r = keys_work_start(control, &work);
	if (r == 0)
		r = index_key_make(&work, is_new_wanted);
	if (r == 0)
		r = passphrase_make_first(&work);
	if (r == 0)
		r = vault_key_make(&work, given);
	/* What web seals to is written when it is known that the database has it. */
	if (r == 0)
		r = keys_register(&work);
	if (r == 0)
		r = keys_compare(&work);
	if (r == 0)
		r = index_key_register(&work);
	return r ? r
		 : keys_write_public(&work, work.active_id
						    ? work.active_id
						    : vault_keys_newest(&work.file.keys)->key_id);
}

/* One share a line; empty lines are left out. */
static int shares_read(char text[SHARES_TEXT_MAX], struct slice *shares, size_t *ret_n)
{
	size_t length = fread(text, 1, SHARES_TEXT_MAX - 1, stdin), n = 0;

	text[length] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strspn(line, " \t\r") == strlen(line))
			continue;
		if (n == ESCROW_SHARES)
			return control_fail("more than %d shares", ESCROW_SHARES);
		shares[n++] = text_slice(line);
	}
	*ret_n = n;
	return CONTROL_OK;
}

static int master_join(uint8_t ret_master[VAULT_MASTER_SIZE])
{
	struct slice shares[ESCROW_SHARES];
	char text[SHARES_TEXT_MAX];
	size_t n = 0, bad = 0;
	int r = shares_read(text, shares, &n);

	if (r == 0) {
		r = escrow_join(shares, n, ret_master, &bad);
		if (r == ESCROW_E_MALFORMED)
			r = control_fail("share %zu is mistyped", bad + 1);
		else if (r == ESCROW_E_SET && bad < n)
			r = control_fail("share %zu is of another set than the first", bad + 1);
		else if (r)
			r = control_fail("%d different shares are needed, one a line",
					 ESCROW_THRESHOLD);
	}
	crypto_wipe(text, sizeof(text));
	return r;
}

int control_keys_recover(struct control *control, int argc, char **argv)
{
	CLEANUP(keys_work_deinit) struct keys_work work = { .config = NULL };
	uint8_t master[VAULT_MASTER_SIZE] = { 0 };
	int r;

	if (argc > 1)
		return control_misused("keys recover takes no arguments: it reads shares");
	work.config = control_config(control);
	if (!work.config)
		return CONTROL_FAILED;
	r = master_join(master);
	if (r == 0) {
		r = vault_load_with_master(work.config, master, &work.file);
		if (r)
			r = control_fail("%s: %s", work.config->vault_key_file,
					 vault_load_explain(r));
	}
	if (r == 0)
		r = passphrase_make(&work);
	if (r == 0)
		r = keys_write_file(&work, false);
	if (r == 0)
		(void)printf("%s opens with the present passphrase again\n",
			     work.config->vault_key_file);
	crypto_wipe(master, sizeof(master));
	return r;
}
