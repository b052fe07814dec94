/*
 * What must hold between the keys of an issuer. A token of a real wiki is only good while the wiki
 * says so, hence the profile; a token of the demo issuer proves nothing to anybody, so nothing real
 * may stand beside it.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/app/config.h"
#include "daemon/fetch/fetch.h"

PRINTF(3, 4)
static bool say(char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, size, format, args);
	va_end(args);
	return true;
}

static bool has_any_url(const struct config_issuer *issuer)
{
	return *issuer->profile || *issuer->authorize || *issuer->access_token || *issuer->api ||
	       *issuer->rest || *issuer->central_ids || issuer->wikis.n;
}

/* MediaWiki's own provider has the id "local" and the scope "local:WIKI"; CentralAuth's is called
 * the same in both places. Of others only their wiki knows. */
const char *config_issuer_central_ids(const struct config_issuer *issuer)
{
	if (*issuer->central_ids)
		return issuer->central_ids;
	if (strcmp(issuer->scope, "CentralAuth") == 0)
		return issuer->scope;
	if (strcmp(issuer->scope, "local") == 0 || strncmp(issuer->scope, "local:", 6) == 0)
		return "local";
	return NULL;
}

/* Where the names of a wiki are looked up must be one place. */
static bool is_bad_lookup(const struct config *config, size_t index, char *text, size_t size)
{
	const struct config_issuer *issuer = &config->issuers[index];

	if (*issuer->central_ids && !*issuer->api)
		return say(text, size, "issuer %s has central_ids, but no api that tells them",
			   issuer->name);
	if (*issuer->api && !config_issuer_central_ids(issuer))
		return say(text, size,
			   "issuer %s has an api, and its scope %s is neither CentralAuth nor "
			   "local:WIKI: name in central_ids the provider of its ids",
			   issuer->name, issuer->scope);
	for (size_t i = 0; i < index; i++) {
		const struct config_issuer *other = &config->issuers[i];

		if (*issuer->api && !issuer->wikis.n && !other->wikis.n)
			return say(text, size,
				   "issuers %s and %s have no wikis: names of one wiki are looked "
				   "up at one issuer",
				   other->name, issuer->name);
		for (size_t j = 0; j < issuer->wikis.n; j++)
			for (size_t k = 0; k < other->wikis.n; k++)
				if (strcmp(issuer->wikis.at[j], other->wikis.at[k]) == 0)
					return say(text, size,
						   "issuers %s and %s both have the wiki %s",
						   other->name, issuer->name, issuer->wikis.at[j]);
	}
	return false;
}

/* Revisions are numbered by each wiki for itself: a host is asked about the one wiki that it is. */
static bool is_bad_rest(const struct config_issuer *issuer, char *text, size_t size)
{
	static const char each[] = "https://*/";
	bool is_each = strncmp(issuer->rest, each, sizeof(each) - 1) == 0;
	char address[300]; /* with any host instead of the star it is one like the others */
	size_t length;

	if (!*issuer->rest)
		return false;
	(void)snprintf(address, sizeof(address), "%s%s", is_each ? "https://a.invalid/" : "",
		       is_each ? issuer->rest + sizeof(each) - 1 : issuer->rest);
	if (strpbrk(address, "*?") || fetch_origin_read(address, &length))
		return say(text, size,
			   "issuer %s has a rest that is no address such as "
			   "https://wiki.example/w/rest.php or https://*/w/rest.php",
			   issuer->name);
	if (!is_each && issuer->wikis.n != 1)
		return say(text, size,
			   "issuer %s has a rest of one host: name its one wiki in wikis, or "
			   "write https://*/ for the host of each",
			   issuer->name);
	return false;
}

static bool is_bad_demo(const struct config *config, const struct config_issuer *issuer, char *text,
			size_t size)
{
	if (config->n_issuers > 1)
		return say(text, size,
			   "issuer %s is a demo issuer: no other issuer may stand beside it",
			   issuer->name);
	if (has_any_url(issuer) || issuer->verify != CONFIG_VERIFY_TOKEN)
		return say(text, size, "issuer %s is a demo issuer: there is no wiki to ask",
			   issuer->name);
	if (issuer->keys.n == 0)
		return say(text, size, "issuer %s has no keys", issuer->name);
	return false;
}

static bool is_bad_client(const struct config_issuer *issuer, size_t index, char *text, size_t size)
{
	const struct config_client *client = &issuer->clients[index];

	for (size_t i = 0; i < index; i++) {
		if (strcmp(issuer->clients[i].id, client->id) == 0)
			return say(text, size, "issuer %s has the client %s twice", issuer->name,
				   client->id);
		if (issuer->clients[i].is_login && client->is_login)
			return say(text, size, "issuer %s has two clients with login",
				   issuer->name);
	}
	if (client->is_login && issuer->is_demo)
		return say(text, size, "issuer %s is a demo issuer: its client %s needs no login",
			   issuer->name, client->id);
	if (client->is_login &&
	    (!*client->secret_file || !*issuer->authorize || !*issuer->access_token))
		return say(text, size,
			   "client %s of issuer %s has login: that needs its secret_file, and "
			   "authorize and access_token of the issuer",
			   client->id, issuer->name);
	if (*client->secret_file && !client->is_login)
		return say(text, size, "client %s of issuer %s has a secret_file, but no login",
			   client->id, issuer->name);
	return false;
}

/* Wikis send people back to where they came from, and only there. */
static bool is_bad_login(const struct config *config, const struct config_issuer *issuer,
			 size_t index, char *text, size_t size)
{
	if (issuer->clients[index].is_login && !*config->public_url)
		return say(text, size, "client %s of issuer %s has login: that needs public_url",
			   issuer->clients[index].id, issuer->name);
	return false;
}

static bool is_bad_wiki(const struct config *config, const struct config_issuer *issuer, char *text,
			size_t size)
{
	if (!*issuer->profile)
		return say(text, size,
			   "issuer %s needs profile: only the wiki knows whether a token is still "
			   "good",
			   issuer->name);
	if (issuer->verify == CONFIG_VERIFY_TOKEN && issuer->keys.n == 0)
		return say(text, size,
			   "issuer %s has no keys: name them, or set verify: profile-only",
			   issuer->name);
	if (issuer->verify == CONFIG_VERIFY_PROFILE_ONLY && issuer->keys.n > 0)
		return say(text, size, "issuer %s has keys that verify: profile-only never uses",
			   issuer->name);
	if (*issuer->people)
		return say(text, size, "issuer %s has people, which only a demo issuer has",
			   issuer->name);
	if (!*config->contact)
		return say(
			text, size,
			"issuer %s needs contact: wikis are told whom to write to about requests",
			issuer->name);
	return false;
}

bool config_find_bad_issuer(const struct config *config, size_t *ret_index, char *ret_text,
			    size_t size)
{
	for (size_t i = 0; i < config->n_issuers; i++) {
		const struct config_issuer *issuer = &config->issuers[i];
		bool is_bad = issuer->is_demo ? is_bad_demo(config, issuer, ret_text, size)
					      : is_bad_wiki(config, issuer, ret_text, size);

		is_bad = is_bad || is_bad_lookup(config, i, ret_text, size) ||
			 is_bad_rest(issuer, ret_text, size);
		for (size_t j = 0; !is_bad && j < i; j++)
			if (strcmp(config->issuers[j].iss, issuer->iss) == 0)
				is_bad = say(ret_text, size, "issuers %s and %s have the same iss",
					     config->issuers[j].name, issuer->name);
		for (size_t j = 0; !is_bad && j < issuer->n_clients; j++)
			is_bad = is_bad_client(issuer, j, ret_text, size) ||
				 is_bad_login(config, issuer, j, ret_text, size);
		if (is_bad) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}
