#pragma once
/* GET /v1/openapi.json: the contract. */

#include <stddef.h>

struct exchange;

void openapi_show(struct exchange *exchange);

/* api/openapi.yaml as JSON, written at build. */
extern const char openapi_json[];
extern const size_t openapi_json_length;
/* SHA-256 of it, hexadecimal. */
extern const char openapi_json_hash[];
