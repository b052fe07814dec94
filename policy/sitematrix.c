/*
 * `conductctl wikis import`: the JSON of api.php?action=sitematrix as a registry file. It says
 * which wikis exist, in which language and state; regions, groups and bodies are policy and come
 * from elsewhere, so the file leaves them out and a merge keeps them.
 */

#include <stdlib.h>
#include <string.h>

#include "policy/command.h"
#include "policy/model.h"

struct site {
	const char *dbname;
	const char *lang;
	const char *family;
	const char *status;
	bool is_rtl;
	char host[254];
};

struct import {
	struct arena *arena;
	struct buffer *out; /* complaints */
	struct policy_list sites;
	const struct value *matrix;
	bool is_refused;
};

/* Wikis that keep an old code in their name speak the language of the right one. */
static const char *const renamed[][2] = {
	{ "als", "gsw" },
	{ "bat-smg", "sgs" },
	{ "be-x-old", "be-tarask" },
	{ "fiu-vro", "vro" },
	{ "no", "nb" },
	{ "roa-rup", "rup" },
	{ "simple", "en" },
	{ "zh-classical", "lzh" },
	{ "zh-min-nan", "nan" },
	{ "zh-yue", "yue" },
};

static const char *content_lang(const char *code)
{
	for (size_t i = 0; code && i < ARRAY_SIZE(renamed); i++)
		if (strcmp(code, renamed[i][0]) == 0)
			return renamed[i][1];
	return code;
}

static const char *status_of(const struct value *site)
{
	static const char *const states[] = { "closed", "private", "fishbowl" };

	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		const struct value *flag = value_get(site, states[i]);

		/* formatversion 1 writes an empty text, 2 a boolean. */
		if (value_is_true(flag) || value_is(flag, VALUE_TEXT))
			return states[i];
	}
	return "open";
}

static bool read_host(const struct value *site, char ret_host[254])
{
	const char *url = value_get_string(site, "url");
	const char *host = url ? strstr(url, "//") : NULL;
	size_t length = host ? strspn(host + 2, "abcdefghijklmnopqrstuvwxyz0123456789.-") : 0;

	if (length == 0 || length > 253 || (host[2 + length] != '\0' && host[2 + length] != '/'))
		return false;
	memcpy(ret_host, host + 2, length);
	ret_host[length] = '\0';
	return true;
}

static int add_site(struct import *import, const struct value *value, const char *lang,
		    const char *family, bool is_rtl)
{
	struct site *site = arena_alloc(import->arena, sizeof(*site));

	if (!site)
		return -ENOMEM;
	*site = (struct site){ .dbname = value_get_string(value, "dbname"),
			       .lang = content_lang(lang),
			       .family = family,
			       .status = status_of(value),
			       .is_rtl = is_rtl };
	if (!site->dbname || !policy_text_is_dbname(site->dbname) || !site->lang ||
	    !policy_text_is_lang(site->lang) || !policy_text_is_id(site->family) ||
	    !read_host(value, site->host)) {
		buffer_printf(import->out,
			      "site %zu (%s) has no usable dbname, language, family or url\n",
			      import->sites.n_items + 1, site->dbname ? site->dbname : "unnamed");
		import->is_refused = true;
		return 0;
	}
	return policy_list_add(import->arena, &import->sites, site);
}

static bool is_rtl_text(const struct value *group)
{
	const char *direction = value_get_string(group, "dir");

	return direction && strcmp(direction, "rtl") == 0;
}

/* A language: its sites' `code` is the project, and "wiki" means Wikipedia. */
static int add_group(struct import *import, const struct value *group)
{
	const struct value *sites = value_get(group, "site");
	int r = 0;

	for (size_t i = 0; i < value_count(sites) && r == 0; i++) {
		const struct value *site = value_at(sites, i);
		const char *family = value_get_string(site, "code");

		if (!family || strcmp(family, "wiki") == 0)
			family = "wikipedia";
		r = add_site(import, site, value_get_string(group, "code"), family,
			     is_rtl_text(group));
	}
	return r;
}

/* Specials say their language only; how it is written stands at the group of that language. */
static bool special_is_rtl(const struct import *import, const char *lang)
{
	struct slice key;
	struct value *group;

	for (void *at = NULL; lang && value_each(import->matrix, &at, &key, &group);) {
		const char *code = value_get_string(group, "code");

		if (code && strcmp(code, lang) == 0)
			return is_rtl_text(group);
	}
	return false;
}

static int add_specials(struct import *import, const struct value *specials)
{
	static const char *const families[] = { "commons",      "wikidata",  "meta",
						"species",      "sources",   "mediawiki",
						"incubator",    "wikimania", "foundation",
						"wikifunctions" };
	int r = 0;

	for (size_t i = 0; i < value_count(specials) && r == 0; i++) {
		const struct value *site = value_at(specials, i);
		const char *code = value_get_string(site, "code");
		const char *lang = value_get_string(site, "lang");
		const char *family = "special";

		for (size_t k = 0; code && k < ARRAY_SIZE(families); k++)
			if (strcmp(code, families[k]) == 0)
				family = families[k];
		r = add_site(import, site, lang ? lang : "en", family,
			     special_is_rtl(import, lang));
	}
	return r;
}

static int read_matrix(struct import *import)
{
	struct slice key;
	struct value *member;
	int r = 0;

	for (void *at = NULL; r == 0 && value_each(import->matrix, &at, &key, &member);) {
		if (strcmp(key.at, "specials") == 0)
			r = add_specials(import, member);
		else if (value_is(member, VALUE_OBJECT))
			r = add_group(import, member);
	}
	return r;
}

static int compare_sites(const void *a, const void *b)
{
	return strcmp(((const struct site *)a)->dbname, ((const struct site *)b)->dbname);
}

static void write_yaml(struct import *import, struct buffer *yaml)
{
	const struct site *earlier = NULL;

	policy_list_sort(&import->sites, compare_sites);
	buffer_append_text(
		yaml, "# Written by `conductctl wikis import` from action=sitematrix.\nwikis:\n");
	for (size_t i = 0; i < import->sites.n_items; i++) {
		const struct site *site = import->sites.items[i];

		if (earlier && strcmp(earlier->dbname, site->dbname) == 0) {
			buffer_printf(import->out, "the wiki \"%s\" stands twice in the matrix\n",
				      site->dbname);
			import->is_refused = true;
		}
		earlier = site;
		buffer_printf(yaml,
			      "  %s: {lang: \"%s\", dir: %s, family: %s, status: %s, host: %s}\n",
			      site->dbname, site->lang, site->is_rtl ? "rtl" : "ltr", site->family,
			      site->status, site->host);
	}
	if (import->sites.n_items == 0 && !import->is_refused) {
		buffer_append_text(import->out, "there is no wiki in it\n");
		import->is_refused = true;
	}
}

int policy_command_import(struct slice sitematrix, struct buffer *ret_yaml, struct buffer *out)
{
	struct value *value CLEANUP(value_freep) = NULL;
	struct import import = { .out = out };
	struct buffer yaml = BUFFER_NULL;
	struct value_error error = { 0 };
	int r = value_parse(sitematrix, &value, &error);

	if (r < 0)
		return r;
	import.matrix = value_get(value, "sitematrix");
	if (r > 0 || !value_is(import.matrix, VALUE_OBJECT)) {
		buffer_printf(out, "not the JSON of action=sitematrix%s%s\n", r > 0 ? ": " : "",
			      r > 0 ? error.message : "");
		return POLICY_E_REFUSED;
	}
	r = arena_new(&import.arena);
	if (r < 0)
		return r;
	r = read_matrix(&import);
	if (r == 0)
		write_yaml(&import, &yaml);
	if (r == 0)
		r = buffer_finish(&yaml);
	arena_free(import.arena);
	if (r == 0 && import.is_refused)
		r = POLICY_E_REFUSED;
	if (r == 0)
		*ret_yaml = yaml;
	else
		buffer_deinit(&yaml);
	return r;
}
