/*
 * Messages in banana format (https://www.mediawiki.org/wiki/Help:System_message): numbered
 * parameters and {{PLURAL}}, with the CLDR plural rules of the languages that are shipped.
 */

#include "api/http/message.h"
#include "api/http/message_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_FORMS_MAX = 6 };

/* How many languages are compiled in. */
size_t message_n_languages(void)
{
	return message_languages_n;
}

/* The code of one language, or NULL. */
const char *message_language(size_t language)
{
	return language < message_languages_n ? message_languages[language] : NULL;
}

/* "de-at" finds "de". */
size_t message_find_language(const char *code)
{
	size_t n = strcspn(code, "-");
	size_t found = message_languages_n;

	for (size_t i = 0; i < message_languages_n; i++) {
		if (strcmp(message_languages[i], code) == 0)
			return i;
		if (strlen(message_languages[i]) == n &&
		    strncmp(message_languages[i], code, n) == 0)
			found = i;
	}
	return found;
}

/* By the scripts that CLDR gives these languages. */
bool message_is_rtl(size_t language)
{
	static const char *const codes[] = { "ar", "arc", "ckb", "dv", "fa", "he",
					     "ks", "ps",  "sd",  "ug", "ur", "yi" };
	const char *code = message_language(language);

	for (size_t i = 0; code && i < ARRAY_SIZE(codes); i++)
		if (strcmp(codes[i], code) == 0)
			return true;
	return false;
}

static int compare_rows(const void *key, const void *row)
{
	return strcmp(key, ((const struct message_row *)row)->key);
}

/* The raw text of a message. */
const char *message_find(const char *key, size_t language)
{
	const struct message_row *row = bsearch(key, message_rows, message_rows_n,
						sizeof(message_rows[0]), compare_rows);

	return row && language < message_languages_n ? row->texts[language] : NULL;
}

/* CLDR cardinal rules; the order of forms is that of MediaWiki's PLURAL. */
static size_t plural_form(const char *language, int64_t n)
{
	if (strcmp(language, "ar") != 0)
		return n == 1 ? 0 : 1;
	if (n >= 0 && n <= 2)
		return (size_t)n;
	if (n % 100 >= 3 && n % 100 <= 10)
		return 3;
	return n % 100 >= 11 ? 4 : 5;
}

static const struct value *find_param(const struct value *params, char digit)
{
	return digit >= '1' && digit <= '9' ? value_at(params, (size_t)(digit - '1')) : NULL;
}

static void render_param(const struct value *param, struct buffer *buffer)
{
	struct slice text = value_text(param);

	if (text.at)
		buffer_append(buffer, text.at, text.length);
	else if (value_is(param, VALUE_INTEGER))
		buffer_printf(buffer, "%" PRId64, value_integer(param, 0));
	else
		buffer_append_text(buffer, "?");
}

static void render_plain(struct slice text, const struct value *params, struct buffer *buffer)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '$' && i + 1 < text.length && text.at[i + 1] >= '1' &&
		    text.at[i + 1] <= '9')
			render_param(find_param(params, text.at[++i]), buffer);
		else
			buffer_append_char(buffer, text.at[i]);
	}
}

/* What stands between "{{PLURAL:$1|" and "}}". */
static void render_plural(struct slice forms, const char *language, const struct value *param,
			  const struct value *params, struct buffer *buffer)
{
	size_t wanted = plural_form(language, value_integer(param, 0));

	for (size_t i = 0;; i++) {
		const char *bar = memchr(forms.at, '|', forms.length);
		struct slice form = { forms.at, bar ? (size_t)(bar - forms.at) : forms.length };

		if (i == wanted || !bar || i + 1 == MESSAGE_FORMS_MAX) {
			render_plain(form, params, buffer);
			return;
		}
		forms.length -= form.length + 1;
		forms.at = bar + 1;
	}
}

/* Writes a message with its parameters; a missing parameter shows as "?". */
void message_render(const char *text, const char *language, const struct value *params,
		    struct buffer *buffer)
{
	static const char opening[] = "{{PLURAL:$";
	const char *at = text;

	while (*at) {
		const char *plural = strstr(at, opening);
		const char *digit = plural ? plural + sizeof(opening) - 1 : NULL;
		const char *end = digit && digit[0] && digit[1] == '|' ? strstr(digit, "}}") : NULL;

		if (!end) {
			render_plain((struct slice){ at, strlen(at) }, params, buffer);
			return;
		}
		render_plain((struct slice){ at, (size_t)(plural - at) }, params, buffer);
		render_plural((struct slice){ digit + 2, (size_t)(end - digit) - 2 }, language,
			      find_param(params, *digit), params, buffer);
		at = end + 2;
	}
}

struct value *message_translate(const char *key)
{
	struct value *texts = value_new_object();

	for (size_t i = 0; texts && i < message_n_languages(); i++) {
		const char *text = message_find(key, i);

		if (text && value_set_string(texts, message_language(i), text))
			texts = value_free(texts);
	}
	return texts;
}
