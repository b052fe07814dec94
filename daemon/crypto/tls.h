#pragma once
/*
 * The server's side of TLS: what a listener needs (certificate, key, whom it asks for a
 * certificate), and the keys of session tickets, which all web processes share.
 */

#include "daemon/base/error.h"

struct ssl_st; /* OpenSSL's SSL */
struct tls;

enum {
	TLS_TICKET_KEY_SIZE = 16 + 32 + 32, /* name, AES-256, HMAC-SHA-256 */
	TLS_TICKET_LIFETIME_S = 2 * 3600,
	TLS_RECORD_MAX = 16384, /* bytes of a record, RFC 8446 section 5.1 */
};

enum {
	TLS_E_REFUSED = 1, /* a file is not what it should be; the text names it */
	TLS_E_DATES,       /* one has expired, or is not valid yet; the text names it */
};

/*
 * Tickets are made with `current` and taken with each; `next` is known to everybody before it is
 * used, so that a ticket of a process that has rotated is good in one that is about to.
 */
struct tls_tickets {
	uint8_t current[TLS_TICKET_KEY_SIZE];
	uint8_t next[TLS_TICKET_KEY_SIZE];
	uint8_t previous[TLS_TICKET_KEY_SIZE];
};

struct tls_setup {
	const char *certificate_file;      /* PEM, the chain behind it */
	const char *key_file;              /* PEM, without passphrase */
	const char *client_ca_file;        /* "": clients are not asked for a certificate */
	const struct tls_tickets *tickets; /* borrowed; NULL: no session is resumed */
};

int tls_tickets_init(struct tls_tickets *tickets);
int tls_tickets_rotate(struct tls_tickets *tickets);

int tls_new(const struct tls_setup *setup, struct tls **ret_tls, char *ret_text, size_t size);
struct tls *tls_free(struct tls *tls);
int tls_check_dates(const struct tls *tls, const struct tls_setup *setup, int64_t now,
		    char *ret_text, size_t size);
int64_t tls_expiry_s(const struct tls *tls);
int64_t tls_client_ca_expiry_s(const struct tls *tls);

int tls_session_new(struct tls *tls, int fd, struct ssl_st **ret_session);
size_t tls_session_write(struct ssl_st *session, const void *bytes, size_t length);
void tls_session_end(struct ssl_st *session);
void tls_session_free(struct ssl_st *session);
