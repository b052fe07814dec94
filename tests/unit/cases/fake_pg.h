#pragma once
/* A database that does what the test says: it stands in for the pool of daemon/pg. */

#include "daemon/pg/pg.h"

/* The call that was submitted and not yet answered, or NULL. */
struct pg_call *fake_pg_call(void);
size_t fake_pg_count(void); /* calls since the start of the test */
void fake_pg_reset(void);
const char *fake_pg_statement(void); /* name */
/* A parameter as text, "null" for null; bytes as they are. Lives until the next call here. */
const char *fake_pg_param(unsigned index);
size_t fake_pg_param_length(unsigned index);

/* Answer the call: one row; body, ids and texts may be NULL (null). */
void fake_pg_answer(int status, const char *body, const char *ids, const char *texts);
void fake_pg_refuse(enum pg_outcome outcome, int status, const char *key, const char *detail);
/* From now on pg_pool_submit() fails with this; 0: it works. */
void fake_pg_break(int error);
