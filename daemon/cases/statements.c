/*
 * The text of each prepared statement. Every function returns one row of conduct_api_1.answer
 * (status, body, word_ids, words); parameters are cast, so that a function of that name with other
 * types is never taken instead.
 */

#include "daemon/cases/statements.h"

/* clang-format off */
/* The parameter lists that the functions share: how many, and their types. */
#define NOTHING_N 0
#define NOTHING "()"
#define NUMBER_N 1
#define NUMBER "($1::integer)"
#define ITEMS_N 1
#define ITEMS "($1::jsonb)"
#define FLAG_N 1
#define FLAG "($1::boolean)"
#define PIECE_N 2
#define PIECE "($1::bigint, $2::integer)"
#define KEEP_N 3
#define KEEP "($1::bigint, $2::jsonb, $3::bytea[])"
#define VAULT_N 4
#define VAULT "($1::text, $2::uuid, $3::jsonb, $4::integer)"
#define NEXT_N 2
#define NEXT "($1::integer, $2::jsonb)"
#define REWRAPPED_N 2
#define REWRAPPED "($1::integer, $2::bytea[])"
#define HEAD_N 4
#define HEAD "($1::bigint, $2::bigint, $3::bytea, $4::text)"
#define SNAPSHOT_N 6
#define SNAPSHOT \
	"($1::uuid, $2::jsonb, $3::uuid[], $4::text[], $5::bytea[], $6::bytea)"
#define TOLD_N 3
#define TOLD "($1::uuid, $2::text, $3::integer)"
#define WIKIS_N 3
#define WIKIS "($1::integer, $2::jsonb, $3::boolean)"
#define VERSION_N 1
#define VERSION "($1::text)"
#define ACCOUNT_N 1
#define ACCOUNT "($1::bytea)"
#define ACCOUNT_LIST_N 3
#define ACCOUNT_LIST "($1::bytea, $2::integer, $3::jsonb)"
#define BODY_N 2
#define BODY "($1::bytea, $2::text)"
#define CASE_N 2
#define CASE "($1::bytea, $2::uuid)"
#define CASES_N 2
#define CASES "($1::bytea[], $2::text[])"
#define CASE_LIST_N 4
#define CASE_LIST "($1::bytea, $2::uuid, $3::integer, $4::jsonb)"
#define CASE_MESSAGES_N 6
#define CASE_MESSAGES "($1::bytea, $2::uuid, $3::text, $4::uuid, $5::integer, $6::jsonb)"
#define CASE_PLACE_N 4
#define CASE_PLACE "($1::bytea, $2::uuid, $3::text, $4::uuid)"
#define WORDS(a, b, c) "$" #a "::uuid[], $" #b "::text[], $" #c "::bytea[])"
#define CASE_POST_N 8
#define CASE_POST "($1::bytea, $2::uuid, $3::bytea, $4::bytea, $5::jsonb, " WORDS(6, 7, 8)
#define CASE_ACT_N 9
#define CASE_ACT \
	"($1::bytea, $2::uuid, $3::integer, $4::bytea, $5::bytea, $6::jsonb, " WORDS(7, 8, 9)
#define QUEUE_N 4
#define QUEUE "($1::bytea, $2::jsonb, $3::jsonb, $4::integer)"
#define PARTY_N 3
#define PARTY "($1::bytea, $2::bytea, $3::uuid)"
#define PARTY_UPLOAD_N 5
#define PARTY_UPLOAD "($1::bytea, $2::bytea, $3::uuid, $4::bytea, $5::integer)"
#define CASE_UPLOAD_N 4
#define CASE_UPLOAD "($1::bytea, $2::uuid, $3::bytea, $4::integer)"
#define CASE_FILE_N 4
#define CASE_FILE "($1::bytea, $2::uuid, $3::uuid, $4::integer)"
#define CHUNK_N 3
#define CHUNK "($1::uuid, $2::integer, $3::bytea)"
#define ONE_ID_N 1
#define ONE_ID "($1::uuid)"
#define PARTY_LIST_N 5
#define PARTY_LIST "($1::bytea, $2::bytea, $3::uuid, $4::integer, $5::jsonb)"
#define PARTY_ACT_N 9
#define PARTY_ACT \
	"($1::bytea, $2::bytea, $3::uuid, $4::bytea, $5::bytea, $6::jsonb, " WORDS(7, 8, 9)
#define PROVE_N 6
#define PROVE "($1::bytea, $2::bytea, $3::bytea, $4::bytea, $5::bytea, $6::bytea)"
#define PARTY_ASK_N 5
#define PARTY_ASK "($1::bytea, $2::bytea, $3::uuid, $4::bytea, $5::bytea)"
#define SUBMIT_N 9
#define SUBMIT \
	"($1::bytea, $2::bytea, $3::bytea, $4::bytea, $5::bytea, $6::jsonb, " WORDS(7, 8, 9)
#define SUBMITS_N 9
#define SUBMITS \
	"($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[]," \
	" $7::text[], $8::text[], $9::text[])"
#define GRANT_ADD_N 7
#define GRANT_ADD "($1::bytea, $2::bytea, $3::bytea, $4::jsonb, " WORDS(5, 6, 7)
#define GRANT_END_N 4
#define GRANT_END "($1::bytea, $2::uuid, $3::bytea, $4::bytea)"
#define HOLD_ADD_N 4
#define HOLD_ADD "($1::bytea, $2::bytea, $3::bytea, $4::jsonb)"
#define SESSION_N 7
#define SESSION "($1::bytea, $2::text, $3::bytea, $4::bytea, $5::text, $6::integer, $7::bytea)"
#define SESSION_FIND_N 3
#define SESSION_FIND "($1::bytea, $2::text, $3::text)"
#define SESSION_CODE_N 2
#define SESSION_CODE "($1::bytea, $2::text)"
#define SESSION_CLOSE_N 2
#define SESSION_CLOSE "($1::bytea, $2::boolean)"
#define PUBLISH_N 4
#define PUBLISH "($1::text, $2::integer, $3::text, $4::jsonb)"
#define PERSON_N 8
#define PERSON "($1::bytea, $2::bytea, $3::bytea, $4::text, $5::uuid, " WORDS(6, 7, 8)

/* clang-format on */
#define STATEMENT(identifier, function, parameters) \
	{ #function, "select * from conduct_api_1." #function parameters, parameters##_N },

const struct pg_statement statements[STATEMENT_COUNT] = { STATEMENT_ROWS(STATEMENT) };
const struct pg_statement worker_statements[WORKER_STATEMENT_COUNT] = { WORKER_STATEMENT_ROWS(
	STATEMENT) };
