/*
 * Scalars as the schema reads them: `no` is a language where a language stands, 3.10 stays 3.10
 * where text stands, and quotes change nothing.
 */

#include "policy/scalar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/text.h"
#include "policy/message.h"

enum { ID_MAX = 64, RULE_ID_MAX = 128, LANG_MAX = 35, URL_MAX = 2000 };
enum { LABEL_POINTS_MAX = 200, TEXT_POINTS_MAX = 10000 };

static const char LOWER[] = "abcdefghijklmnopqrstuvwxyz";
static const char LOWER_DIGITS[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char ID_CHARACTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
static const char DBNAME_CHARACTERS[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

static bool is_id_part(const char *text, size_t length)
{
	return length > 0 && length <= ID_MAX && strchr("._-", text[0]) == NULL &&
	       strspn(text, ID_CHARACTERS) >= length;
}

bool policy_text_is_id(const char *text)
{
	return is_id_part(text, strlen(text));
}

bool policy_text_is_dbname(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= ID_MAX && strspn(text, DBNAME_CHARACTERS) == length;
}

bool policy_text_is_lang(const char *text)
{
	size_t part = strspn(text, LOWER);

	if (part < 2 || part > 8 || strlen(text) > LANG_MAX)
		return false;
	text += part;
	while (*text == '-') {
		part = strspn(++text, LOWER_DIGITS);
		if (part < 1 || part > 8)
			return false;
		text += part;
	}
	return *text == '\0';
}

static bool is_rule_id(const char *text)
{
	size_t n_parts = 0;

	if (strlen(text) > RULE_ID_MAX)
		return false;
	for (;;) {
		size_t length = strcspn(text, "/");

		if (!is_id_part(text, length))
			return false;
		n_parts++;
		if (text[length] == '\0')
			return n_parts >= 2;
		text += length + 1;
	}
}

static bool is_date(const char *text)
{
	char time[32];
	int64_t usec;

	if (strlen(text) != 10)
		return false;
	snprintf(time, sizeof(time), "%sT00:00:00Z", text);
	return text_read_timestamp((struct slice){ time, strlen(time) }, &usec) == 0;
}

static bool is_time(const char *text)
{
	int64_t usec;

	return text_read_timestamp((struct slice){ text, strlen(text) }, &usec) == 0;
}

static bool is_url(const char *text)
{
	size_t prefix = strncmp(text, "https://", 8) == 0  ? 8
			: strncmp(text, "http://", 7) == 0 ? 7
							   : 0;

	if (prefix == 0 || strlen(text) > URL_MAX || text[prefix] == '\0')
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= 0x20 || strchr("<>\"\\", *text))
			return false;
	return true;
}

static bool is_host(const char *text)
{
	size_t length = strlen(text);

	return length > 0 && length <= 253 && strspn(text, ID_CHARACTERS) == length &&
	       !strchr(text, '_') && !strstr(text, "..") && text[0] != '.' && text[0] != '-';
}

static bool is_scoped(const char *text, bool is_jurisdiction)
{
	if (strcmp(text, is_jurisdiction ? "global" : "base:base") == 0)
		return true;
	if (strncmp(text, "wiki:", 5) == 0)
		return policy_text_is_dbname(text + 5);
	if (strncmp(text, "group:", 6) == 0)
		return policy_text_is_id(text + 6);
	return strncmp(text, "region:", 7) == 0 && policy_text_is_id(text + 7);
}

static bool is_word(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static void complain_word(const struct schema *schema, const struct policy_node *node,
			  struct policy_report *report)
{
	struct buffer list CLEANUP(buffer_deinit) = BUFFER_NULL;

	for (const char *const *word = schema->words; *word; word++) {
		buffer_append_text(&list, word == schema->words ? "" : ", ");
		buffer_append_text(&list, *word);
	}
	if (buffer_finish(&list) < 0)
		report->has_failed = true;
	else
		policy_report_add(report, node, "\"%s\" is not one of %s", node->text, list.at);
}

static void check_number(const struct schema *schema, const struct policy_node *node,
			 struct policy_report *report)
{
	bool is_duration = schema->type == SCHEMA_DURATION;
	int64_t number = -1;

	if (is_duration ? (number = policy_node_duration(node, -1)) < 0
			: !policy_text_is_integer(node->text, &number))
		policy_report_add(report, node,
				  is_duration ? "\"%s\" is not a duration (90s, 60min, 24h, 14d)"
					      : "\"%s\" is not a whole number",
				  node->text);
	else if (number < schema->min || number > schema->max)
		policy_report_add(report, node, "%s is not between %" PRId64 " and %" PRId64 "%s",
				  node->text, schema->min, schema->max,
				  is_duration ? " seconds" : "");
}

/* Trims what a folded block leaves behind, normalises, and reads the placeholders. */
static int check_text(const struct schema *schema, struct policy_node *node,
		      struct policy_report *report)
{
	bool is_label = schema->type == SCHEMA_LABEL;
	size_t max = is_label ? LABEL_POINTS_MAX : TEXT_POINTS_MAX;
	size_t length = strlen(node->text);
	struct policy_message message;
	const char *complaint;
	struct slice text;
	int r;

	while (length > 0 && strchr(" \n\t", node->text[length - 1]))
		length--;
	r = text_normalise(report->arena, (struct slice){ node->text, length }, max, &text);
	if (r < 0)
		return r;
	if (r > 0) {
		policy_report_add(report, node,
				  r == TEXT_E_TOO_LONG ? "the text is longer than %zu characters"
						       : "the text is not valid (limit %zu)",
				  max);
		return 0;
	}
	node->text = arena_strndup(report->arena, text.at, text.length);
	if (!node->text)
		return -ENOMEM;
	if (text.length == 0)
		policy_report_add(report, node, "the text is empty");
	else if (is_label && strchr(node->text, '\n'))
		policy_report_add(report, node, "a label is one line");
	else if (policy_message_read(node->text, &message, &complaint) != 0)
		policy_report_add(report, node, "%s", complaint);
	return 0;
}

static const char *shape_complaint(const struct schema *schema, const struct policy_node *node)
{
	const char *text = node->text;

	switch (schema->type) {
	case SCHEMA_ID:
		return policy_text_is_id(text) ? NULL : "an id";
	case SCHEMA_ID_OR_NULL:
		return policy_node_is_null(node) || policy_text_is_id(text) ? NULL
									    : "an id or null";
	case SCHEMA_RULE_ID:
		return is_rule_id(text) ? NULL : "a rule id (two or more parts joined by /)";
	case SCHEMA_DBNAME:
		return policy_text_is_dbname(text) ? NULL : "a dbname";
	case SCHEMA_LANG:
		return policy_text_is_lang(text) ? NULL : "a language code";
	case SCHEMA_BOOL:
		return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ? NULL
									       : "true or false";
	case SCHEMA_DATE:
		return is_date(text) ? NULL : "a date (2026-11-22)";
	case SCHEMA_TIME:
		return is_time(text) ? NULL : "a time (2026-11-22T00:00:00Z)";
	case SCHEMA_URL:
		return is_url(text) ? NULL : "a URL that starts with https:// or http://";
	case SCHEMA_HOST:
		return is_host(text) ? NULL : "a host name";
	case SCHEMA_JURISDICTION:
		return is_scoped(text, true) ? NULL
					     : "a jurisdiction (wiki:x, group:x, region:x, global)";
	case SCHEMA_LAYER_NAME:
		return is_scoped(text, false) ? NULL : "a layer (region:x, group:x, wiki:x)";
	default:
		return NULL;
	}
}

int policy_scalar_check(const struct schema *schema, struct policy_node *node,
			struct policy_report *report)
{
	const char *complaint;

	if (node->kind != POLICY_SCALAR) {
		policy_report_add(report, node, "a single value is expected, not a %s",
				  node->kind == POLICY_LIST ? "list" : "mapping");
		return 0;
	}
	switch (schema->type) {
	case SCHEMA_INT:
	case SCHEMA_DURATION:
		check_number(schema, node, report);
		return 0;
	case SCHEMA_WORD:
		if (!is_word(node->text, schema->words))
			complain_word(schema, node, report);
		return 0;
	case SCHEMA_LABEL:
	case SCHEMA_TEXT:
		return check_text(schema, node, report);
	default:
		complaint = shape_complaint(schema, node);
		if (complaint)
			policy_report_add(report, node, "\"%s\" is not %s", node->text, complaint);
		return 0;
	}
}
