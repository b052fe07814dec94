/*
 * Logins under way are kept by the browser alone, in a short-lived cookie that no other host can
 * set: a secret, a time, and where it leads to. The state that the wiki hands back is a MAC of all
 * of them under the secret, so a callback that this very browser did not ask for leads nowhere, and
 * any host can take the callback of a login that another has begun.
 */

#include "api/auth/login.h"
#include "api/http/cors.h"
#include "daemon/base/codec.h"
#include "daemon/base/text.h"
#include "daemon/crypto/crypto.h"

#include <inttypes.h>
#include <string.h>

enum { HASH_TEXT_SIZE = 4 * CRYPTO_SHA256_SIZE / 3 + 4 };

/* Browsers take a second slash or any backslash for the start of a host name; dots and escapes are
 * for paths that somebody wants to hide. */
static bool is_own_path(struct slice path)
{
	const char *query = memchr(path.at, '?', path.length);
	const char *fragment = memchr(path.at, '#', path.length);

	if (path.length < 1 || path.length > LOGIN_RETURN_MAX || *path.at != '/')
		return false;
	for (size_t i = 0; i < path.length; i++) {
		char c = path.at[i];
		bool is_path = (!query || path.at + i < query) &&
			       (!fragment || path.at + i < fragment);

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    !(c && strchr(is_path ? "/-_.~" : "/-_.~?#=&:,;@!*+%", c)))
			return false;
		if (is_path && i && path.at[i - 1] == '/' && (c == '/' || c == '.'))
			return false;
	}
	return true;
}

int login_read_return(const struct exchange *exchange, struct slice return_to,
		      enum login_mode *ret_mode)
{
	enum login_mode mode = is_own_path(return_to) ? LOGIN_PAGE : LOGIN_POPUP;

	if (mode == LOGIN_POPUP && !cors_knows(exchange, return_to))
		return LOGIN_E_REFUSED;
	*ret_mode = mode;
	return 0;
}

int login_new(const struct exchange *exchange, struct slice return_to, int64_t now_s,
	      struct login *ret_login)
{
	struct login login = { .begun_s = now_s, .return_to = return_to };
	int r = login_read_return(exchange, return_to, &login.mode);

	if (!r)
		r = session_secret_new(&login.secret);
	if (!r)
		*ret_login = login;
	return r;
}

/* SECRET.TIME.RETURN, the first and last in base64url. */
int login_write_cookie(struct arena *arena, const struct login *login, const char **ret_value)
{
	char secret[SESSION_TEXT_SIZE], path[4 * LOGIN_RETURN_MAX / 3 + 4];
	const char *value;

	session_secret_write(&login->secret, secret);
	codec_base64url_encode(path, login->return_to.at, login->return_to.length);
	value = arena_printf(arena, "%s.%" PRId64 ".%s", secret, login->begun_s, path);
	crypto_wipe(secret, sizeof(secret));
	if (!value)
		return -ENOMEM;
	*ret_value = value;
	return 0;
}

static bool read_time(struct slice text, int64_t *ret_time)
{
	int64_t time = 0;

	if (text.length < 1 || text.length > 12)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		time = time * 10 + (text.at[i] - '0');
	}
	*ret_time = time;
	return true;
}

int login_read_cookie(const struct exchange *exchange, struct slice value, int64_t now_s,
		      struct login *ret_login)
{
	const char *end = value.at + value.length;
	const char *first = memchr(value.at, '.', value.length);
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
	struct login login = { 0 };
	char *path;

	if (!second || value.length > LOGIN_COOKIE_MAX)
		return LOGIN_E_REFUSED;
	path = arena_alloc(exchange->arena, LOGIN_RETURN_MAX + 1);
	if (!path)
		return -ENOMEM;
	login.return_to.at = path;
	if (session_secret_read((struct slice){ value.at, (size_t)(first - value.at) },
				&login.secret) ||
	    !read_time((struct slice){ first + 1, (size_t)(second - first) - 1 }, &login.begun_s) ||
	    codec_base64url_decode((struct slice){ second + 1, (size_t)(end - second) - 1 }, path,
				   LOGIN_RETURN_MAX, &login.return_to.length) ||
	    login_read_return(exchange, login.return_to, &login.mode) || login.begun_s > now_s ||
	    now_s - login.begun_s > LOGIN_LIFE_S)
		return LOGIN_E_REFUSED;
	*ret_login = login;
	return 0;
}

static void write_hash(const uint8_t hash[CRYPTO_SHA256_SIZE], char ret_text[SESSION_TEXT_SIZE])
{
	char text[HASH_TEXT_SIZE];

	codec_base64url_encode(text, hash, CRYPTO_SHA256_SIZE);
	memcpy(ret_text, text, SESSION_TEXT_SIZE);
}

int login_write_state(const struct login *login, char ret_state[SESSION_TEXT_SIZE])
{
	static const char label[] = "conductd login state v1";
	uint8_t mac[CRYPTO_SHA256_SIZE];
	const struct slice parts[] = {
		{ label, sizeof(label) },
		{ (const char *)&login->begun_s, sizeof(login->begun_s) },
		login->return_to,
	};
	int r = crypto_hmac_sha256(
		(struct slice){ (const char *)login->secret.bytes, SESSION_SECRET_SIZE }, parts,
		ARRAY_SIZE(parts), mac);

	if (!r)
		write_hash(mac, ret_state);
	return r;
}

bool login_is_state(const struct login *login, struct slice state)
{
	char own[SESSION_TEXT_SIZE];

	return state.at && state.length == sizeof(own) - 1 && login_write_state(login, own) == 0 &&
	       crypto_equals(own, state.at, sizeof(own) - 1);
}

int login_write_verifier(const struct login *login, char ret_verifier[SESSION_TEXT_SIZE])
{
	uint8_t bytes[CRYPTO_SHA256_SIZE];
	int r = crypto_hkdf_sha256(
		(struct slice){ (const char *)login->secret.bytes, SESSION_SECRET_SIZE },
		text_slice(""), text_slice("conductd login verifier v1"), bytes, sizeof(bytes));

	if (!r)
		write_hash(bytes, ret_verifier);
	crypto_wipe(bytes, sizeof(bytes));
	return r;
}

int login_write_challenge(const struct login *login, char ret_challenge[SESSION_TEXT_SIZE])
{
	char verifier[SESSION_TEXT_SIZE];
	uint8_t hash[CRYPTO_SHA256_SIZE];
	int r = login_write_verifier(login, verifier);

	if (!r)
		r = crypto_sha256((struct slice){ verifier, sizeof(verifier) - 1 }, hash);
	if (!r)
		write_hash(hash, ret_challenge);
	crypto_wipe(verifier, sizeof(verifier));
	return r;
}

/* Wipes its secret. */
void login_deinit(struct login *login)
{
	session_secret_deinit(&login->secret);
}
