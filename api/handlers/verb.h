#pragma once
/* From an exchange to a call, and from what the call came to back to the wire: once for all nouns.
 */

#include "api/auth/actor.h"
#include "api/handlers/handlers.h"
#include "daemon/cases/actions.h"
#include "daemon/cases/call.h"

struct handlers *verb_handlers(const struct exchange *exchange);

/* A call in the exchange's arena; NULL: the exchange has been answered. */
struct call *verb_begin(struct exchange *exchange, enum statement_id statement, enum pg_lane lane);
/* The account's index, or null for everybody else. */
void verb_add_account(struct exchange *exchange, struct call *call);
/* Account, receipt, participation. False: the exchange has been answered. */
bool verb_add_party(struct exchange *exchange, struct call *call);
/* Scope and MAC of the Idempotency-Key, or two nulls without one. `further` are what, beside the
 * path, says which resource is meant. */
struct slice verb_add_key(struct exchange *exchange, struct call *call, const struct slice *further,
			  size_t n_further);
/* The body by its form; false: 422 with every error has been sent. ret_check has the words. */
bool verb_read_body(struct exchange *exchange, const struct form *form,
		    struct form_check **ret_check, struct value **ret_args);
/* The words, sealed in the unit that is given by its id. */
void verb_add_words(struct exchange *exchange, struct call *call, struct words *words,
		    struct slice unit);
/* Answers 422 with the errors found. */
void verb_refuse_body(struct exchange *exchange, const struct form_check *check);
/* A query parameter that is malformed: 400. */
void verb_refuse_parameter(struct exchange *exchange);

/* Who reads what the call answers, and what of it counts as one case. */
void verb_set_reader(struct exchange *exchange, struct call *call);

/* The exchange is answered by done(), or at once when the call cannot be made. */
void verb_submit(struct exchange *exchange, struct call *call,
		 void (*done)(struct call *call, const struct call_answer *answer));
/* The same where a success goes to the client as the database says it: its text, not its body. */
void verb_pass(struct exchange *exchange, struct call *call,
	       void (*done)(struct call *call, const struct call_answer *answer));
/* For done() of verb_pass(): refusals and texts as they are; the ETag where it is a case. */
void verb_reply(struct call *call, const struct call_answer *answer);
void verb_reply_case(struct call *call, const struct call_answer *answer);
void verb_refuse(struct exchange *exchange, const struct call_answer *answer);
/* JSON that is the same for everybody: cacheable, with an ETag of its bytes. */
void verb_reply_public(struct exchange *exchange, const struct value *value, unsigned max_age_s);
