/*
 * What a failure of the database means to a client: the one place that maps SQLSTATE to HTTP.
 * UCnnn is ours (the digits are the status, the message is an error key, the detail its
 * parameters); constraints are looked up by name in the table the pool was given; everything a
 * client cannot cause is 500 and goes to the log. Texts of the database never leave.
 */

#include <string.h>

#include "daemon/pg/internal.h"

struct row {
	const char *sqlstate; /* five characters, or two for the rest of a class */
	enum pg_outcome outcome;
	int status;
	const char *error_key;
};

/* The first row that fits counts. Codes: PostgreSQL 15, appendix A. */
static const struct row rows[] = {
	{ "42501", PG_REFUSED, 404, "conduct-error-not-found" }, /* insufficient_privilege */
	{ "55P03", PG_UNAVAILABLE, 503, "conduct-error-busy" },  /* lock_not_available */
	{ "40001", PG_UNAVAILABLE, 503, "conduct-error-busy" },  /* serialization_failure */
	{ "40P01", PG_UNAVAILABLE, 503, "conduct-error-busy" },  /* deadlock_detected */
	{ "57014", PG_UNAVAILABLE, 503, "conduct-error-busy" },  /* query_canceled */
	{ "25006", PG_UNAVAILABLE, 503,
	  "conduct-error-unavailable" }, /* read_only_sql_transaction */
	{ "42883", PG_UNAVAILABLE, 503, "conduct-error-unavailable" }, /* undefined_function */
	{ "3F000", PG_UNAVAILABLE, 503, "conduct-error-unavailable" }, /* invalid_schema_name */
	{ "0A000", PG_UNAVAILABLE, 503, "conduct-error-unavailable" }, /* feature_not_supported */
	{ "26000", PG_UNAVAILABLE, 503,
	  "conduct-error-unavailable" },                            /* invalid_sql_statement_name */
	{ "08", PG_UNAVAILABLE, 503, "conduct-error-unavailable" }, /* connection_exception */
	{ "53", PG_UNAVAILABLE, 503, "conduct-error-unavailable" }, /* insufficient_resources */
	{ "57", PG_UNAVAILABLE, 503, "conduct-error-unavailable" }, /* operator_intervention */
};

static const char *const stale_states[] = { "42883", "3F000", "0A000", "26000" };

static bool is_ours(const char *sqlstate, int *ret_status)
{
	int status = 0;

	if (strncmp(sqlstate, "UC", 2) != 0)
		return false;
	for (size_t i = 2; i < 5; i++) {
		if (sqlstate[i] < '0' || sqlstate[i] > '9')
			return false;
		status = status * 10 + (sqlstate[i] - '0');
	}
	if (status < 400 || status > 599)
		return false;
	*ret_status = status;
	return true;
}

/*
 * A plan or function that a deploy replaced under this session: prepared again, the call works.
 * XX000 is that only for "cache lookup failed", which has no code of its own.
 */
static bool is_stale(const char *sqlstate, const char *message)
{
	for (size_t i = 0; i < ARRAY_SIZE(stale_states); i++)
		if (strcmp(sqlstate, stale_states[i]) == 0)
			return true;
	return strcmp(sqlstate, "XX000") == 0 && message && strstr(message, "cache lookup");
}

static bool find_constraint(const struct pg_pool_setup *setup, const char *name,
			    struct verdict *verdict)
{
	for (size_t i = 0; name && i < setup->n_constraints; i++) {
		if (strcmp(setup->constraints[i].name, name) != 0)
			continue;
		verdict->outcome = PG_REFUSED;
		verdict->status = setup->constraints[i].status;
		verdict->error_key = setup->constraints[i].error_key;
		verdict->is_reported = false;
		return true;
	}
	return false;
}

/* Never fails; strings of the verdict are those given, of the setup, or constant. */
void pg_verdict_make(const struct pg_pool_setup *setup, const struct failure *failure,
		     struct verdict *ret_verdict)
{
	const char *sqlstate = failure->sqlstate;
	const char *message = failure->message;
	struct verdict verdict = { .outcome = PG_REFUSED,
				   .status = 500,
				   .error_key = "conduct-error-internal",
				   .is_reported = true };

	if (!sqlstate)
		sqlstate = "08006"; /* libpq's own failures have no code: the connection broke */
	if (is_ours(sqlstate, &verdict.status)) {
		verdict.error_key = message ? message : "conduct-error-internal";
		verdict.detail_json = failure->detail;
		verdict.is_reported = false;
		*ret_verdict = verdict;
		return;
	}
	verdict.is_stale = is_stale(sqlstate, message);
	if (find_constraint(setup, failure->constraint, &verdict)) {
		*ret_verdict = verdict;
		return;
	}
	if (verdict.is_stale) {
		verdict.outcome = PG_UNAVAILABLE;
		verdict.status = 503;
		verdict.error_key = "conduct-error-unavailable";
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strncmp(rows[i].sqlstate, sqlstate, strlen(rows[i].sqlstate)) != 0)
			continue;
		verdict.outcome = rows[i].outcome;
		verdict.status = rows[i].status;
		verdict.error_key = rows[i].error_key;
		verdict.is_reported = verdict.is_stale;
		break;
	}
	*ret_verdict = verdict;
}

/* The error key of an outcome that the database did not name itself. */
const char *pg_outcome_key(enum pg_outcome outcome)
{
	switch (outcome) {
	case PG_DONE:
		return NULL;
	case PG_UNKNOWN:
		return "conduct-error-outcome-unknown";
	case PG_REFUSED:
		return "conduct-error-internal";
	case PG_UNAVAILABLE:
	case PG_DEADLINE:
		break;
	}
	return "conduct-error-unavailable";
}
