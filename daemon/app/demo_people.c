/*
 * The demo people: who they are, their tokens, their grants. Their issuer signs without any wiki;
 * its key lives beside them with mode 0600, and the daemon takes it from loopback only.
 */

#include "daemon/app/demo.h"
#include "daemon/app/vault_load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/buffer.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/cases/person.h"
#include "daemon/crypto/crypto.h"
#include "daemon/json/value.h"
#include "daemon/keys/index.h"
#include "daemon/keys/key_file.h"

enum { DEMO_TOKEN_SECONDS = 12 * 3600 };

#define DEMO_LOCAL "enwiki-functionaries"
#define DEMO_ARBCOM "enwiki-arbcom"

const struct demo_person demo_people[] = {
	{ "reporter", "1001", "Rosa Reporter", "enwiki", NULL, NULL },
	{ "reporter2", "1002", "Rahel Reporter", "enwiki", NULL, NULL },
	{ "respondent", "1003", "Rene Respondent", "enwiki", NULL, NULL },
	{ "witness", "1004", "Wanda Witness", "enwiki", NULL, NULL },
	{ "functionary", "1011", "Fatima Functionary", "enwiki", "functionary", DEMO_LOCAL },
	{ "functionary2", "1012", "Filip Functionary", "enwiki", "functionary", DEMO_LOCAL },
	{ "functionary3", "1013", "Fumiko Functionary", "enwiki", "functionary", DEMO_LOCAL },
	{ "functionary4", "1014", "Farid Functionary", "enwiki", "functionary", DEMO_LOCAL },
	{ "functionary5", "1015", "Flora Functionary", "enwiki", "functionary", DEMO_LOCAL },
	{ "functionary6", "1016", "Felix Functionary", "enwiki", "functionary", DEMO_LOCAL },
	{ "mediator", "1021", "Mina Mediator", "enwiki", "mediator", DEMO_LOCAL },
	{ "arbitrator1", "1031", "Ada Arbitrator", "enwiki", "arbitrator", DEMO_ARBCOM },
	{ "arbitrator2", "1032", "Ayo Arbitrator", "enwiki", "arbitrator", DEMO_ARBCOM },
	{ "arbitrator3", "1033", "Anh Arbitrator", "enwiki", "arbitrator", DEMO_ARBCOM },
	{ "arbitrator4", "1034", "Amir Arbitrator", "enwiki", "arbitrator", DEMO_ARBCOM },
	{ "arbitrator5", "1035", "Aino Arbitrator", "enwiki", "arbitrator", DEMO_ARBCOM },
	{ "oversighter", "1041", "Olga Oversighter", "enwiki", "oversighter", "oversight" },
	{ "steward", "1042", "Stella Steward", "metawiki", "steward", "stewards" },
	{ "ts", "1043", "Tomas Staff", "metawiki", "ts_staff", "ts" },
	{ "u4c1", "1051", "Una Committee", "frwiki", "u4c_member", "u4c" },
	{ "u4c2", "1052", "Uwe Committee", "dewiki", "u4c_member", "u4c" },
	{ "u4c3", "1053", "Uma Committee", "hiwiki", "u4c_member", "u4c" },
	{ "u4c4", "1054", "Ugo Committee", "itwiki", "u4c_member", "u4c" },
	{ "u4c5", "1055", "Ulla Committee", "svwiki", "u4c_member", "u4c" },
	{ "auditor", "1061", "Aziz Auditor", "metawiki", "auditor", NULL },
	{ "admin", "1062", "Alma Admin", "metawiki", "admin", NULL },
	{ "policy_maintainer", "1063", "Pia Maintainer", "metawiki", "policy_maintainer", NULL },
	{ "outsider", "1071", "Otto Outsider", "dewiki", "functionary", "dewiki-functionaries" },
};
const size_t demo_people_count = ARRAY_SIZE(demo_people);

/* Writes beside and renames, so that nobody reads half a file. */
static int demo_write_file(const char *dir, const char *name, mode_t mode, const char *text,
			   size_t length)
{
	char *path = demo_path(dir, name), *beside = NULL;
	int fd, r = -ENOMEM;

	if (!path || asprintf(&beside, "%s.new", path) < 0)
		goto done;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0) {
		r = -errno;
		goto done;
	}
	r = fchmod(fd, mode) < 0 || write(fd, text, length) != (ssize_t)length ? -EIO : 0;
	if (close(fd) < 0)
		r = -EIO;
	if (r == 0 && rename(beside, path) < 0)
		r = -errno;
done:
	free(beside);
	free(path);
	return r;
}

/* The issuer's key: read, or made once with mode 0600. */
static int demo_issuer_key(const char *dir, struct crypto_key **ret_key)
{
	char *path = demo_path(dir, "demo-issuer.key"), *pem = NULL;
	size_t length = 0;
	int r;

	r = path ? demo_read_file(path, &pem, &length) : -ENOMEM;
	if (r == 0) {
		r = crypto_key_new_private((struct slice){ pem, length }, ret_key);
	} else if (r == -ENOENT) {
		r = crypto_key_generate(ret_key);
		if (r == 0)
			r = crypto_key_write_private(*ret_key, &pem);
		if (r == 0) {
			length = strlen(pem);
			r = demo_write_file(dir, "demo-issuer.key", 0600, pem, length);
		}
	}
	if (pem)
		crypto_wipe(pem, length);
	free(pem);
	free(path);
	return r;
}

/* A token of the shape Extension:OAuth mints (RS256; float dates are taken, whole ones written). */
static int demo_mint(const struct crypto_key *key, const char *sub, struct buffer *ret_token)
{
	struct buffer claims = BUFFER_NULL;
	uint8_t jti[20], signature[CRYPTO_SIGNATURE_MAX];
	char hex[41], encoded[2048];
	time_t now = time(NULL);
	size_t length;
	int r;

	r = crypto_random(jti, sizeof(jti));
	if (r < 0)
		return r;
	codec_hex_encode(hex, jti, sizeof(jti));
	buffer_printf(
		&claims,
		"{\"aud\":\"conductd-demo\",\"jti\":\"%s\",\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld,"
		"\"sub\":\"%s\",\"iss\":\"https://demo.conductd.invalid\",\"scopes\":[\"basic\"]}",
		hex, (long long)now, (long long)now, (long long)now + DEMO_TOKEN_SECONDS, sub);
	r = buffer_finish(&claims);
	if (r == 0) {
		static const char header[] = "{\"typ\":\"JWT\",\"alg\":\"RS256\"}";

		codec_base64url_encode(encoded, header, sizeof(header) - 1);
		buffer_append_text(ret_token, encoded);
		codec_base64url_encode(encoded, claims.at, claims.length);
		buffer_printf(ret_token, ".%s", encoded);
		r = buffer_finish(ret_token);
	}
	if (r == 0)
		r = crypto_rs256_sign(key, (struct slice){ ret_token->at, ret_token->length },
				      signature, &length);
	if (r == 0) {
		codec_base64url_encode(encoded, signature, length);
		buffer_printf(ret_token, ".%s", encoded);
		r = buffer_finish(ret_token);
	}
	buffer_deinit(&claims);
	return r;
}

/* people.json (with tokens, for whoever runs the demo) or demo-people.json (without, for the
 * daemon). */
static int demo_write_people(const char *dir, const char *file, mode_t mode, unsigned port,
			     const struct crypto_key *key)
{
	char address[40];
	CLEANUP(value_freep) struct value *root = value_new_object();
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
	struct value *people;
	int r = 0;

	if (key) {
		snprintf(address, sizeof(address), "http://127.0.0.1:%u", port);
		r = value_set_string(root, "base", address);
		snprintf(address, sizeof(address), "http://127.0.0.1:%u", port + 1);
		r = r ? r : value_set_string(root, "ops", address);
	}
	r = r ? r : value_set_take(root, "people", value_new_object());
	people = value_get(root, "people");
	for (size_t i = 0; r == 0 && i < demo_people_count; i++) {
		const struct demo_person *person = &demo_people[i];
		struct value *entry = value_new_object();

		if (key) {
			CLEANUP(buffer_deinit) struct buffer token = BUFFER_NULL;

			r = demo_mint(key, person->sub, &token);
			r = r ? r : value_set_string(entry, "token", token.at);
		}
		r = r ? r : value_set_string(entry, "sub", person->sub);
		r = r ? r : value_set_string(entry, "user", person->user);
		if (!key)
			r = r ? r : value_set_string(entry, "home_wiki", person->home_wiki);
		if (r == 0)
			r = value_set_take(people, person->name, entry);
		else
			value_free(entry);
	}
	r = r ? r : value_write(root, &text);
	buffer_append_char(&text, '\n');
	r = r ? r : buffer_finish(&text);
	return r ? r : demo_write_file(dir, file, mode, text.at, text.length);
}

static int demo_make_people(const char *dir, unsigned port)
{
	struct crypto_key *key = NULL;
	char *pem = NULL;
	int r;

	r = demo_issuer_key(dir, &key);
	if (r == 0)
		r = crypto_key_write_public(key, &pem);
	if (r == 0)
		r = demo_write_file(dir, "demo-issuer.pub", 0644, pem, strlen(pem));
	if (r == 0)
		r = demo_write_people(dir, "demo-people.json", 0644, port, NULL);
	if (r == 0)
		r = demo_write_people(dir, "people.json", 0600, port, key);
	crypto_key_free(key);
	free(pem);
	return r;
}

/* Makes the issuer's key if it is missing, and every file with people in it. */
int control_demo_people(struct control *control, int argc, char **argv)
{
	unsigned long port = argc == 3 ? strtoul(argv[2], NULL, 10) : 8480;
	int r;

	(void)control;
	if (argc < 2 || argc > 3 || port == 0 || port > 65533)
		return control_misused(
			"demo people takes a directory, and the API's port if it is not 8480");
	r = demo_make_people(argv[1], (unsigned)port);
	if (r != 0)
		return control_fail("cannot make the demo people in %s: %s", argv[1],
				    r < 0 ? strerror(-r) : "demo-issuer.key is no RSA key");
	printf("%zu demo people in %s/people.json\n", demo_people_count, argv[1]);
	return CONTROL_OK;
}

/* What the demo people are made known with. */
struct demo_keys {
	struct index_key index;
	struct sealer sealer;
};

static int demo_keys_load(const struct config *config, struct demo_keys *keys)
{
	struct public_keys public_keys;
	int r = key_file_load_index(config->index_key_file, &keys->index);

	if (r)
		return control_fail("%s: %s", config->index_key_file, key_file_explain(r));
	r = vault_load_public(config->vault_public_file, &public_keys);
	if (r)
		return control_fail("%s: %s", config->vault_public_file, vault_load_explain(r));
	sealer_init(&keys->sealer, &public_keys.intake, NULL);
	return CONTROL_OK;
}

/* Id, indexes and role of a person as grant_bootstrap() takes them, and the unit of the name. */
static int demo_person_args(const struct config *config, const struct index_key *key,
			    struct arena *arena, const struct demo_person *person, const char *unit,
			    struct buffer *args)
{
	const struct config_issuer *issuer = &config->issuers[0];
	struct slice scope = { issuer->scope, strlen(issuer->scope) };
	struct slice user = { person->user, strlen(person->user) };
	uint8_t id[INDEX_SIZE], name[INDEX_SIZE], skeleton[INDEX_SIZE];
	char hex[3][2 * INDEX_SIZE + 1];
	int r;

	r = index_of_id(key, (struct slice){ issuer->iss, strlen(issuer->iss) }, scope,
			(struct slice){ person->sub, strlen(person->sub) }, id);
	r = r ? r : index_of_name(key, arena, scope, user, name);
	r = r ? r : index_of_skeleton(key, arena, user, skeleton);
	if (r != 0)
		return r;
	codec_hex_encode(hex[0], id, sizeof(id));
	codec_hex_encode(hex[1], name, sizeof(name));
	codec_hex_encode(hex[2], skeleton, sizeof(skeleton));
	buffer_printf(args,
		      "{\"id_ix\":\"%s\",\"name_ix\":\"%s\",\"skeleton_ix\":\"%s\",\"unit\":\"%s\","
		      "\"home_wiki\":\"%s\",\"role\":\"%s\",\"body\":",
		      hex[0], hex[1], hex[2], unit, person->home_wiki, person->role);
	if (person->body)
		buffer_printf(args, "\"%s\"", person->body);
	else
		buffer_append_text(args, "null");
	buffer_append_text(
		args, ",\"from\":\"2020-01-01T00:00:00Z\",\"until\":\"2099-01-01T00:00:00Z\"}");
	return buffer_finish(args);
}

/* Who has the role already keeps the grant there is. Negative: the keys; else the database's. */
static int demo_grant_one(const struct config *config, struct demo_keys *keys, struct arena *arena,
			  const struct demo_person *person, struct pg_session *session)
{
	static const char sql[] =
		"select conduct_api_1.grant_bootstrap($1::jsonb, $2::uuid[], $3::text[],"
		" $4::bytea[])"
		" where not exists (select from conduct.role_grant g"
		" join conduct.person_account a on a.person_id = g.person_id"
		" where a.id_ix = decode($1::jsonb ->> 'id_ix', 'hex')"
		" and g.role = $1::jsonb ->> 'role'"
		" and g.body_id is not distinct from $1::jsonb ->> 'body' and g.ended_at is null)";
	CLEANUP(buffer_deinit) struct buffer args = BUFFER_NULL;
	struct pg_param name[PERSON_PARAMS];
	int r;

	r = person_seal(arena, &keys->sealer, NULL,
			(struct slice){ person->user, strlen(person->user) }, name);
	if (r == 0)
		r = demo_person_args(config, &keys->index, arena, person, name[0].at, &args);
	if (r != 0)
		return r;
	return pg_session_query(session, sql,
				(const char *[]){ args.at, name[1].at, name[2].at, name[3].at }, 4,
				NULL);
}

static int demo_grant_all(const struct config *config, struct demo_keys *keys,
			  struct pg_session *session)
{
	for (size_t i = 0; i < demo_people_count; i++) {
		struct arena *arena = NULL;
		int r;

		if (!demo_people[i].role)
			continue;
		r = arena_new(&arena);
		if (r == 0)
			r = demo_grant_one(config, keys, arena, &demo_people[i], session);
		arena_free(arena);
		if (r != 0)
			return control_fail("cannot grant %s to %s: %s", demo_people[i].role,
					    demo_people[i].name,
					    r < 0 ? strerror(-r) : pg_session_error(session));
	}
	return CONTROL_OK;
}

int control_demo_grants(struct control *control, int argc, char **argv)
{
	struct demo_keys keys = { .index = { { 0 } } };
	struct pg_session *session;
	const struct config *config;
	int r;

	if (argc != 1)
		return control_misused("demo grants takes no arguments");
	config = demo_config(control, NULL);
	if (!config)
		return CONTROL_FAILED;
	r = demo_keys_load(config, &keys);
	if (r)
		return r;
	session = control_session(control);
	r = session ? demo_grant_all(config, &keys, session) : CONTROL_FAILED;
	if (r == 0)
		r = control_settle(session);
	pg_session_free(session);
	index_key_deinit(&keys.index);
	sealer_deinit(&keys.sealer);
	if (r == CONTROL_OK)
		puts("the demo people have their roles");
	return r;
}
