/*
 * What is looked at before a start or a reload touches any process: everything that the processes
 * will read, so that a reload is taken by all of them or by none.
 */

#include <string.h>

#include "daemon/app/certificates.h"
#include "daemon/app/issuers.h"
#include "daemon/app/reload.h"
#include "daemon/base/log.h"
#include "policy/set.h"

static bool texts_equal(const struct config_texts *a, const struct config_texts *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (strcmp(a->at[i], b->at[i]) != 0)
			return false;
	return a->n == b->n;
}

/* What the processes were started with and cannot change under way. */
bool reload_needs_restart(const struct config *old, const struct config *new)
{
	return !texts_equal(&old->listen, &new->listen) ||
	       strcmp(old->ops_listen, new->ops_listen) != 0 || strcmp(old->user, new->user) != 0 ||
	       strcmp(old->pid_file, new->pid_file) != 0 ||
	       strcmp(old->database_web, new->database_web) != 0 ||
	       strcmp(old->database_worker, new->database_worker) != 0 ||
	       memcmp(old->connections, new->connections, sizeof(old->connections)) != 0 ||
	       strcmp(old->index_key_file, new->index_key_file) != 0 ||
	       strcmp(old->deployment_id, new->deployment_id) != 0 ||
	       old->vault_cases_person != new->vault_cases_person ||
	       old->vault_cases_host != new->vault_cases_host ||
	       old->web_processes != new->web_processes;
}

/* Their files are read once more by each web process, as the account it has then. */
static int check_issuers(const struct config *config)
{
	struct issuers *issuers = NULL;
	char text[512] = "";
	int r = issuers_new(config, &issuers, text, sizeof(text));

	if (r > 0)
		log_say(LOG_LEVEL_ERROR, "issuers: %s", text);
	issuers_free(issuers);
	return r;
}

/*
 * A reload keeps the certificates in use rather than take one that nobody would believe. A start
 * has no others. The sockets of TLS addresses are bound to their rows, so the rows stay.
 */
static int check_tls(const struct config *old, const struct config *config)
{
	char text[512] = "";
	int r = certificates_check(config, text, sizeof(text));

	if (r > 0)
		log_say(r == CERTIFICATES_E_DATES && !old ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR,
			"tls: %s", text);
	if (r == CERTIFICATES_E_DATES && !old)
		r = 0;
	for (size_t i = 0; r == 0 && old && i < CONFIG_TLS_LIMIT; i++)
		if ((i < old->n_tls) != (i < config->n_tls) ||
		    (i < old->n_tls && strcmp(old->tls[i].listen, config->tls[i].listen) != 0))
			r = CERTIFICATES_E_REFUSED;
	if (r == CERTIFICATES_E_REFUSED && *text == '\0')
		log_say(LOG_LEVEL_ERROR, "tls: addresses change with an upgrade (USR2) or a "
					 "restart only");
	return r;
}

/*
 * Reads configuration, policy and the files that they name as the children will; each reason of a
 * refusal is logged with its place. old: what is in use; NULL at a start. 0: all are good, and
 * *ret_config is the caller's.
 */
int reload_check(const char *file, const struct config *old, struct config **ret_config)
{
	CLEANUP(policy_errors_deinit) struct policy_errors errors = { 0 };
	CLEANUP(policy_set_unrefp) struct policy_set *set = NULL;
	struct config_error error = { 0 };
	struct config *config = NULL;
	char text[512];
	int r = config_load(file, &config, &error);

	if (r > 0) {
		config_error_print(file, &error, text, sizeof(text));
		log_say(LOG_LEVEL_ERROR, "%s", text);
	}
	if (r)
		return r;
	r = policy_set_load(config->policy_path.at, config->policy_path.n, &set, &errors);
	for (size_t i = 0; i < errors.n_lines; i++)
		log_say(LOG_LEVEL_ERROR, "%s", errors.lines[i]);
	if (r == 0)
		r = check_issuers(config);
	if (r == 0)
		r = check_tls(old, config);
	if (r) {
		config_free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}
