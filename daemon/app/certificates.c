/*
 * Certificates from their files. A new object is made on every reload, and the old one lives until
 * the last connection of its generation has ended.
 */

#include <stdlib.h>
#include <time.h>

#include "daemon/app/certificates.h"
#include "daemon/base/log.h"

struct certificates {
	struct tls *at[CONFIG_TLS_LIMIT];
};

static struct tls_setup setup_of(const struct config *config, size_t row,
				 const struct tls_tickets *tickets)
{
	return (struct tls_setup){ .certificate_file = config->tls[row].certificate,
				   .key_file = config->tls[row].key,
				   .client_ca_file = config->tls[row].client_ca,
				   .tickets = tickets };
}

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
		const struct tls_setup setup = setup_of(config, i, tickets);

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

/* What the metrics tell of them; every web process writes the same. */
void certificates_note(const struct certificates *certificates, struct page *page)
{
	for (size_t i = 0; i < CONFIG_TLS_LIMIT && certificates->at[i]; i++) {
		atomic_store(&page->tls[i].expiry_s, (uint64_t)tls_expiry_s(certificates->at[i]));
		atomic_store(&page->tls[i].client_ca_expiry_s,
			     (uint64_t)tls_client_ca_expiry_s(certificates->at[i]));
	}
}

/*
 * Whether clients would believe what is in use less than this: a certificate whose dates are wrong
 * is taken where the one in use is the same or has expired, too, so that it is in the way of no
 * other change.
 */
static bool is_loss(const struct tls *tls, const struct page_tls *in_use, int64_t now)
{
	int64_t until = in_use ? (int64_t)atomic_load(&in_use->expiry_s) : 0;
	int64_t ca_until = in_use ? (int64_t)atomic_load(&in_use->client_ca_expiry_s) : 0;

	return (until > now && until != tls_expiry_s(tls)) ||
	       (ca_until > now && ca_until != tls_client_ca_expiry_s(tls));
}

/*
 * Whether the files can be used, now; each whose dates are wrong is logged. `page` tells what is in
 * use; NULL at a start, which takes a certificate whose dates are wrong: clients refuse it, but
 * they come to no harm, and the machine's clock may be what is wrong. Returns 0,
 * CERTIFICATES_E_REFUSED, or a negative error.
 */
int certificates_check(const struct config *config, const struct page *page)
{
	struct certificates *certificates = NULL;
	int64_t now = (int64_t)time(NULL);
	char text[512] = "";
	int r = certificates_new(config, NULL, &certificates, text, sizeof(text));

	if (r > 0)
		log_say(LOG_LEVEL_ERROR, "tls: %s", text);
	for (size_t i = 0; r <= 0 && certificates && i < config->n_tls; i++) {
		const struct tls_setup setup = setup_of(config, i, NULL);
		const struct tls *tls = certificates->at[i];

		if (tls_check_dates(tls, &setup, now, text, sizeof(text)) == 0)
			continue;
		if (is_loss(tls, page ? &page->tls[i] : NULL, now))
			r = CERTIFICATES_E_REFUSED;
		log_say(r ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "tls: %s", text);
	}
	certificates_free(certificates);
	return r;
}
