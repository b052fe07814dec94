/* Secrets of sessions: their texts, their hashes, and what they seal. */

#include "api/auth/session.h"
#include "daemon/base/codec.h"
#include "tests/unit/suite.h"

static struct arena *arena;

static void begin(void)
{
	ck_assert_int_eq(arena_new(&arena), 0);
}

START_TEST(a_secret_is_read_as_it_was_written)
{
	struct session_secret secret, again;
	char text[SESSION_TEXT_SIZE];

	ck_assert_int_eq(session_secret_new(&secret), 0);
	session_secret_write(&secret, text);
	ck_assert_uint_eq(strlen(text), 43);
	ck_assert_int_eq(session_secret_read(slice_of(text), &again), 0);
	ck_assert_mem_eq(&secret, &again, sizeof(secret));
	session_secret_deinit(&again);
	ck_assert_mem_ne(&secret, &again, sizeof(secret));
}
END_TEST

START_TEST(what_is_no_secret_is_refused)
{
	static const char *const texts[] = {
		"",
		"x",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",   /* 42 */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* 44 */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",  /* bits behind the last byte */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"AAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAA+AAAAAAAAAAAAAAAAAAAAAA",
	};
	struct session_secret secret;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		ck_assert_msg(session_secret_read(slice_of(texts[i]), &secret) ==
				      SESSION_E_MALFORMED,
			      "%s", texts[i]);
}
END_TEST

START_TEST(its_hash_is_of_a_derived_value)
{
	struct session_secret secret = { { 1 } }, other = { { 2 } };
	uint8_t hash[SESSION_HASH_SIZE], again[SESSION_HASH_SIZE];
	char hex[2 * SESSION_HASH_SIZE + 1];

	ck_assert_int_eq(session_secret_hash(&secret, hash), 0);
	ck_assert_int_eq(session_secret_hash(&secret, again), 0);
	ck_assert_mem_eq(hash, again, sizeof(hash));
	ck_assert_int_eq(session_secret_hash(&other, again), 0);
	ck_assert_mem_ne(hash, again, sizeof(hash));
	/* SHA-256(HKDF-SHA-256(ikm = 01 00…, salt "", info "conductd session v1")): what is stored
	 * must be found by the next version, too. */
	codec_hex_encode(hex, hash, sizeof(hash));
	ck_assert_str_eq(hex, "1c053c346c646be009685190e0162933"
			      "c8032bb72e48a9985f483c9e2d60b6ef");
}
END_TEST

static struct slice seal(const struct session_secret *secret, enum session_kind kind)
{
	struct session_content content = { SLICE("https://a.example"), SLICE("42"), SLICE("a.b.c"),
					   1800000000 };
	struct slice sealed;
	char *hex;

	ck_assert_int_eq(session_seal(arena, secret, kind, &content, &sealed), 0);
	hex = arena_alloc(arena, 2 * sealed.length + 1);
	codec_hex_encode(hex, sealed.at, sealed.length);
	return slice_of(hex);
}

START_TEST(only_its_own_secret_opens_a_seal_and_only_as_its_kind)
{
	struct session_secret secret = { { 1 } }, other = { { 2 } };
	struct session_content content;
	struct slice hex;

	begin();
	hex = seal(&secret, SESSION_CODE);
	ck_assert_int_eq(session_unseal(arena, &secret, SESSION_CODE, hex, &content), 0);
	ck_assert_slice_eq(content.iss, "https://a.example");
	ck_assert_slice_eq(content.id, "42");
	ck_assert_slice_eq(content.token, "a.b.c");
	ck_assert_int_eq(content.ends_s, 1800000000);
	ck_assert_int_eq(session_unseal(arena, &secret, SESSION_COOKIE, hex, &content),
			 SESSION_E_MALFORMED);
	ck_assert_int_eq(session_unseal(arena, &secret, SESSION_BEARER, hex, &content),
			 SESSION_E_MALFORMED);
	ck_assert_int_eq(session_unseal(arena, &other, SESSION_CODE, hex, &content),
			 SESSION_E_MALFORMED);
	arena_free(arena);
}
END_TEST

START_TEST(a_changed_seal_is_broken)
{
	struct session_secret secret = { { 1 } };
	struct session_content content;
	struct slice hex;
	char *bytes;

	begin();
	hex = seal(&secret, SESSION_COOKIE);
	for (size_t i = 0; i < hex.length; i++) {
		bytes = arena_strndup(arena, hex.at, hex.length);
		bytes[i] = bytes[i] == '0' ? '1' : '0';
		ck_assert_int_eq(session_unseal(arena, &secret, SESSION_COOKIE,
						(struct slice){ bytes, hex.length }, &content),
				 SESSION_E_MALFORMED);
	}
	for (size_t length = 0; length < hex.length; length++)
		ck_assert_int_eq(session_unseal(arena, &secret, SESSION_COOKIE,
						(struct slice){ hex.at, length }, &content),
				 SESSION_E_MALFORMED);
	arena_free(arena);
}
END_TEST

SUITE("auth/session", a_secret_is_read_as_it_was_written, what_is_no_secret_is_refused,
      its_hash_is_of_a_derived_value, only_its_own_secret_opens_a_seal_and_only_as_its_kind,
      a_changed_seal_is_broken)
