#pragma once
/* A login under way: what the browser keeps of it, and what the wiki is shown. */

#include "api/auth/origin.h"
#include "api/auth/session.h"

enum {
	LOGIN_LIFE_S = 600, /* for somebody to find their password */
	LOGIN_RETURN_MAX = 512,
	LOGIN_COOKIE_MAX = 1024,
};

enum { LOGIN_E_REFUSED = 1 };

/* Where it leads to: a path of our own, or the gadget whose popup it is. */
enum login_mode { LOGIN_PAGE, LOGIN_POPUP };

struct login {
	struct session_secret secret;
	int64_t begun_s;
	struct slice return_to;
	enum login_mode mode;
};

/* 0 or LOGIN_E_REFUSED: neither a path of our own nor a gadget's origin. */
int login_read_return(const struct exchange *exchange, struct slice return_to,
		      enum login_mode *ret_mode);
/* A fresh one; return_to is borrowed. 0, LOGIN_E_REFUSED, or negative. */
int login_new(const struct exchange *exchange, struct slice return_to, int64_t now_s,
	      struct login *ret_login);
/* The value of its cookie, and back. 0, LOGIN_E_REFUSED (malformed, too old), or negative. */
int login_write_cookie(struct arena *arena, const struct login *login, const char **ret_value);
int login_read_cookie(const struct exchange *exchange, struct slice value, int64_t now_s,
		      struct login *ret_login);
/* What must come back with the code: bound to the cookie and to where it leads. */
int login_write_state(const struct login *login, char ret_state[SESSION_TEXT_SIZE]);
bool login_is_state(const struct login *login, struct slice state);
/* PKCE (RFC 7636): the verifier, and its S256 challenge. */
int login_write_verifier(const struct login *login, char ret_verifier[SESSION_TEXT_SIZE]);
int login_write_challenge(const struct login *login, char ret_challenge[SESSION_TEXT_SIZE]);
void login_deinit(struct login *login); /* for CLEANUP() */
