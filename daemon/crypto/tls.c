/*
 * The server's side of TLS: 1.2 with ephemeral keys and authenticated encryption alone, and 1.3; no
 * renegotiation, no compression, no early data. Sessions are resumed by tickets alone, whose keys
 * are not this file's: any web process can take what another one gave.
 */

#include "daemon/crypto/internal.h"
#include "daemon/crypto/tls.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

enum { FILE_SIZE_MAX = 256 * 1024, CHAIN_MAX = 10, NAME_SIZE = 16, AES_SIZE = 32, MAC_SIZE = 32 };

/* What client and server can agree on in TLS 1.2; in 1.3 every suite is one of these. */
static const char ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
			      "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
			      "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
static const char suites[] =
	"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

struct tls {
	SSL_CTX *context;
};

/* Fills all keys anew. Returns 0 or negative. */
int tls_tickets_init(struct tls_tickets *tickets)
{
	return crypto_random(tickets, sizeof(*tickets));
}

/* Tickets of the key before last are not taken any more. Returns 0, or negative and nothing done.
 */
int tls_tickets_rotate(struct tls_tickets *tickets)
{
	struct tls_tickets old = *tickets;
	int r = crypto_random(tickets->next, sizeof(tickets->next));

	if (r == 0) {
		memcpy(tickets->current, old.next, sizeof(old.next));
		memcpy(tickets->previous, old.current, sizeof(old.current));
	}
	crypto_wipe(&old, sizeof(old));
	return r;
}

static const uint8_t *ticket_key_find(const struct tls_tickets *tickets, const unsigned char *name)
{
	const uint8_t *const keys[] = { tickets->current, tickets->next, tickets->previous };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (memcmp(keys[i], name, NAME_SIZE) == 0)
			return keys[i];
	return NULL;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 the key is set, 0 go on without a ticket, -1 failed.
 */
static int on_ticket(SSL *session, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
		     EVP_MAC_CTX *mac, int is_new)
{
	const struct tls_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(session));
	const EVP_CIPHER *aes = EVP_aes_256_cbc();
	const uint8_t *key = is_new ? tickets->current : ticket_key_find(tickets, name);
	uint8_t mac_key[MAC_SIZE];
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, sizeof(mac_key)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	int is_good;

	if (!key)
		return 0;
	if (is_new) {
		memcpy(name, key, NAME_SIZE);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) != 1)
			return -1;
	}
	memcpy(mac_key, key + NAME_SIZE + AES_SIZE, sizeof(mac_key));
	is_good = EVP_CipherInit_ex(cipher, aes, NULL, key + NAME_SIZE, iv, is_new) == 1 &&
		  EVP_MAC_CTX_set_params(mac, params) == 1;
	crypto_wipe(mac_key, sizeof(mac_key));
	return is_good ? 1 : -1;
}

/* HTTP/1.1 or nothing; who offers no protocol at all speaks it. */
static int on_protocol(SSL *session, const unsigned char **ret_name, unsigned char *ret_length,
		       const unsigned char *offered, unsigned int length, void *userdata)
{
	static const char name[] = "http/1.1";

	for (unsigned int at = 0; at < length; at += 1U + offered[at])
		if (offered[at] == sizeof(name) - 1 && length - at > offered[at] &&
		    memcmp(offered + at + 1, name, sizeof(name) - 1) == 0) {
			*ret_name = offered + at + 1;
			*ret_length = sizeof(name) - 1;
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

PRINTF(3, 4)
static int refuse(char *ret_text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(ret_text, size, format, args);
	va_end(args);
	ERR_clear_error();
	return TLS_E_REFUSED;
}

/* A whole file in memory. What others may read is no secret: refused where it should be one. */
static int file_open(const char *file, bool is_secret, BIO **ret_bio, char *ret_text, size_t size)
{
	struct stat status;
	char part[4096];
	ssize_t n = 0;
	size_t length = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	BIO *bio;

	if (fd < 0 || fstat(fd, &status) < 0) {
		n = errno;
		if (fd >= 0)
			(void)close(fd);
		return refuse(ret_text, size, "%s: %s%s", file, strerror((int)n),
			      n == EACCES ? ": let the daemon's account read it" : "");
	}
	if (is_secret && (status.st_mode & 07)) {
		(void)close(fd);
		return refuse(ret_text, size, "%s: everybody may read it: set its mode to 0600",
			      file);
	}
	bio = BIO_new(BIO_s_mem());
	while (bio && length <= FILE_SIZE_MAX && (n = read(fd, part, sizeof(part))) > 0) {
		length += (size_t)n;
		if (BIO_write(bio, part, (int)n) != n)
			n = -1;
	}
	crypto_wipe(part, sizeof(part));
	(void)close(fd);
	if (!bio)
		return crypto_failed();
	if (n == 0) {
		*ret_bio = bio;
		return 0;
	}
	BIO_free(bio);
	return refuse(ret_text, size, "%s: cannot be read, or is too large", file);
}

static int chain_read(SSL_CTX *context, BIO *bio, const char *file, char *ret_text, size_t size)
{
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	int r = certificate ? SSL_CTX_use_certificate(context, certificate) : 0;

	if (r != 1 && certificate) {
		X509_free(certificate);
		return refuse(ret_text, size, "%s: %s", file,
			      ERR_reason_error_string(ERR_peek_last_error()));
	}
	X509_free(certificate);
	if (r != 1)
		return refuse(ret_text, size, "%s: not the PEM text of a certificate", file);
	for (size_t n = 0; (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++)
		if (n == CHAIN_MAX || SSL_CTX_add0_chain_cert(context, certificate) != 1) {
			X509_free(certificate);
			return refuse(ret_text, size, "%s: the chain is too long, or too weak",
				      file);
		}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return refuse(ret_text, size, "%s: a certificate of the chain is broken", file);
	ERR_clear_error();
	return 0;
}

/* Without a passphrase there is nobody to ask: OpenSSL would else prompt on the terminal. */
static int no_passphrase(char *ret_text, int size, int is_writing, void *context)
{
	return -1;
}

static int key_read(SSL_CTX *context, BIO *bio, const struct tls_setup *setup, char *ret_text,
		    size_t size)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	int r;

	if (!key)
		return refuse(ret_text, size,
			      "%s: not the PEM text of a private key without passphrase",
			      setup->key_file);
	r = X509_check_private_key(SSL_CTX_get0_certificate(context), key) == 1 &&
	    SSL_CTX_use_PrivateKey(context, key) == 1;
	EVP_PKEY_free(key);
	if (!r)
		return refuse(ret_text, size, "%s: does not belong to the certificate in %s",
			      setup->key_file, setup->certificate_file);
	return 0;
}

static int client_ca_read(SSL_CTX *context, BIO *bio, const char *file, char *ret_text, size_t size)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	X509 *certificate;
	size_t n = 0;

	for (; (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++) {
		int r = X509_STORE_add_cert(store, certificate) == 1 &&
			SSL_CTX_add_client_CA(context, certificate) == 1;

		X509_free(certificate);
		if (!r)
			return crypto_failed();
	}
	if (n == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return refuse(ret_text, size, "%s: not the PEM text of certificates", file);
	ERR_clear_error();
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_verify_depth(context, CHAIN_MAX);
	return 0;
}

/* A ticket is good where certificate and client CAs are those under which it was given. */
static int set_identity(SSL_CTX *context, BIO *client_ca)
{
	uint8_t hash[2][CRYPTO_SHA256_SIZE] = { { 0 } };
	uint8_t identity[CRYPTO_SHA256_SIZE];
	struct slice parts[] = { { (const char *)hash[0], sizeof(hash[0]) }, { NULL, 0 } };
	unsigned int length = sizeof(hash[0]);
	char *bytes = NULL;
	long n = client_ca ? BIO_get_mem_data(client_ca, &bytes) : 0;
	int r;

	if (X509_digest(SSL_CTX_get0_certificate(context), EVP_sha256(), hash[0], &length) != 1)
		return crypto_failed();
	parts[1] = (struct slice){ bytes, n > 0 ? (size_t)n : 0 };
	r = crypto_sha256_parts(parts, 1 + (n > 0), identity);
	if (r < 0)
		return r;
	return SSL_CTX_set_session_id_context(context, identity, sizeof(identity)) == 1
		       ? 0
		       : crypto_failed();
}

static int files_read(SSL_CTX *context, const struct tls_setup *setup, char *ret_text, size_t size)
{
	BIO *chain = NULL, *key = NULL, *client_ca = NULL;
	int r = file_open(setup->certificate_file, false, &chain, ret_text, size);

	if (r == 0)
		r = chain_read(context, chain, setup->certificate_file, ret_text, size);
	if (r == 0)
		r = file_open(setup->key_file, true, &key, ret_text, size);
	if (r == 0)
		r = key_read(context, key, setup, ret_text, size);
	if (r == 0 && *setup->client_ca_file)
		r = file_open(setup->client_ca_file, false, &client_ca, ret_text, size);
	if (r == 0)
		r = set_identity(context, client_ca);
	if (r == 0 && client_ca)
		r = client_ca_read(context, client_ca, setup->client_ca_file, ret_text, size);
	BIO_free(chain);
	BIO_free(key);
	BIO_free(client_ca);
	return r;
}

static int context_set_up(SSL_CTX *context)
{
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_PRIORITIZE_CHACHA |
					     SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* The output buffer may move between two tries; an idle connection keeps no buffers. */
	SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_security_level(context, 2);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(context, TLS_TICKET_LIFETIME_S);
	SSL_CTX_set_alpn_select_cb(context, on_protocol, NULL);
	if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(context, ciphers) != 1 ||
	    SSL_CTX_set_ciphersuites(context, suites) != 1 ||
	    SSL_CTX_set1_groups_list(context, "X25519:P-256") != 1)
		return crypto_failed();
	return 0;
}

static int set_tickets(SSL_CTX *context, const struct tls_tickets *tickets)
{
	/* OpenSSL hands application data around without const; it is only read. */
	union {
		const struct tls_tickets *borrowed;
		void *opaque;
	} pointer = { .borrowed = tickets };

	if (!tickets) {
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
		return 0;
	}
	if (SSL_CTX_set_app_data(context, pointer.opaque) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) != 1)
		return crypto_failed();
	return 0;
}

/*
 * Reads the files of one listener. Returns 0, TLS_E_REFUSED with the file and what is wrong with it
 * in ret_text, or a negative error. The tickets must outlive every session made with the result.
 */
int tls_new(const struct tls_setup *setup, struct tls **ret_tls, char *ret_text, size_t size)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	int r;

	if (!tls)
		return -ENOMEM;
	tls->context = SSL_CTX_new(TLS_server_method());
	r = tls->context ? context_set_up(tls->context) : crypto_failed();
	if (r == 0)
		r = files_read(tls->context, setup, ret_text, size);
	if (r == 0)
		r = set_tickets(tls->context, setup->tickets);
	if (r) {
		tls_free(tls);
		return r;
	}
	*ret_tls = tls;
	return 0;
}

/* Sessions that were made with it go on. Takes NULL; returns NULL. */
struct tls *tls_free(struct tls *tls)
{
	if (!tls)
		return NULL;
	SSL_CTX_free(tls->context);
	free(tls);
	return NULL;
}

/* Seconds since 1970; 0 for what is no time, which is in the past. */
static int64_t seconds_of(const ASN1_TIME *time)
{
	struct tm parts = { 0 };

	return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static int dates_refuse(const X509 *certificate, const char *file, int64_t now, char *ret_text,
			size_t size)
{
	int64_t from = seconds_of(X509_get0_notBefore(certificate));
	bool is_early = now < from;
	time_t when = (time_t)(is_early ? from : seconds_of(X509_get0_notAfter(certificate)));
	struct tm parts = { 0 };
	char text[32] = "";

	(void)gmtime_r(&when, &parts);
	(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts);
	(void)snprintf(ret_text, size,
		       is_early ? "%s: not valid before %s: is this machine's clock right?"
				: "%s: expired on %s: put a new one there and reload (HUP)",
		       file, text);
	return TLS_E_DATES;
}

static bool is_in_date(const X509 *certificate, int64_t now)
{
	return seconds_of(X509_get0_notBefore(certificate)) <= now &&
	       now < seconds_of(X509_get0_notAfter(certificate));
}

static const X509 *chain_at(const struct tls *tls, int index)
{
	STACK_OF(X509) *chain = NULL;

	if (index == 0)
		return SSL_CTX_get0_certificate(tls->context);
	(void)SSL_CTX_get0_chain_certs(tls->context, &chain);
	return index <= sk_X509_num(chain) ? sk_X509_value(chain, index - 1) : NULL;
}

/* The authority that is believed for longest; NULL where clients need no certificate. */
static const X509 *client_ca_last(const struct tls *tls)
{
	const STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(
		SSL_CTX_get_cert_store(tls->context));
	const X509 *last = NULL;

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		const X509 *each = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (each && (!last || seconds_of(X509_get0_notAfter(each)) >
					      seconds_of(X509_get0_notAfter(last))))
			last = each;
	}
	return last;
}

/*
 * Whether the certificate, its chain and at least one authority of clients are valid at `now`, in
 * seconds since 1970. Returns 0 or TLS_E_DATES with the file, the date and what to do in ret_text.
 */
int tls_check_dates(const struct tls *tls, const struct tls_setup *setup, int64_t now,
		    char *ret_text, size_t size)
{
	const X509 *ca = client_ca_last(tls), *each;

	for (int i = 0; (each = chain_at(tls, i)); i++)
		if (!is_in_date(each, now))
			return dates_refuse(each, setup->certificate_file, now, ret_text, size);
	if (ca && !is_in_date(ca, now))
		return dates_refuse(ca, setup->client_ca_file, now, ret_text, size);
	return 0;
}

/* When the first certificate of the chain expires, in seconds since 1970. */
int64_t tls_expiry_s(const struct tls *tls)
{
	int64_t first = INT64_MAX;
	const X509 *each;

	for (int i = 0; (each = chain_at(tls, i)); i++)
		if (seconds_of(X509_get0_notAfter(each)) < first)
			first = seconds_of(X509_get0_notAfter(each));
	return first;
}

/* From when on no client is believed any more; 0 where they need no certificate. */
int64_t tls_client_ca_expiry_s(const struct tls *tls)
{
	const X509 *ca = client_ca_last(tls);

	return ca ? seconds_of(X509_get0_notAfter(ca)) : 0;
}

/* The server's end of one connection, on its socket, which it does not own; the caller's, or the
 * bufferevent's that takes it. */
int tls_session_new(struct tls *tls, int fd, struct ssl_st **ret_session)
{
	SSL *session = SSL_new(tls->context);

	if (!session || !SSL_set_fd(session, fd)) {
		SSL_free(session);
		return crypto_failed();
	}
	*ret_session = session;
	return 0;
}

/*
 * Sends a record of the bytes, at most. Returns how many of them have left; 0: the socket is full,
 * or the session has failed, as the next try tells. That has to be with the same bytes and no
 * fewer, wherever they lie then.
 */
size_t tls_session_write(struct ssl_st *session, const void *bytes, size_t length)
{
	size_t n = 0;

	ERR_clear_error();
	if (SSL_write_ex(session, bytes, length, &n) == 1)
		return n;
	ERR_clear_error();
	return 0;
}

/* Tells the peer that nothing more comes, if the handshake got so far; waits for nothing. */
void tls_session_end(struct ssl_st *session)
{
	if (SSL_is_init_finished(session) && !(SSL_get_shutdown(session) & SSL_SENT_SHUTDOWN) &&
	    SSL_shutdown(session) < 0)
		ERR_clear_error();
}

/* For a session that nobody has taken. */
void tls_session_free(struct ssl_st *session)
{
	SSL_free(session);
}
