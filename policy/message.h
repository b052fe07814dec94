#pragma once
/* MediaWiki banana strings: what a text expects to be filled in. */

#include "daemon/base/buffer.h"

enum {
	POLICY_E_MESSAGE = 1, /* braces do not close, or something else than PLURAL and GENDER */
};

enum { POLICY_PARAMETERS_MAX = 9 };

struct policy_message {
	uint16_t plain;  /* bit n: $n stands by itself */
	uint16_t plural; /* bit n: {{PLURAL:$n|…}} */
	uint16_t gender; /* bit n: {{GENDER:$n|…}} */
};

int policy_message_read(const char *text, struct policy_message *ret_message,
			const char **ret_complaint);
/* "$1, PLURAL:$1" in a fixed order; "none" when there are none. */
void policy_message_print(const struct policy_message *message, char *ret_text, size_t size);
bool policy_message_equals(const struct policy_message *a, const struct policy_message *b);
