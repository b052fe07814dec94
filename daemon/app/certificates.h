#pragma once
/* The certificates and keys that the configuration names, one pair for each address of TLS. */

#include "daemon/app/config.h"
#include "daemon/crypto/tls.h"
#include "daemon/ipc/page.h"

_Static_assert((int)CONFIG_TLS_LIMIT == (int)PAGE_TLS_LIMIT, "each address has its dates");

struct certificates;

enum {
	CERTIFICATES_E_REFUSED = 1, /* the text says which file, and why */
};

int certificates_new(const struct config *config, const struct tls_tickets *tickets,
		     struct certificates **ret_certificates, char *ret_text, size_t size);
struct certificates *certificates_free(struct certificates *certificates);
struct tls *certificates_at(const struct certificates *certificates, size_t row);
void certificates_note(const struct certificates *certificates, struct page *page);
int certificates_check(const struct config *config, const struct page *page);
