/*
 * Reads the placeholders of a banana string: $1 to $9, {{PLURAL:$1|…}}, {{GENDER:$1|…}}, which
 * may hold one another. A translation has to have those of the English, or a page shows a hole.
 */

#include "policy/message.h"

#include <stdio.h>
#include <string.h>

enum { BRACES_MAX = 8 };

/* The number behind a '$' at `at`, or 0. $10 and more are no placeholders we fill. */
static unsigned parameter_at(const char *at)
{
	if (at[0] != '$' || at[1] < '1' || at[1] > '9' || (at[2] >= '0' && at[2] <= '9'))
		return 0;
	return (unsigned)(at[1] - '0');
}

/* at stands behind "{{". Returns the length of "PLURAL:$n|" or 0. */
static size_t word_read(const char *at, struct policy_message *message)
{
	unsigned number;
	bool is_plural = strncmp(at, "PLURAL:", 7) == 0;

	if (!is_plural && strncmp(at, "GENDER:", 7) != 0)
		return 0;
	number = parameter_at(at + 7);
	if (number == 0 || at[9] != '|')
		return 0;
	if (is_plural)
		message->plural |= (uint16_t)(1u << number);
	else
		message->gender |= (uint16_t)(1u << number);
	return 10;
}

/* ret_complaint: a constant text, on POLICY_E_MESSAGE. */
int policy_message_read(const char *text, struct policy_message *ret_message,
			const char **ret_complaint)
{
	struct policy_message message = { 0 };
	unsigned depth = 0;

	for (const char *at = text; *at; at++) {
		unsigned number = parameter_at(at);

		if (number > 0) {
			message.plain |= (uint16_t)(1u << number);
			at++;
		} else if (strncmp(at, "{{", 2) == 0) {
			size_t length = word_read(at + 2, &message);

			if (length == 0 || ++depth > BRACES_MAX) {
				*ret_complaint = "only {{PLURAL:$1|…}} and {{GENDER:$1|…}} may "
						 "stand in double braces";
				return POLICY_E_MESSAGE;
			}
			at += 1 + length;
		} else if (strncmp(at, "}}", 2) == 0) {
			if (depth == 0) {
				*ret_complaint = "}} closes nothing";
				return POLICY_E_MESSAGE;
			}
			depth--;
			at++;
		}
	}
	if (depth > 0) {
		*ret_complaint = "{{ is not closed";
		return POLICY_E_MESSAGE;
	}
	*ret_message = message;
	return 0;
}

void policy_message_print(const struct policy_message *message, char *ret_text, size_t size)
{
	const struct {
		const char *prefix;
		uint16_t bits;
	} kinds[] = { { "", message->plain },
		      { "PLURAL:", message->plural },
		      { "GENDER:", message->gender } };
	size_t length = 0;

	snprintf(ret_text, size, "none");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (unsigned n = 1; n <= POLICY_PARAMETERS_MAX; n++)
			if ((kinds[k].bits & (1u << n)) && length + 16 < size)
				length += (size_t)snprintf(ret_text + length, size - length,
							   "%s%s$%u", length ? ", " : "",
							   kinds[k].prefix, n);
}

bool policy_message_equals(const struct policy_message *a, const struct policy_message *b)
{
	return a->plain == b->plain && a->plural == b->plural && a->gender == b->gender;
}
