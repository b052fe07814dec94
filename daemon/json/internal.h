#pragma once
/* What the files of this folder share: a value is a json_t under another name. */

#include "daemon/json/value.h"

#include <jansson.h>

int json_parse(struct slice bytes, json_t **ret_json, json_error_t *ret_error);

static inline json_t *value_to_json(const struct value *value)
{
	/* Jansson counts references in the value, so its functions take no const. */
	return (json_t *)(uintptr_t)value;
}

static inline struct value *value_from_json(json_t *json)
{
	return (struct value *)json;
}
