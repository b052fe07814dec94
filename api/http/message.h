#pragma once
/* The messages of api/i18n, compiled in. */

#include "daemon/base/buffer.h"
#include "daemon/json/value.h"

size_t message_n_languages(void);
const char *message_language(size_t language);  /* "ar", "de", "en" …: sorted */
size_t message_find_language(const char *code); /* itself or its first subtag; or n_languages */
bool message_is_rtl(size_t language);           /* written from right to left */
const char *message_find(const char *key, size_t language); /* NULL: no such text */
/* Fills in $1 … $9 and {{PLURAL:$1|…}}; params may be NULL. Plain text out. */
void message_render(const char *text, const char *language, const struct value *params,
		    struct buffer *buffer);
/* A message without parameters in every language: {lang: text}. NULL: no memory. */
struct value *message_translate(const char *key);
