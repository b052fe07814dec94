/*
 * Every key of the configuration, in the order in which it is dumped; keys of one section stand
 * together. packaging/config/conductd.yaml says the same with explanations, and a test compares.
 */

#include "daemon/app/config_row.h"

static const char *const log_levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const scopes[] = { "report", "full", NULL };
static const char *const verifies[] = { "token", "profile-only", NULL };

#define AT(member) offsetof(struct config, member)

static const struct config_row client_rows[] = {
	{ "id", CONFIG_TEXT, offsetof(struct config_client, id), NULL, .least = 1, .most = 64 },
	{ "scope", CONFIG_CHOICE, offsetof(struct config_client, scope), NULL, .choices = scopes },
	{ "login", CONFIG_BOOLEAN, offsetof(struct config_client, is_login), "false", .least = 0 },
	{ "secret_file", CONFIG_PATH, offsetof(struct config_client, secret_file), "''",
	  .least = 0 },
};

static const struct config_row issuer_rows[] = {
	{ "name", CONFIG_TEXT, offsetof(struct config_issuer, name), NULL, .least = 1, .most = 64 },
	{ "iss", CONFIG_TEXT, offsetof(struct config_issuer, iss), NULL, .least = 1, .most = 255 },
	{ "scope", CONFIG_TEXT, offsetof(struct config_issuer, scope), NULL, .least = 1,
	  .most = 64 },
	{ "demo", CONFIG_BOOLEAN, offsetof(struct config_issuer, is_demo), "false", .least = 0 },
	{ "verify", CONFIG_CHOICE, offsetof(struct config_issuer, verify), "token",
	  .choices = verifies },
	{ "clients", CONFIG_MAPPINGS, offsetof(struct config_issuer, clients), NULL, .least = 1,
	  .most = CONFIG_CLIENT_LIMIT, .rows = client_rows, .n_rows = ARRAY_SIZE(client_rows),
	  .size = sizeof(struct config_client),
	  .n_offset = offsetof(struct config_issuer, n_clients) },
	{ "keys", CONFIG_PATHS, offsetof(struct config_issuer, keys), "[]", .least = 0,
	  .most = CONFIG_KEY_LIMIT },
	{ "profile", CONFIG_URL, offsetof(struct config_issuer, profile), "''", .least = 0 },
	{ "authorize", CONFIG_URL, offsetof(struct config_issuer, authorize), "''", .least = 0 },
	{ "access_token", CONFIG_URL, offsetof(struct config_issuer, access_token), "''",
	  .least = 0 },
	{ "api", CONFIG_URL, offsetof(struct config_issuer, api), "''", .least = 0 },
	{ "rest", CONFIG_TEXT, offsetof(struct config_issuer, rest), "''", .most = 255 },
	{ "central_ids", CONFIG_TEXT, offsetof(struct config_issuer, central_ids), "''",
	  .most = 64 },
	{ "wikis", CONFIG_TEXTS, offsetof(struct config_issuer, wikis), "[]",
	  .most = CONFIG_WIKI_LIMIT },
	{ "lifetime_max", CONFIG_DURATION, offsetof(struct config_issuer, lifetime_max), "4h",
	  .least = 60, .most = 31 * 86400 },
	{ "people", CONFIG_PATH, offsetof(struct config_issuer, people), "''", .least = 0 },
};

#define TLS(member) offsetof(struct config_tls, member)

static const struct config_row tls_rows[] = {
	{ "listen", CONFIG_ADDRESS, TLS(listen), NULL, .least = 0 },
	{ "certificate", CONFIG_PATH, TLS(certificate), NULL, .least = 1 },
	{ "key", CONFIG_PATH, TLS(key), NULL, .least = 1 },
	{ "client_ca", CONFIG_PATH, TLS(client_ca), "''", .least = 0 },
};

const struct config_row config_rows[] = {
	{ "listen", CONFIG_ADDRESSES, AT(listen), "['127.0.0.1:8480']", .most = CONFIG_LISTEN_LIMIT,
	  .is_fixed = true },
	{ "tls", CONFIG_MAPPINGS, AT(tls), "[]", .most = CONFIG_TLS_LIMIT, .rows = tls_rows,
	  .n_rows = ARRAY_SIZE(tls_rows), .size = sizeof(struct config_tls),
	  .n_offset = AT(n_tls) },
	{ "ops_listen", CONFIG_ADDRESS, AT(ops_listen), "'127.0.0.1:8481'", .least = 0,
	  .is_fixed = true },
	{ "host_names", CONFIG_HOSTS, AT(host_names), "[]", .most = CONFIG_HOST_LIMIT },
	{ "public_url", CONFIG_ORIGIN, AT(public_url), "''", .least = 0 },
	{ "trusted_proxies", CONFIG_NETWORKS, AT(trusted_proxies), "[]",
	  .most = CONFIG_NETWORK_LIMIT },
	{ "shared_networks", CONFIG_NETWORKS, AT(shared_networks), "[]",
	  .most = CONFIG_NETWORK_LIMIT },
	{ "cors_origins", CONFIG_ORIGINS, AT(cors_origins), "[]", .most = CONFIG_ORIGIN_LIMIT },
	{ "cors_wikis", CONFIG_BOOLEAN, AT(has_cors_wikis), "true", .least = 0 },
	{ "limits.reports_account", CONFIG_INTEGER, AT(limits[LIMIT_REPORTS_ACCOUNT]), "50",
	  .most = CONFIG_RATE_LIMIT },
	{ "limits.reports_network", CONFIG_INTEGER, AT(limits[LIMIT_REPORTS_NETWORK]), "10",
	  .most = CONFIG_RATE_LIMIT },
	{ "limits.reads", CONFIG_INTEGER, AT(limits[LIMIT_READS]), "600",
	  .most = CONFIG_RATE_LIMIT },
	{ "limits.acts", CONFIG_INTEGER, AT(limits[LIMIT_ACTS]), "120", .most = CONFIG_RATE_LIMIT },
	{ "limits.receipts", CONFIG_INTEGER, AT(limits[LIMIT_RECEIPTS]), "30",
	  .most = CONFIG_RATE_LIMIT },
	{ "limits.auth", CONFIG_INTEGER, AT(limits[LIMIT_AUTH]), "60", .most = CONFIG_RATE_LIMIT },
	{ "limits.shared_factor", CONFIG_INTEGER, AT(shared_factor), "20", .least = 1,
	  .most = 10000 },
	{ "limits.connections", CONFIG_INTEGER, AT(connections_max), "10000", .least = 16,
	  .most = 100000 },
	{ "limits.network_connections", CONFIG_INTEGER, AT(network_connections), "1000",
	  .most = 100000 },
	{ "limits.buffers", CONFIG_INTEGER, AT(buffers_mib), "64", .least = 1, .most = 65536 },
	{ "limits.queue", CONFIG_INTEGER, AT(queue_max), "512", .least = 1, .most = 4096 },
	{ "processes.web", CONFIG_INTEGER, AT(web_processes), "0", .most = CONFIG_WEB_LIMIT,
	  .is_fixed = true },
	{ "processes.user", CONFIG_TEXT, AT(user), "''", .most = 32, .is_fixed = true },
	{ "processes.pid_file", CONFIG_PATH, AT(pid_file), "''", .least = 0, .is_fixed = true },
	{ "processes.drain", CONFIG_DURATION, AT(drain_seconds), "30s", .least = 1, .most = 600 },
	{ "log_level", CONFIG_CHOICE, AT(log_level), "info", .choices = log_levels },
	{ "database.web", CONFIG_CONNINFO, AT(database_web),
	  "'host=/run/postgresql dbname=conductd user=conduct_web"
	  " passfile=/etc/conductd/web.pgpass'",
	  .least = 0, .is_fixed = true },
	{ "database.worker", CONFIG_CONNINFO, AT(database_worker),
	  "'host=/run/postgresql dbname=conductd user=conduct_worker"
	  " passfile=/etc/conductd/worker.pgpass'",
	  .least = 0, .is_fixed = true },
	{ "database.migrate", CONFIG_CONNINFO, AT(database_migrate),
	  "'host=/run/postgresql dbname=conductd user=conduct_migrate"
	  " passfile=/etc/conductd/migrate.pgpass'",
	  .least = 0 },
	{ "database.connections.batch", CONFIG_INTEGER, AT(connections[PG_LANE_BATCH]), "1",
	  .least = 1, .most = PG_CONNECTION_LIMIT, .is_fixed = true },
	{ "database.connections.act", CONFIG_INTEGER, AT(connections[PG_LANE_ACT]), "4", .least = 1,
	  .most = PG_CONNECTION_LIMIT, .is_fixed = true },
	{ "database.connections.read", CONFIG_INTEGER, AT(connections[PG_LANE_READ]), "2",
	  .least = 1, .most = PG_CONNECTION_LIMIT, .is_fixed = true },
	{ "database.connections.emergency", CONFIG_INTEGER, AT(connections[PG_LANE_EMERGENCY]), "1",
	  .least = 1, .most = PG_CONNECTION_LIMIT, .is_fixed = true },
	{ "policy_path", CONFIG_PATHS, AT(policy_path), "[/usr/share/conductd/policy]", .least = 1,
	  .most = CONFIG_PATH_LIMIT },
	{ "index_key_file", CONFIG_PATH, AT(index_key_file), "/etc/conductd/index.key", .least = 1,
	  .is_fixed = true },
	{ "vault.key_file", CONFIG_PATH, AT(vault_key_file), "/var/lib/conductd-vault/vault.key",
	  .least = 1 },
	{ "vault.public_file", CONFIG_PATH, AT(vault_public_file), "/etc/conductd/vault.pub",
	  .least = 1 },
	{ "vault.passphrase_file", CONFIG_PATH, AT(vault_passphrase_file),
	  "/var/lib/conductd-vault/vault.passphrase", .least = 0 },
	{ "vault.cases_person", CONFIG_INTEGER, AT(vault_cases_person), "60", .least = 1,
	  .most = CONFIG_CASES_LIMIT, .is_fixed = true },
	{ "vault.cases_host", CONFIG_INTEGER, AT(vault_cases_host), "600", .least = 1,
	  .most = CONFIG_CASES_LIMIT, .is_fixed = true },
	{ "audit.head_file", CONFIG_PATH, AT(audit_head_file), "/var/lib/conductd/log.head",
	  .least = 1, .is_fixed = true },
	{ "jobs.audit", CONFIG_DURATION, AT(audit_every), "2s", .least = 1, .most = 5 },
	{ "jobs.deadlines", CONFIG_DURATION, AT(deadlines_every), "5s", .least = 1, .most = 3600 },
	{ "jobs.lookups", CONFIG_DURATION, AT(lookups_every), "10s", .least = 1, .most = 3600 },
	{ "jobs.rotation", CONFIG_DURATION, AT(rotation_every), "5s", .least = 1, .most = 3600 },
	{ "jobs.snapshots", CONFIG_DURATION, AT(snapshots_every), "10s", .least = 1, .most = 3600 },
	{ "jobs.sweep", CONFIG_DURATION, AT(sweep_every), "5min", .least = 1, .most = 86400 },
	{ "jobs.retention", CONFIG_DURATION, AT(retention_every), "1min", .least = 1,
	  .most = 86400 },
	{ "contact", CONFIG_TEXT, AT(contact), "''", .most = 200 },
	{ "issuers", CONFIG_MAPPINGS, AT(issuers), "[]", .most = CONFIG_ISSUER_LIMIT,
	  .rows = issuer_rows, .n_rows = ARRAY_SIZE(issuer_rows),
	  .size = sizeof(struct config_issuer), .n_offset = AT(n_issuers) },
};

const size_t config_n_rows = ARRAY_SIZE(config_rows);
