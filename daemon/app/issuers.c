/*
 * Issuers from their configuration: PEM files become keys, the people file becomes a table. A new
 * object is made on every reload, and the old one lives until its last request is answered.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/auth/people.h"
#include "daemon/app/issuers.h"
#include "daemon/base/buffer.h"

enum { PEM_SIZE_MAX = 16 * 1024 };

struct issuers {
	struct arena *arena;
	struct issuer_table table;
};

static void key_destroy(void *object)
{
	crypto_key_free(object);
}

static void people_destroy(void *object)
{
	people_free(object);
}

static int file_read(const char *file, struct buffer *buffer)
{
	char part[4096];
	size_t n;
	FILE *stream = fopen(file, "re");
	int r;

	if (!stream)
		return -errno;
	while ((n = fread(part, 1, sizeof(part), stream)) > 0 && buffer->length <= PEM_SIZE_MAX)
		buffer_append(buffer, part, n);
	r = ferror(stream) ? -EIO : 0;
	(void)fclose(stream);
	return r < 0 ? r : buffer_finish(buffer);
}

static int key_load(struct arena *arena, const char *file, const struct crypto_key **ret_key,
		    char *ret_text, size_t size)
{
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	struct crypto_key *key = NULL;
	int r = file_read(file, &buffer);

	if (r < 0) {
		(void)snprintf(ret_text, size, "%s: %s", file, strerror(-r));
		return ISSUERS_E_REFUSED;
	}
	r = crypto_key_new_public((struct slice){ buffer.at ? buffer.at : "", buffer.length },
				  &key);
	if (r) {
		(void)snprintf(ret_text, size,
			       "%s: not the PEM text of an RSA public key of 2048 "
			       "to 4096 bits",
			       file);
		return r < 0 ? r : ISSUERS_E_REFUSED;
	}
	*ret_key = key;
	return arena_take(arena, key, key_destroy);
}

static int people_fill(struct arena *arena, const struct config_issuer *row,
		       const struct people **ret_people, char *ret_text, size_t size)
{
	struct people *people = NULL;
	const char *why = NULL;
	int r = people_load(row->people, row->scope, &people, &why);

	if (r > 0) {
		(void)snprintf(ret_text, size, "%s: %s", row->people, why);
		return ISSUERS_E_REFUSED;
	}
	if (r < 0)
		return r;
	*ret_people = people;
	return arena_take(arena, people, people_destroy);
}

static int clients_fill(struct arena *arena, const struct config_issuer *row, struct issuer *issuer)
{
	struct issuer_client *clients = arena_alloc(arena, row->n_clients * sizeof(*clients));

	if (!clients)
		return -ENOMEM;
	for (size_t i = 0; i < row->n_clients; i++) {
		char *id = arena_strdup(arena, row->clients[i].id);

		if (!id)
			return -ENOMEM;
		clients[i] = (struct issuer_client){ id,
						     row->clients[i].scope == CONFIG_SCOPE_FULL };
	}
	issuer->clients = clients;
	issuer->n_clients = row->n_clients;
	return 0;
}

/* Where a login begins and as which client; the rest of a login is the worker's. */
static int login_fill(struct arena *arena, const struct config_issuer *row, struct issuer *issuer)
{
	for (size_t i = 0; i < row->n_clients; i++)
		if (row->clients[i].is_login)
			issuer->login_client = issuer->clients[i].id;
	if (!issuer->login_client)
		return 0;
	issuer->authorize = arena_strdup(arena, row->authorize);
	return issuer->authorize ? 0 : -ENOMEM;
}

static int wikis_fill(struct arena *arena, const struct config_issuer *row, struct issuer *issuer)
{
	const char **wikis = arena_alloc(arena, (row->wikis.n + 1) * sizeof(*wikis));

	if (!wikis)
		return -ENOMEM;
	for (size_t i = 0; i < row->wikis.n; i++) {
		wikis[i] = arena_strdup(arena, row->wikis.at[i]);
		if (!wikis[i])
			return -ENOMEM;
	}
	issuer->wikis = wikis;
	issuer->n_wikis = row->wikis.n;
	return 0;
}

static int issuer_fill(struct arena *arena, const struct config_issuer *row, struct issuer *issuer,
		       char *ret_text, size_t size)
{
	int r;

	issuer->iss = arena_strdup(arena, row->iss);
	issuer->scope = arena_strdup(arena, row->scope);
	if (!issuer->iss || !issuer->scope)
		return -ENOMEM;
	issuer->is_demo = row->is_demo;
	issuer->is_profile_only = row->verify == CONFIG_VERIFY_PROFILE_ONLY;
	issuer->lifetime_max_s = row->lifetime_max;
	r = clients_fill(arena, row, issuer);
	if (r == 0)
		r = wikis_fill(arena, row, issuer);
	if (r == 0)
		r = login_fill(arena, row, issuer);
	for (size_t i = 0; r == 0 && i < row->keys.n; i++) {
		r = key_load(arena, row->keys.at[i], &issuer->keys[i], ret_text, size);
		issuer->n_keys += r == 0;
	}
	if (r == 0 && row->is_demo && *row->people)
		r = people_fill(arena, row, &issuer->people, ret_text, size);
	return r;
}

/*
 * Reads every file that the configuration names for its issuers. Returns 0, ISSUERS_E_REFUSED with
 * the reason in ret_text, or a negative error. Nothing of the configuration is kept.
 */
int issuers_new(const struct config *config, struct issuers **ret_issuers, char *ret_text,
		size_t size)
{
	struct arena *arena = NULL;
	struct issuers *issuers;
	struct known_tokens *known;
	struct issuer *rows;
	int r = arena_new(&arena);

	if (r < 0)
		return r;
	issuers = arena_alloc(arena, sizeof(*issuers));
	rows = arena_alloc(arena, (config->n_issuers + 1) * sizeof(*rows));
	known = arena_alloc(arena, sizeof(*known));
	r = issuers && rows && known ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < config->n_issuers; i++)
		r = issuer_fill(arena, &config->issuers[i], &rows[i], ret_text, size);
	if (r) {
		arena_free(arena);
		return r;
	}
	issuers->arena = arena;
	issuers->table = (struct issuer_table){ rows, config->n_issuers, known };
	*ret_issuers = issuers;
	return 0;
}

struct issuers *issuers_free(struct issuers *issuers)
{
	if (issuers)
		arena_free(issuers->arena);
	return NULL;
}

/* Lives as long as the object. */
const struct issuer_table *issuers_table(const struct issuers *issuers)
{
	return &issuers->table;
}
