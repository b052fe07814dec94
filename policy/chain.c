/*
 * Which languages a reader gets, best first: flat lists, followed once and never recursively, since
 * languages may name each other (pt and pt-br). Every chain ends in en, where every text exists.
 */

#include "policy/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACCEPT_MAX = 10, CODE_MAX = 35 };

struct wish {
	char code[CODE_MAX + 1];
	unsigned quality; /* in thousandths */
};

/* The language as the set spells it, or NULL: not known there. */
static const char *known_lang(const struct policy_set *set, const char *code)
{
	const struct policy_language *language = policy_find_language(set, policy_slice(code));

	return language ? language->lang : NULL;
}

/* Lower case, '_' as '-'; false when it is no code at all. */
static bool code_read(struct slice text, char ret_code[CODE_MAX + 1])
{
	if (text.length == 0 || text.length > CODE_MAX)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];

		ret_code[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '_' ? '-' : c;
	}
	ret_code[text.length] = '\0';
	return policy_text_is_lang(ret_code);
}

static void chain_add(struct policy_chain *chain, const char *lang)
{
	/* The last place is kept for en. */
	if (!lang || chain->n_langs == POLICY_CHAIN_MAX - 1)
		return;
	for (size_t i = 0; i < chain->n_langs; i++)
		if (strcmp(chain->langs[i], lang) == 0)
			return;
	chain->langs[chain->n_langs++] = lang;
}

static void chain_add_fallbacks(struct policy_chain *chain, const struct policy_set *set,
				const char *lang)
{
	const struct policy_language *language = policy_find_language(set, policy_slice(lang));

	for (size_t i = 0; language && i < language->fallback.n_items; i++)
		chain_add(chain, known_lang(set, language->fallback.items[i]));
}

static void chain_read_list(struct policy_chain *chain, const struct policy_set *set,
			    struct slice list)
{
	size_t n_parts = 0;

	for (size_t at = 0; at < list.length; n_parts++) {
		const char *end = memchr(list.at + at, '|', list.length - at);
		size_t length = end ? (size_t)(end - list.at) - at : list.length - at;
		char code[CODE_MAX + 1];

		if (code_read((struct slice){ list.at + at, length }, code))
			chain_add(chain, known_lang(set, code));
		at += length + 1;
	}
	/* Who names several has made a chain of their own. */
	chain->n_asked = chain->n_langs;
	if (n_parts == 1 && chain->n_langs == 1)
		chain_add_fallbacks(chain, set, chain->langs[0]);
}

/* RFC 9110 section 12.4.2: up to three decimals; what cannot be read counts as 1. */
static unsigned quality_read(struct slice parameters)
{
	unsigned quality = 0, unit = 1000;

	while (parameters.length > 0 && strchr("; \tq=", parameters.at[0])) {
		parameters.at++;
		parameters.length--;
	}
	if (parameters.length == 0 || parameters.at[0] != '0')
		return 1000;
	for (size_t i = 2; i < parameters.length && i < 5; i++) {
		if (parameters.at[i] < '0' || parameters.at[i] > '9')
			break;
		unit /= 10;
		quality += unit * (unsigned)(parameters.at[i] - '0');
	}
	return quality;
}

static size_t wishes_read(struct slice accept, struct wish wishes[ACCEPT_MAX])
{
	size_t n_wishes = 0;

	for (size_t at = 0; at < accept.length && n_wishes < ACCEPT_MAX;) {
		const char *end = memchr(accept.at + at, ',', accept.length - at);
		size_t length = end ? (size_t)(end - accept.at) - at : accept.length - at;
		struct slice part = { accept.at + at, length };
		size_t code = 0;
		struct wish wish;

		at += length + 1;
		while (part.length > 0 && (part.at[0] == ' ' || part.at[0] == '\t')) {
			part.at++;
			part.length--;
		}
		while (code < part.length && !strchr("; \t", part.at[code]))
			code++;
		wish.quality = quality_read((struct slice){ part.at + code, part.length - code });
		if (wish.quality == 0 || !code_read((struct slice){ part.at, code }, wish.code))
			continue;
		/* Sorted by quality, the order of the header among equals. */
		code = n_wishes++;
		for (; code > 0 && wishes[code - 1].quality < wish.quality; code--)
			wishes[code] = wishes[code - 1];
		wishes[code] = wish;
	}
	return n_wishes;
}

/* RFC 4647 section 3.4: de-at, and then de, before what the reader wants less. */
static void chain_add_range(struct policy_chain *chain, const struct policy_set *set, char *code)
{
	for (;;) {
		char *dash = strrchr(code, '-');

		chain_add(chain, known_lang(set, code));
		if (!dash)
			return;
		*dash = '\0';
	}
}

static void chain_read_accept(struct policy_chain *chain, const struct policy_set *set,
			      struct slice accept)
{
	struct wish wishes[ACCEPT_MAX];
	size_t n_wishes = wishes_read(accept, wishes);

	for (size_t i = 0; i < n_wishes; i++)
		chain_add_range(chain, set, wishes[i].code);
	chain->n_asked = chain->n_langs;
	for (size_t i = 0; i < chain->n_asked; i++)
		chain_add_fallbacks(chain, set, chain->langs[i]);
}

void policy_chain_init(struct policy_chain *chain, const struct policy_set *set,
		       const struct policy_wiki *wiki, struct slice list, struct slice accept)
{
	*chain = (struct policy_chain){ 0 };
	chain_read_list(chain, set, list);
	if (chain->n_langs == 0)
		chain_read_accept(chain, set, accept);
	if (chain->n_langs == 0 && wiki && wiki->lang) {
		chain_add(chain, wiki->lang);
		chain->n_asked = 1;
		chain_add_fallbacks(chain, set, wiki->lang);
	}
	chain_add(chain, "en");
	if (chain->n_asked == 0)
		chain->n_asked = 1;
}

bool policy_set_is_rtl(const struct policy_set *set, const char *lang)
{
	const struct policy_language *language = policy_find_language(set, policy_slice(lang));

	if (language)
		return language->is_rtl;
	/* Not listed in base: a wiki of that language says how it is written. */
	for (size_t i = 0; i < set->wikis.n_items; i++) {
		const struct policy_registered *wiki = set->wikis.items[i];

		if (wiki->wiki.lang && strcmp(wiki->wiki.lang, lang) == 0)
			return wiki->wiki.is_rtl;
	}
	return false;
}
