#pragma once
/* A request through parser, router, gate and handler, with a database that does what the test says.
 */

#include "api/handlers/handlers.h"
#include "api/http/reply.h"
#include "tests/unit/cases/fake_pg.h"

struct requests {
	struct handlers handlers;
	struct index_key key;
	struct sealer sealer;      /* its vault is that of fake_vault.h */
	struct policy_set *set;    /* the shipped set, in handlers too */
	struct exchange *exchange; /* the last one, also when answered */
	struct value *json;        /* its body, when it is JSON */
	int status;                /* 0: not answered yet */
};

void requests_init(struct requests *requests);
void requests_deinit(struct requests *requests);
/*
 * "GET /v1/x" with further header lines ("" for none) and a body (NULL for none). The gate of the
 * test knows: "Authorization: Bearer full", "Bearer report", "Receipt any"; everything else does
 * not hold.
 */
void requests_send(struct requests *requests, const char *line, const char *headers,
		   const char *body);
/* The same where something else than the database may be asked first. */
void requests_ask(struct requests *requests, const char *line, const char *headers,
		  const char *body);
/* The answer of the fake database, then what became of the request. */
void requests_answer(struct requests *requests, int status, const char *body);
void requests_refuse(struct requests *requests, enum pg_outcome outcome, int status,
		     const char *key, const char *detail);
const char *requests_error(const struct requests *requests); /* errorKey or "" */
bool requests_has_header(const struct requests *requests, const char *line);

#define FULL "Authorization: Bearer full\r\n"
#define REPORT_ONLY "Authorization: Bearer report\r\n"
#define RECEIPT "Authorization: Receipt any\r\n"
#define KEY "Idempotency-Key: 0123456789abcdefghijkl\r\n"
#define CASE "00000000-0000-4000-8000-00000000000c"
#define ID "00000000-0000-4000-8000-00000000000a"
#define NIL "00000000-0000-0000-0000-000000000000"
