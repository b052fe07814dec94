/*
 * HPKE against published vectors: RFC 9180 appendix A.1.1 (AES-128-GCM) and, for AES-256-GCM, which
 * the RFC does not print, the CFRG's test vectors of the same suite (kem 0x0020, kdf 0x0001, aead
 * 0x0002).
 */

#include "tests/unit/crypto/hex.h"

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/hpke.h"

enum { TEXT = 29, SEALED = TEXT + HPKE_TAG_SIZE };

static const char info_hex[] = "4f6465206f6e2061204772656369616e2055726e";
static const char text[] = "Beauty is truth, truth beauty";

struct message {
	unsigned number;
	const char *sealed;
};

static const struct message messages_128[] = {
	{ 0, "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9"
	     "6d8770ac83d07bea87e13c512a" },
	{ 1, "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab25"
	     "1c03d0c22a56b8ca42c2063b84" },
	{ 2, "498dfcabd92e8acedc281e85af1cb4e3e31c7dc394a1ca20e173cb7251649158"
	     "8d96a19ad4a683518973dcc180" },
	{ 4, "583bd32bc67a5994bb8ceaca813d369bca7b2a42408cddef5e22f880b631215a"
	     "09fc0012bc69fccaa251c0246d" },
	{ 255, "7175db9717964058640a3a11fb9007941a5d1757fda1a6935c805c21af32505b"
	       "f106deefec4a49ac38d71c9e0a" },
	{ 256, "957f9800542b0b8891badb026d79cc54597cb2d225b54c00c5238c25d05c30e3"
	       "fbeda97d2e0e1aba483a2df9f2" },
};

static const struct message messages_256[] = {
	{ 0, "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be99319"
	     "80a41de125a925cdad859d5b7a" },
	{ 1, "2c43aff25343fdbff864506f0818b9d87df84ea01b1a2144d23b4d40c26bf655"
	     "fdf197fe40297a8aebeed5cc2d" },
	{ 2, "e0a8f2cf92ff61215edbb8c55dc31fe9e2eb42a5685867bb6854211542099f9e"
	     "940c4b41c192bc390835b1a5f7" },
	{ 3, "a8ea1deafbe4935d0d484a026301a339d4668c43c37f5e289bf758c7aeb3e281"
	     "2d0321c12b71978855883420c0" },
	{ 4, "448a8892f261cbb6bf5b7b64a4fae8a2c86492494b069c10525895d871c27c2f"
	     "12cd17e0588fedaba9f7b0cd4c" },
	{ 17, "510ffbb00d709b3ce27bea8b8202f2fad82632d6429992b4c0f71728bb3291f2"
	      "0f696c4d2abd942dc9a8960b39" },
	{ 63, "946181d28098f47928bef7199f777dd0d2653f08c326bfd10090b47bcd294735"
	      "dca636428bad26d0c186ff56dc" },
	{ 255, "f6ad1823eb0b932d04b6e23010eea64f1fe5edd0583dae5ba27ca6363f4ea104"
	       "bd217331460ef4208040423641" },
	{ 256, "53624f4f9f173453b14e633b45390ff54cacaa4428d44baee1bff8133fab1ab3"
	       "afe60f88e4634b525c54e92eda" },
};

static const struct vector {
	enum hpke_aead aead;
	const char *recipient, *recipient_public, *ephemeral, *enc;
	const struct message *messages;
	size_t n_messages;
} vectors[] = {
	{ HPKE_AES_128_GCM, "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
	  "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
	  "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
	  "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431", messages_128,
	  ARRAY_SIZE(messages_128) },
	{ HPKE_AES_256_GCM, "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d",
	  "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c",
	  "179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11",
	  "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256", messages_256,
	  ARRAY_SIZE(messages_256) },
};

static struct slice info(void)
{
	static char bytes[sizeof(info_hex) / 2];

	hex(info_hex, bytes, sizeof(bytes));
	return (struct slice){ bytes, sizeof(bytes) };
}

/* "Count-N", as all vectors have it. */
static struct slice aad_of(unsigned number)
{
	static char bytes[16];

	return (struct slice){ bytes, (size_t)snprintf(bytes, sizeof(bytes), "Count-%u", number) };
}

static void check_sender(const struct vector *vector)
{
	uint8_t recipient[32], ephemeral[32], enc[32], expected[SEALED], sealed[SEALED];
	struct hpke hpke;

	hex(vector->recipient_public, recipient, 32);
	hex(vector->ephemeral, ephemeral, 32);
	hex(vector->enc, expected, 32);
	ck_assert_int_eq(
		hpke_init_sender_with(&hpke, vector->aead, recipient, info(), ephemeral, enc), 0);
	ck_assert_mem_eq(enc, expected, 32);
	for (unsigned number = 0, at = 0; at < vector->n_messages; number++) {
		ck_assert_uint_eq(hpke.sequence, number);
		ck_assert_int_eq(hpke_seal(&hpke, aad_of(number), SLICE(text), sealed), 0);
		if (vector->messages[at].number != number)
			continue;
		hex(vector->messages[at++].sealed, expected, SEALED);
		ck_assert_mem_eq(sealed, expected, SEALED);
	}
	hpke_deinit(&hpke);
}

/* From the last message to the first: each is opened by its number alone. */
static void check_recipient(const struct vector *vector)
{
	uint8_t recipient[32], recipient_public[32], enc[32], sealed[SEALED];
	struct hpke hpke;

	hex(vector->recipient, recipient, 32);
	hex(vector->recipient_public, recipient_public, 32);
	hex(vector->enc, enc, 32);
	ck_assert_int_eq(
		hpke_init_recipient(&hpke, vector->aead, recipient, recipient_public, enc, info()),
		0);
	for (size_t at = vector->n_messages; at-- > 0;) {
		const struct message *message = &vector->messages[at];
		char opened[TEXT] = "";

		hex(message->sealed, sealed, SEALED);
		ck_assert_int_eq(hpke_open(&hpke, message->number, aad_of(message->number),
					   (struct slice){ (char *)sealed, SEALED }, opened),
				 0);
		ck_assert_mem_eq(opened, text, TEXT);
	}
	hpke_deinit(&hpke);
}

START_TEST(the_published_messages_are_sealed)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		check_sender(&vectors[i]);
}
END_TEST

START_TEST(the_published_messages_are_opened)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		check_recipient(&vectors[i]);
}
END_TEST

struct pair {
	uint8_t key[32], public_key[32], enc[32];
	struct hpke sender, recipient;
};

static void pair_init(struct pair *pair)
{
	ck_assert_int_eq(hpke_key_new(pair->key, pair->public_key), 0);
	ck_assert_int_eq(hpke_init_sender(&pair->sender, HPKE_AES_256_GCM, pair->public_key,
					  SLICE("here"), pair->enc),
			 0);
	ck_assert_int_eq(hpke_init_recipient(&pair->recipient, HPKE_AES_256_GCM, pair->key,
					     pair->public_key, pair->enc, SLICE("here")),
			 0);
}

START_TEST(every_changed_bit_number_or_place_is_refused)
{
	uint8_t sealed[SEALED];
	struct slice whole = { (char *)sealed, SEALED };
	char opened[TEXT];
	struct pair pair;

	pair_init(&pair);
	ck_assert_int_eq(hpke_seal(&pair.sender, SLICE("place"), SLICE(text), sealed), 0);
	ck_assert_int_eq(hpke_open(&pair.recipient, 0, SLICE("place"), whole, opened), 0);
	for (size_t bit = 0; bit < SEALED * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_eq(hpke_open(&pair.recipient, 0, SLICE("place"), whole, opened),
				 HPKE_E_BROKEN);
		ck_assert_int_ne(memcmp(opened, text, TEXT), 0);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	ck_assert_int_eq(hpke_open(&pair.recipient, 1, SLICE("place"), whole, opened),
			 HPKE_E_BROKEN);
	ck_assert_int_eq(
		hpke_open(&pair.recipient, (uint64_t)1 << 56, SLICE("place"), whole, opened),
		HPKE_E_BROKEN);
	ck_assert_int_eq(hpke_open(&pair.recipient, 0, SLICE("Place"), whole, opened),
			 HPKE_E_BROKEN);
	for (whole.length = 0; whole.length < SEALED; whole.length++)
		ck_assert_int_eq(hpke_open(&pair.recipient, 0, SLICE("place"), whole, opened),
				 HPKE_E_BROKEN);
}
END_TEST

START_TEST(another_key_or_info_opens_nothing)
{
	uint8_t sealed[SEALED], other[32], unused[32];
	struct slice whole = { (char *)sealed, SEALED };
	char opened[TEXT];
	struct hpke hpke;
	struct pair pair;

	pair_init(&pair);
	ck_assert_int_eq(hpke_seal(&pair.sender, SLICE(""), SLICE(text), sealed), 0);
	ck_assert_int_eq(hpke_init_recipient(&hpke, HPKE_AES_256_GCM, pair.key, pair.public_key,
					     pair.enc, SLICE("There")),
			 0);
	ck_assert_int_eq(hpke_open(&hpke, 0, SLICE(""), whole, opened), HPKE_E_BROKEN);
	ck_assert_int_eq(hpke_key_new(other, unused), 0);
	ck_assert_int_eq(hpke_init_recipient(&hpke, HPKE_AES_256_GCM, other, unused, pair.enc,
					     SLICE("here")),
			 0);
	ck_assert_int_eq(hpke_open(&hpke, 0, SLICE(""), whole, opened), HPKE_E_BROKEN);
	ck_assert_int_eq(hpke_init_recipient(&hpke, HPKE_AES_128_GCM, pair.key, pair.public_key,
					     pair.enc, SLICE("here")),
			 0);
	ck_assert_int_eq(hpke_open(&hpke, 0, SLICE(""), whole, opened), HPKE_E_BROKEN);
}
END_TEST

START_TEST(a_key_that_agrees_with_everybody_is_refused)
{
	static const uint8_t zero[32];
	uint8_t enc[32];
	struct hpke hpke;
	struct pair pair;

	pair_init(&pair);
	ck_assert_int_eq(hpke_init_sender(&hpke, HPKE_AES_256_GCM, zero, SLICE(""), enc),
			 HPKE_E_KEY);
	ck_assert_int_eq(hpke_init_recipient(&hpke, HPKE_AES_256_GCM, pair.key, pair.public_key,
					     zero, SLICE("")),
			 HPKE_E_KEY);
	ck_assert_int_eq(
		hpke_init_sender(&hpke, (enum hpke_aead)3, pair.public_key, SLICE(""), enc),
		-EINVAL);
}
END_TEST

SUITE("crypto/hpke", the_published_messages_are_sealed, the_published_messages_are_opened,
      every_changed_bit_number_or_place_is_refused, another_key_or_info_opens_nothing,
      a_key_that_agrees_with_everybody_is_refused)
