#pragma once
/* The configured issuers with their keys and people read: what authentication works with. */

#include "api/auth/issuer.h"
#include "daemon/app/config.h"

struct issuers;

enum { ISSUERS_E_REFUSED = 1 }; /* a file is missing or wrong; the text says which and why */

int issuers_new(const struct config *config, struct issuers **ret_issuers, char *ret_text,
		size_t size);
struct issuers *issuers_free(struct issuers *issuers);
const struct issuer_table *issuers_table(const struct issuers *issuers);
