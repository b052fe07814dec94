/* daemon/app/config: rows, defaults, the dump, and every refusal with its place. */

#include "daemon/app/config_row.h"
#include "daemon/base/buffer.h"
#include "tests/unit/suite.h"

#include <unistd.h>

#define ISSUER                                                                            \
	"    iss: https://a.invalid\n    scope: s\n    clients: [{id: c, scope: full}]\n" \
	"    keys: [/k.pub]\n"

#define CONTACT "contact: ops@example.org\nissuers:\n"
#define PROFILE "    profile: https://w.example/p\n"
#define API "    api: https://w.example/api.php\n"
#define URLS "    authorize: https://w.example/a\n    access_token: https://w.example/t\n"
#define CLIENTS(list)                                                                       \
	"    iss: https://a.invalid\n    scope: s\n    keys: [/k.pub]\n    clients: [" list \
	"]\n" PROFILE
#define LOGIN(id) "{id: " id ", scope: full, login: true, secret_file: /s}"

static struct config *read_good(const char *text)
{
	struct config *config = NULL;
	struct config_error error = { .text = "" };
	int r = config_read("test.yaml", slice_of(text), &config, &error);

	ck_assert_msg(r == 0, "%d: %s", r, error.text);
	return config;
}

static void dump(const struct config *config, struct buffer *buffer)
{
	config_dump(config, buffer);
	ck_assert_int_eq(0, buffer_finish(buffer));
}

START_TEST(an_empty_file_means_every_default)
{
	struct config *config = read_good("{}");

	ck_assert_uint_eq(1, config->listen.n);
	ck_assert_str_eq("127.0.0.1:8480", config->listen.at[0]);
	ck_assert_str_eq("127.0.0.1:8481", config->ops_listen);
	ck_assert_int_eq(0, config->web_processes);
	ck_assert_int_eq(30, config->drain_seconds);
	ck_assert_int_eq(LOG_LEVEL_INFO, config->log_level);
	ck_assert_int_eq(4, config->connections[PG_LANE_ACT]);
	ck_assert_uint_eq(0, config->n_issuers);
	config_free(config);
}
END_TEST

START_TEST(the_shipped_file_says_the_defaults)
{
	CLEANUP(buffer_deinit) struct buffer one = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer two = BUFFER_NULL;
	struct config *defaults = read_good("{}");
	struct config_error error = { .text = "" };
	struct config *shipped = NULL;
	char path[512];

	ck_assert_ptr_nonnull(getenv("CONDUCTD_SOURCE"));
	(void)snprintf(path, sizeof(path), "%s/packaging/config/conductd.yaml",
		       getenv("CONDUCTD_SOURCE"));
	ck_assert_msg(config_load(path, &shipped, &error) == 0, "%u: %s", error.line, error.text);
	dump(defaults, &one);
	dump(shipped, &two);
	ck_assert_str_eq(one.at, two.at);
	config_free(defaults);
	config_free(shipped);
}
END_TEST

START_TEST(the_shipped_file_names_every_key)
{
	char path[512];
	char line[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/packaging/config/conductd.yaml",
		       getenv("CONDUCTD_SOURCE"));
	for (size_t i = 0; i < config_n_rows; i++) {
		const char *dot = strrchr(config_rows[i].path, '.');
		const char *key = dot ? dot + 1 : config_rows[i].path;
		bool is_found = false;

		file = fopen(path, "re");
		ck_assert_ptr_nonnull(file);
		while (!is_found && fgets(line, sizeof(line), file)) {
			const char *at = line + strspn(line, " ");

			is_found = strncmp(at, key, strlen(key)) == 0 && at[strlen(key)] == ':';
		}
		(void)fclose(file);
		ck_assert_msg(is_found, "%s is not in the shipped file", config_rows[i].path);
	}
}
END_TEST

static const char full[] =
	"listen: ['127.0.0.1:1', '[::1]:2']\n"
	"host_names: [a.example, '[2001:db8::1]', 192.0.2.1]\n"
	"contact: \"a\\\"b\\\\c\"\n"
	"processes:\n  web: 3\n  user: conductd\n  pid_file: /run/x\n  drain: 90s\n"
	"log_level: debug\n"
	"database:\n  web: host=/x user=a\n  connections:\n    batch: 64\n"
	"issuers:\n  - name: demo\n    demo: true\n" ISSUER "    people: /p.json\n";

START_TEST(a_dump_reads_back_to_the_same)
{
	CLEANUP(buffer_deinit) struct buffer one = BUFFER_NULL;
	CLEANUP(buffer_deinit) struct buffer two = BUFFER_NULL;
	struct config *config = read_good(full);
	struct config *again;

	dump(config, &one);
	again = read_good(one.at);
	dump(again, &two);
	ck_assert_str_eq(one.at, two.at);
	ck_assert_str_eq("a\"b\\c", again->contact);
	ck_assert_int_eq(90, again->drain_seconds);
	ck_assert_uint_eq(1, again->n_issuers);
	ck_assert(again->issuers[0].is_demo);
	ck_assert_int_eq(CONFIG_SCOPE_FULL, again->issuers[0].clients[0].scope);
	ck_assert_str_eq("/k.pub", again->issuers[0].keys.at[0]);
	config_free(config);
	config_free(again);
}
END_TEST

START_TEST(the_dump_is_golden)
{
	static const char expected[] =
		"listen:\n  - \"127.0.0.1:1\"\n  - \"[::1]:2\"\n"
		"tls: []\n"
		"ops_listen: \"127.0.0.1:8481\"\n"
		"host_names:\n  - \"a.example\"\n  - \"[2001:db8::1]\"\n"
		"  - \"192.0.2.1\"\n"
		"public_url: \"\"\ntrusted_proxies: []\nshared_networks: []\n"
		"cors_origins: []\ncors_wikis: true\n"
		"limits:\n  reports_account: 50\n  reports_network: 10\n  reads: 600\n"
		"  acts: 120\n  receipts: 30\n  auth: 60\n  shared_factor: 20\n"
		"  connections: 10000\n  network_connections: 1000\n  buffers: 64\n  queue: 512\n"
		"processes:\n  web: 3\n  user: \"conductd\"\n  pid_file: \"/run/x\"\n"
		"  drain: 90s\n"
		"log_level: debug\n"
		"database:\n  web: \"host=/x user=a\"\n";
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
	struct config *config = read_good(full);
	static const char end[] =
		"issuers:\n  - name: \"demo\"\n    iss: \"https://a.invalid\"\n    scope: \"s\"\n"
		"    demo: true\n    verify: token\n    clients:\n      - id: \"c\"\n"
		"        scope: full\n        login: false\n        secret_file: \"\"\n"
		"    keys:\n      - \"/k.pub\"\n    profile: \"\"\n    authorize: \"\"\n"
		"    access_token: \"\"\n    api: \"\"\n    rest: \"\"\n"
		"    central_ids: \"\"\n    wikis: []\n"
		"    lifetime_max: 4h\n"
		"    people: \"/p.json\"\n";

	dump(config, &text);
	ck_assert_int_eq(0, strncmp(expected, text.at, strlen(expected)));
	ck_assert_str_eq(end, text.at + text.length - strlen(end));
	config_free(config);
}
END_TEST

START_TEST(an_address_of_tls_alone_is_enough)
{
	CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
	struct config *config = read_good("listen: []\ntls:\n  - listen: '[::]:443'\n"
					  "    certificate: /c\n    key: /k\n");

	ck_assert_uint_eq(0, config->listen.n);
	ck_assert_uint_eq(1, config->n_tls);
	ck_assert_str_eq("[::]:443", config->tls[0].listen);
	ck_assert_str_eq("", config->tls[0].client_ca);
	dump(config, &text);
	ck_assert_ptr_nonnull(strstr(text.at,
				     "tls:\n  - listen: \"[::]:443\"\n    certificate: \"/c\"\n"
				     "    key: \"/k\"\n    client_ca: \"\"\n"));
	config_free(config);
}
END_TEST

/* One with a login, one without a key. */
#define WIKI_ONE "  - name: one\n" URLS CLIENTS(LOGIN("pages") ", {id: gadget, scope: report}")
#define WIKI_TWO                                                                              \
	"  - name: two\n    iss: https://b.invalid\n    scope: t\n    verify: profile-only\n" \
	"    clients: [{id: c, scope: full}]\n    profile: http://127.0.0.1:8080/p?x=1\n"

START_TEST(issuers_of_wikis_are_taken)
{
	struct config *config = read_good(
		"public_url: https://a.example\n" CONTACT WIKI_ONE WIKI_TWO);

	ck_assert_uint_eq(2, config->n_issuers);
	ck_assert(config->issuers[0].clients[0].is_login);
	ck_assert_str_eq("/s", config->issuers[0].clients[0].secret_file);
	ck_assert_int_eq(CONFIG_VERIFY_TOKEN, config->issuers[0].verify);
	ck_assert_int_eq(CONFIG_VERIFY_PROFILE_ONLY, config->issuers[1].verify);
	config_free(config);
}
END_TEST

/* The provider of the ids that an api tells, from the scope or by name. */
START_TEST(the_provider_of_ids_is_known_or_named)
{
	static const struct {
		const char *scope;
		const char *more;
		const char *provider;
	} rows[] = {
		{ "CentralAuth", "", "CentralAuth" },
		{ "local", "", "local" },
		{ "local:testwiki", "", "local" },
		{ "farm", "    central_ids: Farm\n", "Farm" },
		{ "CentralAuth", "    central_ids: other\n", "other" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
		struct config *config;

		buffer_printf(&text,
			      CONTACT "  - name: wiki\n    iss: a\n    scope: '%s'\n" API PROFILE
				      "    clients: [{id: c, scope: full}]\n    keys: [/k]\n"
				      "    wikis: [enwiki, dewiki]\n%s",
			      rows[i].scope, rows[i].more);
		ck_assert_int_eq(0, buffer_finish(&text));
		config = read_good(text.at);
		ck_assert_str_eq(rows[i].provider, config_issuer_central_ids(&config->issuers[0]));
		ck_assert_uint_eq(2, config->issuers[0].wikis.n);
		ck_assert_str_eq("dewiki", config->issuers[0].wikis.at[1]);
		config_free(config);
	}
}
END_TEST

/* An issuer of each scope, with an api. */
#define SCOPED(name, scope, more)                                                       \
	"  - name: " name "\n    iss: https://" name ".invalid\n    scope: " scope "\n" \
	"    clients: [{id: c, scope: full}]\n    keys: [/k.pub]\n" PROFILE API more

/* An issuer whose revisions are fetched. */
#define RESTED(rest, more) "  - name: wiki\n" ISSUER PROFILE "    rest: \"" rest "\"\n" more
#define ONE_HOST                                                                                   \
	"issuer wiki has a rest of one host: name its one wiki in wikis, or write https://*/ for " \
	"the host of each"
#define NO_ADDRESS                                           \
	"issuer wiki has a rest that is no address such as " \
	"https://wiki.example/w/rest.php or https://*/w/rest.php"

START_TEST(revisions_are_fetched_at_the_host_of_each_wiki_or_of_one)
{
	struct config *config = read_good(CONTACT RESTED("https://*/w/rest.php", ""));

	ck_assert_str_eq("https://*/w/rest.php", config->issuers[0].rest);
	config_free(config);
	config = read_good(CONTACT RESTED("http://127.0.0.1:8080/rest.php", "    wikis: [a]\n"));
	ck_assert_str_eq("http://127.0.0.1:8080/rest.php", config->issuers[0].rest);
	config_free(config);
}
END_TEST

START_TEST(each_issuer_has_its_wikis)
{
	struct config *config = read_good(CONTACT SCOPED("one", "local:a", "    wikis: [awiki]\n")
						  SCOPED("two", "local:b", "    wikis: [bwiki]\n")
							  SCOPED("rest", "CentralAuth", ""));

	ck_assert_uint_eq(3, config->n_issuers);
	ck_assert_uint_eq(0, config->issuers[2].wikis.n);
	config_free(config);
}
END_TEST

START_TEST(what_a_reload_does_not_change_is_named)
{
	static const struct {
		const char *after;
		const char *fixed;
	} rows[] = {
		{ "{}", "" },
		{ "log_level: debug", "" },
		{ "processes: {web: 3}", "processes.web" },
		{ "audit: {head_file: /var/lib/conductd/other.head}", "audit.head_file" },
		{ "listen: ['127.0.0.1:9']\nprocesses: {web: 3}", "listen, processes.web" },
	};
	struct config *before = read_good("{}");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(buffer_deinit) struct buffer text = BUFFER_NULL;
		struct config *after = read_good(rows[i].after);

		config_list_fixed(before, after, &text);
		ck_assert_int_eq(0, buffer_finish(&text));
		ck_assert_str_eq(rows[i].fixed, text.at);
		config_free(after);
	}
	config_free(before);
}
END_TEST

#define NO_PUBLIC_URL                                                                    \
	"public_url must be an origin of https without a path, or of http on loopback, " \
	"such as https://conduct.example.org"
#define NO_HOST "each of host_names must be a name without port, such as conduct.example.org"
#define TWICE(address) address " is given twice: listen, tls and ops_listen have an address each"

static const struct {
	const char *text;
	unsigned line;
	unsigned column;
	const char *message;
} refused[] = {
	{ "[]", 1, 1, "the configuration must be a mapping" },
	{ "lisen: []", 1, 1, "unknown key lisen" },
	{ "a: 1\nb: 2", 1, 1, "unknown key a" },
	{ "processes:\n  web: 1\n  wbe: 2", 3, 3, "unknown key processes.wbe" },
	{ "processes: 3", 1, 12, "processes must be a mapping" },
	{ "listen: 127.0.0.1:80", 1, 9, "listen must be a list" },
	{ "listen: []", 1, 9, "listen needs at least 1 item, where tls has none" },
	{ "tls:\n  - listen: '[::]:443'\n    key: /k", 2, 5, "certificate is missing" },
	{ "tls:\n  - listen: '[::]:443'\n    certificate: /c\n    key: k", 4, 10,
	  "key must be an absolute path" },
	{ "tls:\n  - listen: 443\n    certificate: /c\n    key: /k", 2, 13,
	  "listen must be an address and port, such as "
	  "127.0.0.1:8480 or [::1]:8480" },
	{ "tls: [{listen: '[::1]:443', certificate: /c, key: /k}]\nissuers:\n  - name: demo\n"
	  "    demo: true\n" ISSUER,
	  1, 6, "a demo issuer is for this machine alone, and TLS is for others" },
	{ "listen: [localhost:80]", 1, 10,
	  "listen must be an address and port, such as "
	  "127.0.0.1:8480 or [::1]:8480" },
	{ "ops_listen: 80", 1, 13,
	  "ops_listen must be an address and port, such as "
	  "127.0.0.1:8480 or [::1]:8480" },
	{ "processes: {web: many}", 1, 18, "processes.web must be a whole number" },
	{ "processes: {web: -1}", 1, 18, "processes.web must be from 0 to 256" },
	{ "processes: {web: 257}", 1, 18, "processes.web must be from 0 to 256" },
	{ "processes: {web: '1'}", 1, 18, "processes.web must be a whole number" },
	{ "processes: {drain: 30}", 1, 20,
	  "processes.drain must be a duration, such as 30s, "
	  "15min, 24h or 14d" },
	{ "processes: {drain: 1h}", 1, 20, "processes.drain must be from 1 to 600 seconds" },
	{ "log_level: loud", 1, 12, "log_level must be one of error, warn, info, debug" },
	{ "log_level: [info]", 1, 12, "log_level must be one of error, warn, info, debug" },
	{ "issuers: [{name: ''}]", 1, 18, "name must not be empty" },
	{ "contact: \"a\\nb\"", 1, 10, "contact holds a control character" },
	{ "index_key_file: key", 1, 17, "index_key_file must be an absolute path" },
	{ "index_key_file: ''", 1, 17, "index_key_file must be an absolute path" },
	{ "policy_path: [data]", 1, 15, "policy_path must be an absolute path" },
	{ "database: {web: 'user=a password=b'}", 1, 17,
	  "database.web holds a password: name a passfile instead" },
	{ "database: {web: 'postgresql://a:b@c/d'}", 1, 17,
	  "database.web must be written as key=value pairs" },
	{ "database: {web: conductd}", 1, 17, "database.web must be written as key=value pairs" },
	{ "database: {connections: {act: 0}}", 1, 31,
	  "database.connections.act must be from 1 to 64" },
	{ "database: {connections: {acts: 1}}", 1, 26, "unknown key database.connections.acts" },
	{ "public_url: https://conduct.example/", 1, 13, NO_PUBLIC_URL },
	{ "public_url: conduct.example", 1, 13, NO_PUBLIC_URL },
	{ "public_url: http://conduct.example", 1, 13, NO_PUBLIC_URL },
	{ "host_names: [conduct.example:443]", 1, 14, NO_HOST },
	{ "host_names: ['https://conduct.example']", 1, 14, NO_HOST },
	{ "host_names: ['*.example']", 1, 14, NO_HOST },
	{ "host_names: ['.example']", 1, 14, NO_HOST },
	{ "host_names: ['[2001:db8::1']", 1, 14, NO_HOST },
	{ "host_names: ['2001:db8::1']", 1, 14, NO_HOST },
	{ "host_names: ['[]x]']", 1, 14, NO_HOST },
	{ "host_names: ['[]']", 1, 14, NO_HOST },
	{ "host_names: ['[']", 1, 14, NO_HOST },
	{ "host_names: [-x.example]", 1, 14, NO_HOST },
	{ "host_names: ['[::z]']", 1, 14, NO_HOST },
	{ "tls: [{listen: '127.0.0.1:8480', certificate: /c, key: /k}]", 1, 1,
	  TWICE("127.0.0.1:8480") },
	{ "listen: ['127.0.0.1:1', '127.0.0.1:1']", 1, 9, TWICE("127.0.0.1:1") },
	{ "listen: ['127.0.0.1:8481']", 1, 9, TWICE("127.0.0.1:8481") },
	{ "listen: ['[::1]:1', '[0::1]:1']", 1, 9, TWICE("[0::1]:1") },
	{ "ops_listen: 127.0.0.1:8480", 1, 1, TWICE("127.0.0.1:8480") },
	{ "trusted_proxies: [10.0.0.1/8]", 1, 19,
	  "each of trusted_proxies must be an address or a network, such as 192.0.2.0/24 or "
	  "2001:db8::/32" },
	{ "shared_networks: [example.org]", 1, 19,
	  "each of shared_networks must be an address or a network, such as 192.0.2.0/24 or "
	  "2001:db8::/32" },
	{ "cors_origins: [en.wikipedia.org]", 1, 16,
	  "each of cors_origins must be an origin, such as https://en.wikipedia.org" },
	{ "cors_origins: ['null']", 1, 16,
	  "each of cors_origins must be an origin, such as https://en.wikipedia.org" },
	{ "trusted_proxies: [127.0.0.1]\nissuers:\n  - name: demo\n    demo: true\n" ISSUER, 1, 18,
	  "a demo issuer cannot be served behind a proxy" },
	{ "issuers: [wiki]", 1, 11, "each of issuers must be a mapping" },
	{ "issuers:\n  - demo: true\n", 2, 5, "name is missing" },
	{ "issuers:\n  - name: a\n    demo: yes\n" ISSUER, 3, 11, "demo must be true or false" },
	{ "issuers:\n  - name: wiki\n" ISSUER, 2, 5,
	  "issuer wiki needs profile: only the wiki knows whether a token is still good" },
	{ "issuers:\n  - name: wiki\n" ISSUER PROFILE, 2, 5,
	  "issuer wiki needs contact: wikis are told whom to write to about requests" },
	{ "issuers:\n  - name: wiki\n    profile: http://w.example/p\n" ISSUER, 3, 14,
	  "profile must be an address of https, or of http on loopback, such as "
	  "https://meta.example.org/w/rest.php" },
	{ CONTACT "  - name: wiki\n    verify: profile-only\n" ISSUER PROFILE, 3, 5,
	  "issuer wiki has keys that verify: profile-only never uses" },
	{ CONTACT "  - name: wiki\n    iss: https://a.invalid\n    scope: s\n"
		  "    clients: [{id: c, scope: full}]\n" PROFILE,
	  3, 5, "issuer wiki has no keys: name them, or set verify: profile-only" },
	{ CONTACT "  - name: wiki\n    people: /p.json\n" ISSUER PROFILE, 3, 5,
	  "issuer wiki has people, which only a demo issuer has" },
	{ CONTACT "  - name: one\n" ISSUER PROFILE "  - name: two\n" ISSUER PROFILE, 9, 5,
	  "issuers one and two have the same iss" },
	{ CONTACT "  - name: wiki\n" CLIENTS("{id: c, scope: full}, {id: c, scope: report}"), 3, 5,
	  "issuer wiki has the client c twice" },
	{ CONTACT "  - name: wiki\n" CLIENTS("{id: c, scope: full, login: true}"), 3, 5,
	  "client c of issuer wiki has login: that needs its secret_file, and authorize and "
	  "access_token of the issuer" },
	{ CONTACT "  - name: wiki\n" CLIENTS("{id: c, scope: full, secret_file: /s}"), 3, 5,
	  "client c of issuer wiki has a secret_file, but no login" },
	{ CONTACT "  - name: wiki\n" URLS CLIENTS(LOGIN("a")), 3, 5,
	  "client a of issuer wiki has login: that needs public_url" },
	{ "public_url: https://a.example\n" CONTACT
	  "  - name: wiki\n" URLS CLIENTS(LOGIN("a") ", " LOGIN("b")),
	  4, 5, "issuer wiki has two clients with login" },
	{ CONTACT SCOPED("wiki", "Farm", ""), 3, 5,
	  "issuer wiki has an api, and its scope Farm is neither CentralAuth nor local:WIKI: name "
	  "in central_ids the provider of its ids" },
	{ CONTACT SCOPED("wiki", "localwiki", ""), 3, 5,
	  "issuer wiki has an api, and its scope localwiki is neither CentralAuth nor local:WIKI: "
	  "name in central_ids the provider of its ids" },
	{ CONTACT "  - name: wiki\n" ISSUER PROFILE "    central_ids: x\n", 3, 5,
	  "issuer wiki has central_ids, but no api that tells them" },
	{ CONTACT SCOPED("one", "local:a", "") SCOPED("two", "CentralAuth", ""), 10, 5,
	  "issuers one and two have no wikis: names of one wiki are looked up at one issuer" },
	{ CONTACT SCOPED("one", "local:a", "    wikis: [a, b]\n")
		  SCOPED("two", "CentralAuth", "    wikis: [c, b]\n"),
	  11, 5, "issuers one and two both have the wiki b" },
	{ CONTACT RESTED("https://w.example/rest.php", ""), 3, 5, ONE_HOST },
	{ CONTACT RESTED("https://w.example/rest.php", "    wikis: [a, b]\n"), 3, 5, ONE_HOST },
	{ CONTACT RESTED("http://w.example/rest.php", "    wikis: [a]\n"), 3, 5, NO_ADDRESS },
	{ CONTACT RESTED("http://*/rest.php", ""), 3, 5, NO_ADDRESS },
	{ CONTACT RESTED("https://*.example/rest.php", ""), 3, 5, NO_ADDRESS },
	{ CONTACT RESTED("https://*/*/rest.php", ""), 3, 5, NO_ADDRESS },
	{ CONTACT RESTED("https://*/rest.php?a=b", ""), 3, 5, NO_ADDRESS },
	{ CONTACT RESTED("https://*/rest php", ""), 3, 5, NO_ADDRESS },
	{ CONTACT RESTED("rest.php", "    wikis: [a]\n"), 3, 5, NO_ADDRESS },
	{ "issuers:\n  - name: demo\n    demo: true\n" ISSUER "    rest: https://*/rest.php\n", 2,
	  5, "issuer demo is a demo issuer: there is no wiki to ask" },
	{ "issuers:\n  - name: demo\n    demo: true\n" ISSUER "    authorize: https://w.example/\n",
	  2, 5, "issuer demo is a demo issuer: there is no wiki to ask" },
	{ "issuers:\n  - name: demo\n    demo: true\n" ISSUER
	  "    access_token: https://w.example/\n",
	  2, 5, "issuer demo is a demo issuer: there is no wiki to ask" },
	{ "issuers:\n  - name: demo\n    demo: true\n" ISSUER API, 2, 5,
	  "issuer demo is a demo issuer: there is no wiki to ask" },
	{ "issuers:\n  - name: demo\n    demo: true\n" ISSUER "    central_ids: x\n", 2, 5,
	  "issuer demo is a demo issuer: there is no wiki to ask" },
	{ "issuers:\n  - name: demo\n    demo: true\n" ISSUER "    verify: profile-only\n", 2, 5,
	  "issuer demo is a demo issuer: there is no wiki to ask" },
	{ "public_url: https://a.example\n" CONTACT
	  "  - name: wiki\n    authorize: https://w.example/a\n" CLIENTS(LOGIN("a")),
	  4, 5,
	  "client a of issuer wiki has login: that needs its secret_file, and authorize and "
	  "access_token of the issuer" },
	{ "issuers:\n  - name: demo\n    demo: true\n" ISSUER "    wikis: [a]\n", 2, 5,
	  "issuer demo is a demo issuer: there is no wiki to ask" },
	{ "issuers:\n  - name: demo\n    demo: true\n" ISSUER PROFILE, 2, 5,
	  "issuer demo is a demo issuer: there is no wiki to ask" },
	{ "issuers:\n  - name: demo\n    demo: true\n    iss: a\n    scope: s\n"
	  "    clients: [{id: c, scope: full}]\n",
	  2, 5, "issuer demo has no keys" },
	{ "issuers:\n  - name: demo\n    demo: true\n" ISSUER "  - name: wiki\n" ISSUER, 2, 5,
	  "issuer demo is a demo issuer: no other issuer may stand beside it" },
	{ CONTACT "  - name: wiki\n" ISSUER PROFILE "  - name: demo\n    demo: true\n" ISSUER, 9, 5,
	  "issuer demo is a demo issuer: no other issuer may stand beside it" },
	{ "listen: ['0.0.0.0:80']\nissuers:\n  - name: demo\n    demo: true\n" ISSUER, 1, 9,
	  "a demo issuer needs loopback addresses, and 0.0.0.0:80 is none" },
	{ "issuers:\n  - name: demo\n    demo: true\n    iss: a\n    scope: s\n    keys: [/k]\n"
	  "    clients: [{id: c, scope: all}]\n",
	  7, 30, "scope must be one of report, full" },
	{ "issuers:\n  - name: demo\n    demo: true\n    iss: a\n    scope: s\n"
	  "    clients: [{id: c, scope: full}]\n    keys: [/1, /2, /3, /4, /5]\n",
	  7, 11, "keys has more than 4 items" },
	{ "issuers:\n  - name: demo\n    demo: true\n    secret: x\n" ISSUER, 4, 5,
	  "unknown key secret" },
};

START_TEST(what_is_wrong_is_refused_with_its_place)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct config *config = NULL;
		struct config_error error = { .text = "" };
		int r = config_read("t", slice_of(refused[i].text), &config, &error);

		ck_assert_msg(r == CONFIG_E_REFUSED, "%s: %d", refused[i].text, r);
		ck_assert_ptr_null(config);
		ck_assert_str_eq(refused[i].message, error.text);
		ck_assert_msg(error.line == refused[i].line && error.column == refused[i].column,
			      "%s: at %u:%u", refused[i].text, error.line, error.column);
	}
}
END_TEST

START_TEST(yaml_that_is_not_ours_is_refused_with_its_place)
{
	static const char *const bad[] = {
		"a: 1\na: 2\n",           "a: &x 1\n", "a: *x\n", "a: !!str 1\n",
		"---\na: 1\n---\nb: 2\n", "a: [\n",    "\ta: 1\n"
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct config *config = NULL;
		struct config_error error = { .text = "" };

		ck_assert_int_eq(CONFIG_E_REFUSED,
				 config_read("t", slice_of(bad[i]), &config, &error));
		ck_assert_uint_gt(error.line, 0);
		ck_assert_uint_gt(strlen(error.text), 0);
	}
}
END_TEST

START_TEST(a_file_that_is_not_there_is_said_so)
{
	struct config *config = NULL;
	struct config_error error = { .text = "" };
	char text[128];

	ck_assert_int_eq(CONFIG_E_UNREADABLE, config_load("/nonexistent/c.yaml", &config, &error));
	config_error_print("/nonexistent/c.yaml", &error, text, sizeof(text));
	ck_assert_str_eq("/nonexistent/c.yaml: cannot be read: No such file or directory", text);
	error = (struct config_error){ .text = "x", .line = 3, .column = 7 };
	config_error_print("f", &error, text, sizeof(text));
	ck_assert_str_eq("f:3:7: x", text);
}
END_TEST

START_TEST(what_is_no_file_of_a_sane_size_is_refused)
{
	char name[] = "/tmp/conductd-config-XXXXXX";
	struct config *config = NULL;
	struct config_error error;
	int fd = mkstemp(name);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(config_load("/", &config, &error), CONFIG_E_UNREADABLE);
	ck_assert_str_eq(error.text, "cannot be read: Is a directory");
	ck_assert_int_eq(config_load(name, &config, &error), CONFIG_E_REFUSED);
	ck_assert_int_eq(ftruncate(fd, 5 * 1024 * 1024), 0);
	ck_assert_int_eq(config_load(name, &config, &error), CONFIG_E_REFUSED);
	ck_assert_str_eq(error.text, "larger than 4194304 bytes");
	ck_assert_ptr_null(config);
	close(fd);
	unlink(name);
}
END_TEST

SUITE("app/config", an_empty_file_means_every_default, the_shipped_file_says_the_defaults,
      the_shipped_file_names_every_key, a_dump_reads_back_to_the_same, the_dump_is_golden,
      an_address_of_tls_alone_is_enough, issuers_of_wikis_are_taken,
      the_provider_of_ids_is_known_or_named, each_issuer_has_its_wikis,
      revisions_are_fetched_at_the_host_of_each_wiki_or_of_one,
      what_a_reload_does_not_change_is_named, what_is_wrong_is_refused_with_its_place,
      yaml_that_is_not_ours_is_refused_with_its_place, a_file_that_is_not_there_is_said_so,
      what_is_no_file_of_a_sane_size_is_refused)
