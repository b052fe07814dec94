/*
 * Certificates from their files. A new object is made on every reload, and the old one lives until
 * the last connection of its generation has ended.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/app/certificates.h"

struct certificates {
	struct tls *at[CONFIG_TLS_LIMIT];
};

/*
 * Reads every file of `tls`. The tickets are borrowed for as long as any connection lives. Returns
 * 0, CERTIFICATES_E_REFUSED, or a negative error.
 */
int certificates_new(const struct config *config, const struct tls_tickets *tickets,
		     struct certificates **ret_certificates, char *ret_text, size_t size)
{
	struct certificates *certificates = calloc(1, sizeof(*certificates));
	int r = certificates ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < config->n_tls; i++) {
		const struct tls_setup setup = { .certificate_file = config->tls[i].certificate,
						 .key_file = config->tls[i].key,
						 .client_ca_file = config->tls[i].client_ca,
						 .tickets = tickets };

		r = tls_new(&setup, &certificates->at[i], ret_text, size);
	}
	if (r) {
		certificates_free(certificates);
		return r < 0 ? r : CERTIFICATES_E_REFUSED;
	}
	*ret_certificates = certificates;
	return 0;
}

struct certificates *certificates_free(struct certificates *certificates)
{
	for (size_t i = 0; certificates && i < CONFIG_TLS_LIMIT; i++)
		tls_free(certificates->at[i]);
	free(certificates);
	return NULL;
}

/* What a listener of that row speaks; lives as long as the object. */
struct tls *certificates_at(const struct certificates *certificates, size_t row)
{
	return certificates->at[row];
}

/*
 * Whether the files can be used, now. Returns 0, CERTIFICATES_E_…, or a negative error. A start
 * takes a certificate whose dates are wrong: clients refuse it, but they come to no harm, and the
 * machine's clock may be what is wrong.
 */
int certificates_check(const struct config *config, char *ret_text, size_t size)
{
	struct certificates *certificates = NULL;
	int r = certificates_new(config, NULL, &certificates, ret_text, size);

	for (size_t i = 0; r == 0 && i < config->n_tls; i++) {
		if (tls_check_dates(certificates->at[i]) == 0)
			continue;
		(void)snprintf(ret_text, size, "%s: has expired, or is not valid yet",
			       config->tls[i].certificate);
		r = CERTIFICATES_E_DATES;
	}
	certificates_free(certificates);
	return r;
}
