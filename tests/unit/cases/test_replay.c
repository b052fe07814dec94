/* A receipt is shown again to who has the key of its report, and to nobody else. */

#include "daemon/base/codec.h"
#include "daemon/cases/replay.h"
#include "tests/unit/suite.h"

static struct arena *arena;
static const struct slice key = { "0123456789012345678901", 22 };
static const struct slice scope = { "a scope", 7 };

static struct slice seal_as_hex(void)
{
	struct slice sealed;
	char *hex;

	ck_assert_int_eq(replay_seal(arena, key, scope, SLICE("ABCDE-FGHJK"), &sealed), 0);
	hex = arena_alloc(arena, 2 * sealed.length + 1);
	return (struct slice){ hex, codec_hex_encode(hex, sealed.at, sealed.length) };
}

START_TEST(a_sealed_receipt_is_opened_with_its_key)
{
	struct slice text, hex;

	ck_assert_int_eq(arena_new(&arena), 0);
	hex = seal_as_hex();
	ck_assert_int_eq(replay_open(arena, key, scope, hex, &text), 0);
	ck_assert_slice_eq(text, "ABCDE-FGHJK");
	hex.at = arena_printf(arena, "\\x%s", hex.at);
	hex.length += 2;
	ck_assert_int_eq(replay_open(arena, key, scope, hex, &text), 0);
	ck_assert_slice_eq(text, "ABCDE-FGHJK");
	arena_free(arena);
}
END_TEST

START_TEST(another_key_scope_or_seal_opens_nothing)
{
	struct slice text = { NULL, 0 }, hex;

	ck_assert_int_eq(arena_new(&arena), 0);
	hex = seal_as_hex();
	ck_assert_int_eq(replay_open(arena, SLICE("0123456789012345678902"), scope, hex, &text),
			 REPLAY_E_MALFORMED);
	ck_assert_int_eq(replay_open(arena, key, SLICE("b scope"), hex, &text), REPLAY_E_MALFORMED);
	hex.length -= 2;
	ck_assert_int_eq(replay_open(arena, key, scope, hex, &text), REPLAY_E_MALFORMED);
	ck_assert_int_eq(replay_open(arena, key, scope, SLICE("zz"), &text), REPLAY_E_MALFORMED);
	ck_assert_int_eq(replay_open(arena, key, scope, SLICE(""), &text), REPLAY_E_MALFORMED);
	ck_assert_ptr_null(text.at);
	arena_free(arena);
}
END_TEST

SUITE("cases/replay", a_sealed_receipt_is_opened_with_its_key,
      another_key_scope_or_seal_opens_nothing)
