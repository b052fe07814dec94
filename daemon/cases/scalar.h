#pragma once
/* The forms of short texts in bodies and queries. */

#include "daemon/base/error.h"

bool scalar_is_blank(struct slice text);
bool scalar_is_time(struct slice text);
bool scalar_is_id(struct slice text);
bool scalar_is_rule(struct slice text);
bool scalar_is_dbname(struct slice text);
bool scalar_is_lang(struct slice text);
bool scalar_is_url(struct slice text);
/* A decimal integer in [0, max], without sign and leading zeros. */
bool scalar_is_number(struct slice text, int64_t max);
