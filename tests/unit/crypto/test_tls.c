/* daemon/crypto/tls: the files of a listener, and handshakes of OpenSSL's client with what they
 * make. */

#include "daemon/crypto/internal.h"
#include "daemon/crypto/tls.h"
#include "tests/unit/suite.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { DAY = 86400, PATH_SIZE = 64, TEXT_SIZE = 512 };

/* A certificate with its key, in memory and in dir/NAME.crt and dir/NAME.key. */
struct pair {
	X509 *certificate;
	EVP_PKEY *key;
	char crt[PATH_SIZE], pem[PATH_SIZE];
};

static char dir[PATH_SIZE / 2];
static struct pair ca, server, client, foreign;
static struct tls_tickets tickets;
static int64_t now;
static char said[TEXT_SIZE];

static void file_write(const char *file, const char *text)
{
	FILE *stream = fopen(file, "w");

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_ge(fputs(text, stream), 0);
	ck_assert_int_eq(fclose(stream), 0);
	ck_assert_int_eq(chmod(file, 0600), 0);
}

static void file_add(const char *file, X509 *certificate)
{
	FILE *stream = fopen(file, "a");

	ck_assert_ptr_nonnull(stream);
	ck_assert_int_eq(PEM_write_X509(stream, certificate), 1);
	ck_assert_int_eq(fclose(stream), 0);
}

/* Good from `from` until `until`, in seconds from now; issuer NULL: an authority. */
static struct pair make_pair(const char *name, const struct pair *issuer, long from, long until)
{
	struct pair pair = { .certificate = X509_new(), .key = EVP_EC_gen("P-256") };
	X509_NAME *subject = X509_get_subject_name(pair.certificate);
	FILE *stream;

	ck_assert_ptr_nonnull(pair.key);
	(void)snprintf(pair.crt, sizeof(pair.crt), "%s/%s.crt", dir, name);
	(void)snprintf(pair.pem, sizeof(pair.pem), "%s/%s.key", dir, name);
	X509_set_version(pair.certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(pair.certificate), 1 + random());
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notBefore(pair.certificate), from));
	ck_assert_ptr_nonnull(X509_gmtime_adj(X509_getm_notAfter(pair.certificate), until));
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(pair.certificate,
			     issuer ? X509_get_subject_name(issuer->certificate) : subject);
	X509_set_pubkey(pair.certificate, pair.key);
	if (!issuer) {
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
								"critical,CA:TRUE");

		X509_add_ext(pair.certificate, extension, -1);
		X509_EXTENSION_free(extension);
	}
	ck_assert_int_gt(X509_sign(pair.certificate, issuer ? issuer->key : pair.key, EVP_sha256()),
			 0);
	file_write(pair.crt, "");
	file_add(pair.crt, pair.certificate);
	file_write(pair.pem, "");
	stream = fopen(pair.pem, "w");
	ck_assert_int_eq(PEM_write_PrivateKey(stream, pair.key, NULL, NULL, 0, NULL, NULL), 1);
	ck_assert_int_eq(fclose(stream), 0);
	return pair;
}

static void pair_free(struct pair *pair)
{
	unlink(pair->crt);
	unlink(pair->pem);
	X509_free(pair->certificate);
	EVP_PKEY_free(pair->key);
}

static void begin(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/conductd-tls-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	now = (int64_t)time(NULL);
	ca = make_pair("ca", NULL, -DAY, 30 * DAY);
	server = make_pair("server", &ca, -DAY, 10 * DAY);
	client = make_pair("client", &ca, -DAY, 10 * DAY);
	foreign = make_pair("foreign", NULL, -DAY, 30 * DAY);
	ck_assert_int_eq(tls_tickets_init(&tickets), 0);
}

static void end(void)
{
	pair_free(&ca);
	pair_free(&server);
	pair_free(&client);
	pair_free(&foreign);
	ck_assert_int_eq(rmdir(dir), 0);
}

static struct tls_setup setup_of(const char *client_ca)
{
	return (struct tls_setup){ .certificate_file = server.crt,
				   .key_file = server.pem,
				   .client_ca_file = client_ca,
				   .tickets = &tickets };
}

static struct tls *open_tls(struct tls_setup setup)
{
	struct tls *tls = NULL;
	int r = tls_new(&setup, &tls, said, sizeof(said));

	ck_assert_msg(r == 0, "%d: %s", r, said);
	return tls;
}

/* How a client shakes hands, and what came of it. */
struct shake {
	int version;              /* 0: any */
	const char *protocols;    /* as on the wire; NULL: none is offered */
	const struct pair *shown; /* NULL: no certificate */
	SSL_SESSION *session;     /* in: to be resumed; out: the newest, the caller's */
	bool is_resumed;
};

static void pump(SSL *one, SSL *other, bool *ret_is_done, bool *ret_has_failed)
{
	SSL *both[] = { one, other };
	char byte;

	*ret_is_done = true;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		int r = SSL_is_init_finished(both[i]) ? SSL_read(both[i], &byte, 1)
						      : SSL_do_handshake(both[i]);
		int why = r == 1 ? SSL_ERROR_NONE : SSL_get_error(both[i], r);

		if (why != SSL_ERROR_NONE && why != SSL_ERROR_WANT_READ)
			*ret_has_failed = true;
		*ret_is_done = *ret_is_done && SSL_is_init_finished(both[i]);
	}
}

/* Whether both ends are content. */
static bool shake_hands(struct tls *tls, struct shake *shake)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	bool is_done = false, has_failed = false;
	BIO *near = NULL, *far = NULL;
	SSL *session = NULL, *own;

	SSL_CTX_set_security_level(context, 0);
	if (shake->version)
		ck_assert(SSL_CTX_set_min_proto_version(context, shake->version) &&
			  SSL_CTX_set_max_proto_version(context, shake->version));
	if (shake->shown)
		ck_assert(SSL_CTX_use_certificate(context, shake->shown->certificate) == 1 &&
			  SSL_CTX_use_PrivateKey(context, shake->shown->key) == 1);
	own = SSL_new(context);
	if (shake->protocols)
		ck_assert_int_eq(SSL_set_alpn_protos(own, (const unsigned char *)shake->protocols,
						     (unsigned)strlen(shake->protocols)),
				 0);
	if (shake->session)
		ck_assert_int_eq(SSL_set_session(own, shake->session), 1);
	ck_assert_int_eq(tls_session_new(tls, -1, &session), 0);
	ck_assert_int_eq(BIO_new_bio_pair(&near, 0, &far, 0), 1);
	SSL_set_bio(own, near, near);
	SSL_set_bio(session, far, far);
	SSL_set_connect_state(own);
	SSL_set_accept_state(session);
	/* Three more rounds than it takes, for the tickets of TLS 1.3 and for late refusals. */
	for (int i = 0, n_more = 0; i < 20 && n_more < 3 && !has_failed; i++) {
		pump(own, session, &is_done, &has_failed);
		n_more += is_done;
	}
	shake->is_resumed = is_done && SSL_session_reused(own);
	SSL_SESSION_free(shake->session);
	shake->session = is_done && !has_failed ? SSL_get1_session(own) : NULL;
	tls_session_end(session);
	/* OpenSSL forgets the session of a connection that was cut. */
	SSL_set_shutdown(own, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(own);
	SSL_free(session);
	SSL_CTX_free(context);
	ERR_clear_error();
	return is_done && !has_failed;
}

static bool is_taken(struct tls *tls, struct shake shake)
{
	bool is_good = shake_hands(tls, &shake);

	SSL_SESSION_free(shake.session);
	return is_good;
}

START_TEST(versions_1_2_and_1_3_are_spoken_and_http)
{
	struct tls *tls = open_tls(setup_of(""));

	ck_assert(is_taken(tls, (struct shake){ .version = TLS1_3_VERSION }));
	ck_assert(is_taken(tls, (struct shake){ .version = TLS1_2_VERSION }));
	ck_assert(!is_taken(tls, (struct shake){ .version = TLS1_1_VERSION }));
	ck_assert(!is_taken(tls, (struct shake){ .version = TLS1_VERSION }));
	ck_assert(is_taken(tls, (struct shake){ .protocols = "\2h2\10http/1.1" }));
	ck_assert(!is_taken(tls, (struct shake){ .protocols = "\2h2" }));
	tls_free(tls);
	ck_assert_ptr_null(tls_free(NULL));
}
END_TEST

START_TEST(a_ticket_is_good_for_whoever_has_its_key_and_the_one_after_it)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls *one = open_tls(setup_of("")), *other = open_tls(setup_of(""));

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		struct shake shake = { .version = versions[i] };

		ck_assert(shake_hands(one, &shake));
		ck_assert(!shake.is_resumed);
		ck_assert(shake_hands(other, &shake));
		ck_assert(shake.is_resumed);
		ck_assert_int_eq(tls_tickets_rotate(&tickets), 0);
		ck_assert(shake_hands(one, &shake));
		ck_assert(shake.is_resumed);
		SSL_SESSION_free(shake.session);
		shake.session = NULL;
		ck_assert(shake_hands(one, &shake));
		ck_assert_int_eq(tls_tickets_rotate(&tickets), 0);
		ck_assert_int_eq(tls_tickets_rotate(&tickets), 0);
		ck_assert(shake_hands(one, &shake));
		ck_assert(!shake.is_resumed);
		SSL_SESSION_free(shake.session);
	}
	tls_free(one);
	tls_free(other);
}
END_TEST

START_TEST(who_has_rotated_gives_what_others_take_who_have_not)
{
	struct tls_tickets late = tickets;
	struct tls_setup setup = setup_of("");
	struct tls *early, *behind;
	struct shake shake = { .version = TLS1_3_VERSION };

	early = open_tls(setup);
	setup.tickets = &late;
	behind = open_tls(setup);
	ck_assert_int_eq(tls_tickets_rotate(&tickets), 0);
	ck_assert(shake_hands(early, &shake));
	ck_assert(shake_hands(behind, &shake));
	ck_assert(shake.is_resumed);
	SSL_SESSION_free(shake.session);
	tls_free(early);
	tls_free(behind);
}
END_TEST

START_TEST(without_keys_or_with_other_clients_nothing_is_resumed)
{
	struct tls_setup setup = setup_of("");
	struct tls *open = open_tls(setup), *closed = open_tls(setup_of(ca.crt)), *none;
	struct shake shake = { .version = TLS1_2_VERSION };

	ck_assert(shake_hands(open, &shake));
	/* A ticket of who shows none does not open what asks for a certificate. */
	ck_assert(!is_taken(closed, (struct shake){ .session = shake.session }));
	setup.tickets = NULL;
	none = open_tls(setup);
	shake.session = NULL;
	ck_assert(shake_hands(none, &shake));
	ck_assert(shake_hands(none, &shake));
	ck_assert(!shake.is_resumed);
	SSL_SESSION_free(shake.session);
	tls_free(open);
	tls_free(closed);
	tls_free(none);
}
END_TEST

START_TEST(clients_show_a_certificate_of_their_authority)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct tls *tls = open_tls(setup_of(ca.crt));
	struct pair late = make_pair("late", &ca, -2 * DAY, -DAY);

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		ck_assert(
			is_taken(tls, (struct shake){ .version = versions[i], .shown = &client }));
		ck_assert(!is_taken(tls, (struct shake){ .version = versions[i] }));
		ck_assert(!is_taken(tls,
				    (struct shake){ .version = versions[i], .shown = &foreign }));
		ck_assert(!is_taken(tls, (struct shake){ .version = versions[i], .shown = &late }));
	}
	pair_free(&late);
	tls_free(tls);
}
END_TEST

static void is_refused(struct tls_setup setup, const char *why)
{
	struct tls *tls = NULL;

	said[0] = '\0';
	ck_assert_int_eq(tls_new(&setup, &tls, said, sizeof(said)), TLS_E_REFUSED);
	ck_assert_ptr_null(tls);
	ck_assert_msg(strstr(said, why), "\"%s\" does not say \"%s\"", said, why);
}

START_TEST(files_that_cannot_be_used_are_named)
{
	struct tls_setup setup = setup_of("");
	char file[PATH_SIZE];

	(void)snprintf(file, sizeof(file), "%s/file", dir);
	setup.certificate_file = "/nonexistent/a";
	is_refused(setup, "/nonexistent/a: No such file or directory");
	setup.certificate_file = dir;
	is_refused(setup, "cannot be read, or is too large");
	setup.certificate_file = file;
	file_write(file, "none\n");
	is_refused(setup, "/file: not the PEM text of a certificate");
	file_write(file, "");
	file_add(file, server.certificate);
	for (int i = 0; i < 12; i++)
		file_add(file, ca.certificate);
	is_refused(setup, "/file: the chain is too long, or too weak");
	file_write(file, "");
	for (int i = 0; i < 600; i++)
		file_add(file, ca.certificate);
	is_refused(setup, "/file: cannot be read, or is too large");
	setup = setup_of("");
	setup.key_file = foreign.pem;
	is_refused(setup, "/foreign.key: does not belong to the certificate in");
	setup.key_file = server.crt;
	is_refused(setup, "/server.crt: not the PEM text of a private key");
	ck_assert_int_eq(chmod(server.pem, 0644), 0);
	is_refused(setup_of(""), "/server.key: everybody may read it: set its mode to 0600");
	ck_assert_int_eq(chmod(server.pem, 0640), 0);
	tls_free(open_tls(setup_of("")));
	is_refused(setup_of(server.pem), "/server.key: not the PEM text of certificates");
	ck_assert_int_eq(unlink(file), 0);
}
END_TEST

static int dates_of(struct tls_setup setup, int64_t at)
{
	struct tls *tls = open_tls(setup);
	int r = tls_check_dates(tls, &setup, at, said, sizeof(said));

	tls_free(tls);
	return r;
}

static bool is_near(int64_t a, int64_t b)
{
	return a - b <= 5 && b - a <= 5;
}

START_TEST(dates_count_of_the_certificate_and_its_chain)
{
	struct tls_setup setup = setup_of("");
	struct pair middle = make_pair("middle", &ca, -DAY / 2, 5 * DAY);
	struct tls *tls = open_tls(setup);

	ck_assert(is_near(tls_expiry_s(tls), now + 10 * DAY));
	ck_assert_int_eq(tls_client_ca_expiry_s(tls), 0);
	ck_assert_int_eq(dates_of(setup, now), 0);
	ck_assert_int_eq(dates_of(setup, now + 10 * DAY - 10), 0);
	ck_assert_int_eq(dates_of(setup, now + 10 * DAY + 10), TLS_E_DATES);
	ck_assert_ptr_nonnull(strstr(said, "/server.crt: expired on 20"));
	ck_assert_int_eq(dates_of(setup, now - DAY - 10), TLS_E_DATES);
	ck_assert_ptr_nonnull(strstr(said, "/server.crt: not valid before 20"));
	tls_free(tls);
	file_add(server.crt, middle.certificate);
	tls = open_tls(setup);
	ck_assert(is_near(tls_expiry_s(tls), now + 5 * DAY));
	ck_assert_int_eq(dates_of(setup, now), 0);
	ck_assert_int_eq(dates_of(setup, now + 6 * DAY), TLS_E_DATES);
	tls_free(tls);
	pair_free(&middle);
}
END_TEST

START_TEST(of_the_authorities_of_clients_one_has_to_be_valid)
{
	struct pair old = make_pair("old", NULL, -5 * DAY, -DAY);
	struct tls *tls;

	ck_assert_int_eq(dates_of(setup_of(old.crt), now), TLS_E_DATES);
	ck_assert_ptr_nonnull(strstr(said, "/old.crt: expired on 20"));
	file_add(old.crt, ca.certificate);
	ck_assert_int_eq(dates_of(setup_of(old.crt), now), 0);
	tls = open_tls(setup_of(old.crt));
	ck_assert(is_near(tls_client_ca_expiry_s(tls), now + 30 * DAY));
	tls_free(tls);
	pair_free(&old);
}
END_TEST

SUITE_EACH("crypto/tls", begin, end, versions_1_2_and_1_3_are_spoken_and_http,
	   a_ticket_is_good_for_whoever_has_its_key_and_the_one_after_it,
	   who_has_rotated_gives_what_others_take_who_have_not,
	   without_keys_or_with_other_clients_nothing_is_resumed,
	   clients_show_a_certificate_of_their_authority, files_that_cannot_be_used_are_named,
	   dates_count_of_the_certificate_and_its_chain,
	   of_the_authorities_of_clients_one_has_to_be_valid)
