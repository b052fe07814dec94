/*
 * Language preferences as requests write them. Codes are BCP 47 shaped (letters, digits, hyphens)
 * and kept in lower case, as MediaWiki keeps them; whether one exists is the reader's question.
 */

#include "api/http/language.h"

#include <stdlib.h>
#include <string.h>

static bool read_code(struct slice text, char ret_code[LANGUAGE_CODE_MAX + 1])
{
	if (text.length < 2 || text.length > LANGUAGE_CODE_MAX)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.at[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!(c >= 'a' && c <= 'z') && !(i && c >= '0' && c <= '9') &&
		    !(i && i + 1 < text.length && c == '-'))
			return false;
		ret_code[i] = c;
	}
	ret_code[text.length] = '\0';
	return true;
}

static struct slice trim(struct slice text)
{
	while (text.length && (*text.at == ' ' || *text.at == '\t')) {
		text.at++;
		text.length--;
	}
	while (text.length && (text.at[text.length - 1] == ' ' || text.at[text.length - 1] == '\t'))
		text.length--;
	return text;
}

/* Cuts the piece before `separator` off *text; false when nothing is left. */
static bool next_piece(struct slice *text, char separator, struct slice *ret_piece)
{
	const char *end;

	if (!text->at)
		return false;
	end = memchr(text->at, separator, text->length);
	*ret_piece = (struct slice){ text->at, end ? (size_t)(end - text->at) : text->length };
	if (end)
		*text = (struct slice){ end + 1, text->length - ret_piece->length - 1 };
	else
		*text = (struct slice){ NULL, 0 };
	return true;
}

/* "q=0.8" as thousandths; -1 when malformed. */
static int read_weight(struct slice text)
{
	int weight = 0, scale = 1000;

	if (text.length < 3 || text.length > 7 || (text.at[0] != 'q' && text.at[0] != 'Q') ||
	    text.at[1] != '=' || (text.at[2] != '0' && text.at[2] != '1'))
		return -1;
	if (text.length > 3 && text.at[3] != '.')
		return -1;
	weight = (text.at[2] - '0') * 1000;
	for (size_t i = 4; i < text.length; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return -1;
		scale /= 10;
		weight += (text.at[i] - '0') * scale;
	}
	return weight > 1000 ? -1 : weight;
}

/* Insertion keeps the order of equal weights; the least wanted code falls off a full list. */
static void insert(struct language_list *list, int *weights, const char *code, int weight)
{
	size_t at = list->n_codes;

	while (at > 0 && weights[at - 1] < weight)
		at--;
	if (at == LANGUAGE_LIST_MAX)
		return;
	if (list->n_codes < LANGUAGE_LIST_MAX)
		list->n_codes++;
	for (size_t i = list->n_codes - 1; i > at; i--) {
		memcpy(list->codes[i], list->codes[i - 1], sizeof(list->codes[i]));
		weights[i] = weights[i - 1];
	}
	memcpy(list->codes[at], code, LANGUAGE_CODE_MAX + 1);
	weights[at] = weight;
}

/* Reads Accept-Language; header.at NULL gives an empty list. */
void language_read_accept(struct slice header, struct language_list *ret_list)
{
	struct language_list list = { 0 };
	int weights[LANGUAGE_LIST_MAX] = { 0 };
	struct slice item;

	while (next_piece(&header, ',', &item)) {
		char code[LANGUAGE_CODE_MAX + 1] = "";
		struct slice tag = { 0 }, parameter;
		int weight = 1000;

		next_piece(&item, ';', &tag);
		if (next_piece(&item, ';', &parameter))
			weight = read_weight(trim(parameter));
		if (weight > 0 && read_code(trim(tag), code))
			insert(&list, weights, code, weight);
	}
	*ret_list = list;
}

/* Reads lang=a|b|c, the first wanted most. */
bool language_read_list(struct slice text, struct language_list *ret_list)
{
	struct language_list list = { 0 };
	struct slice piece;

	while (next_piece(&text, '|', &piece)) {
		if (list.n_codes == LANGUAGE_LIST_MAX ||
		    !read_code(piece, list.codes[list.n_codes]))
			return false;
		list.n_codes++;
	}
	if (!list.n_codes)
		return false;
	*ret_list = list;
	return true;
}
