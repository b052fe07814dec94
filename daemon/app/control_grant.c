/* conductctl grant: the first roles of an installation; later ones are given over the API. */

#include <stdio.h>
#include <string.h>

#include "daemon/app/control.h"
#include "daemon/base/buffer.h"
#include "daemon/base/codec.h"
#include "daemon/json/value.h"
#include "daemon/keys/key_file.h"

struct grant {
	const char *person;
	const char *role;
	const char *body;
	const char *from;
	const char *until;
};

static int index_make(const struct config *config, const char *name,
		      char ret_hex[2 * INDEX_SIZE + 1])
{
	const char *scope = config->n_issuers ? config->issuers[0].scope : NULL;
	struct arena *arena = NULL;
	struct index_key key = { 0 };
	uint8_t index[INDEX_SIZE];
	int r;

	if (!scope)
		return control_fail("no issuer is configured, so no name has a meaning");
	if (arena_new(&arena) < 0)
		return control_fail("out of memory");
	r = key_file_load_index(config->index_key_file, &key);
	if (r)
		r = control_fail("%s: %s", config->index_key_file, key_file_explain(r));
	else if (index_of_name(&key, arena, (struct slice){ scope, strlen(scope) },
			       (struct slice){ name, strlen(name) }, index))
		r = control_fail("--person: not a user name");
	else
		codec_hex_encode(ret_hex, index, sizeof(index));
	arena_free(arena);
	index_key_deinit(&key);
	return r;
}

static int arguments_make(const struct grant *grant, struct buffer *buffer)
{
	CLEANUP(value_freep) struct value *args = value_new_object();

	if (!args || value_set_string(args, "role", grant->role) < 0 ||
	    (grant->body && value_set_string(args, "body", grant->body) < 0) ||
	    (grant->from && value_set_string(args, "from", grant->from) < 0) ||
	    value_set_string(args, "until", grant->until) < 0)
		return -ENOMEM;
	return value_write(args, buffer);
}

static int grant_store(struct pg_session *session, const struct grant *grant, const char *index,
		       const char *args)
{
	const char *const params[] = { index, args };
	struct pg_rows *rows = NULL;
	int r = pg_session_query(
		session,
		"select conduct_api_1.grant_view(conduct_api_1.grant_make("
		"a.person_id, $2::jsonb, null)) ->> 'id'"
		" from conduct.person_account a where a.name_ix = decode($1, 'hex')",
		params, ARRAY_SIZE(params), &rows);

	if (r)
		return control_fail("%s", r < 0 ? strerror(-r) : pg_session_error(session));
	if (pg_rows_count(rows) == 0)
		r = control_fail("%s was never seen: the person logs in first", grant->person);
	else
		r = control_settle(session);
	if (r == 0)
		(void)printf("granted %s to %s\n", grant->role, grant->person);
	pg_rows_free(rows);
	return r;
}

int control_grant(struct control *control, int argc, char **argv)
{
	CLEANUP(buffer_deinit) struct buffer args = BUFFER_NULL;
	struct grant grant = { 0 };
	const struct control_option options[] = {
		{ "--person", &grant.person, NULL, true }, { "--role", &grant.role, NULL, true },
		{ "--body", &grant.body, NULL, false },    { "--from", &grant.from, NULL, false },
		{ "--until", &grant.until, NULL, true },
	};
	char index[2 * INDEX_SIZE + 1];
	const struct config *config;
	struct pg_session *session;
	int r = control_read_options("grant", argc, argv, options, ARRAY_SIZE(options));

	if (r)
		return r;
	config = control_config(control);
	if (!config)
		return CONTROL_FAILED;
	r = index_make(config, grant.person, index);
	if (r)
		return r;
	if (arguments_make(&grant, &args) < 0)
		return control_fail("out of memory");
	session = control_session(control);
	if (!session)
		return CONTROL_FAILED;
	r = grant_store(session, &grant, index, args.at);
	pg_session_free(session);
	return r;
}
