/*
 * Budgets. Subjects are 64 bits of an HMAC under the day's key, so that the shared table holds no
 * address and no account, and yesterday's counts belong to nobody. Windows are aligned to the clock
 * of UTC: a whole day, hour or minute. What the emergency lane does never comes here.
 */

#include "api/http/limits.h"
#include "api/http/reply.h"
#include "daemon/base/text.h"
#include "daemon/crypto/crypto.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { MINUTE = 60, DAY = 86400, KIND_KEY = LIMIT_COUNT };

static const struct {
	const char *name;
	unsigned minutes;
	const char *key; /* of the problem */
	bool is_network; /* also of who has an account */
	bool is_told;    /* in every answer, not in refusals alone */
} rows[LIMIT_COUNT] = {
	[LIMIT_REPORTS_ACCOUNT] = { "reports-account", 24 * 60, "conduct-report-limit", false,
				    true },
	[LIMIT_REPORTS_NETWORK] = { "reports-network", 60, "conduct-report-limit", true, true },
	[LIMIT_READS] = { "reads", 1, "conduct-too-many-requests", false, false },
	[LIMIT_ACTS] = { "acts", 1, "conduct-too-many-requests", false, false },
	[LIMIT_RECEIPTS] = { "receipts", 1, "conduct-too-many-requests", true, false },
	[LIMIT_AUTH] = { "auth", 1, "conduct-too-many-requests", true, false },
};

static int64_t now_s(const struct limits *limits)
{
	return limits->now_s ? limits->now_s() : (int64_t)time(NULL);
}

/* 0, or negative when OpenSSL fails. */
static int make_hash(const struct limits *limits, int64_t now, uint8_t kind, struct slice subject,
		     uint64_t *ret_hash)
{
	const struct slice parts[] = { { (const char *)&kind, 1 }, subject };
	uint8_t key[BUDGET_KEY_SIZE], mac[CRYPTO_SHA256_SIZE];
	int r;

	budget_get_key(limits->table, (uint64_t)now / DAY, key);
	r = crypto_hmac_sha256((struct slice){ (const char *)key, sizeof(key) }, parts,
			       ARRAY_SIZE(parts), mac);
	crypto_wipe(key, sizeof(key));
	if (r == 0)
		memcpy(ret_hash, mac, sizeof(*ret_hash));
	return r;
}

/* What one request is held against. */
struct budget {
	const struct limits *limits;
	enum limit limit;
	bool is_shared;
	uint32_t most; /* 0: no limit */
	uint64_t hash;
	uint64_t now; /* minutes */
	uint64_t ends;
	unsigned left_s; /* of the window */
};

static int budget_init(struct budget *budget, struct exchange *exchange, enum limit limit)
{
	const struct limits *limits = exchange->reply->gate ? exchange->reply->gate->limits : NULL;
	uint8_t network[CLIENT_NETWORK_SIZE];
	struct slice subject = exchange->subject;
	int64_t now;

	*budget = (struct budget){ .limits = limits, .limit = limit };
	if (!limits || !limits->table || !limits->most[limit])
		return 0;
	now = now_s(limits);
	budget->most = limits->most[limit];
	if (!subject.at || rows[limit].is_network) {
		client_network(&exchange->client, network);
		subject = (struct slice){ (const char *)network, sizeof(network) };
		budget->is_shared = client_ranges_have(&limits->shared, &exchange->client);
	}
	if (budget->is_shared && limits->shared_factor)
		budget->most *= limits->shared_factor;
	if (budget->most > BUDGET_COUNT_MAX)
		budget->most = BUDGET_COUNT_MAX;
	budget->now = (uint64_t)now / MINUTE;
	budget->ends = (budget->now / rows[limit].minutes + 1) * rows[limit].minutes;
	budget->left_s = (unsigned)(budget->ends * MINUTE - (uint64_t)now);
	return make_hash(limits, now, (uint8_t)limit, subject, &budget->hash);
}

/* draft-ietf-httpapi-ratelimit-headers: quota and window, what remains and until when. */
static void tell(struct exchange *exchange, const struct budget *budget, uint32_t used)
{
	const char *name = rows[budget->limit].name;
	const char *shared = budget->is_shared ? "-shared" : "";
	char text[96];

	snprintf(text, sizeof(text), "\"%s%s\";q=%u;w=%u", name, shared, budget->most,
		 rows[budget->limit].minutes * MINUTE);
	exchange_set_header(exchange, "RateLimit-Policy", text);
	snprintf(text, sizeof(text), "\"%s%s\";r=%u;t=%u", name, shared,
		 used < budget->most ? budget->most - used : 0, budget->left_s);
	exchange_set_header(exchange, "RateLimit", text);
}

static void refuse(struct exchange *exchange, const struct budget *budget)
{
	if (budget->limits->n_refused)
		atomic_fetch_add(&budget->limits->n_refused[budget->limit], 1);
	tell(exchange, budget, budget->most);
	exchange_reply_problem(exchange, &(struct problem){
						 .status = 429,
						 .key = rows[budget->limit].key,
						 .retry_after_s = budget->left_s,
					 });
}

bool limits_take(struct exchange *exchange, enum limit limit)
{
	struct budget budget;
	uint32_t used;
	int r = budget_init(&budget, exchange, limit);

	if (r < 0) {
		exchange_fail(exchange, r);
		return false;
	}
	if (!budget.most)
		return true;
	if (budget_take(budget.limits->table, budget.hash, budget.most, budget.now, budget.ends,
			&used)) {
		refuse(exchange, &budget);
		return false;
	}
	if (rows[limit].is_told)
		tell(exchange, &budget, used);
	return true;
}

bool limits_have(struct exchange *exchange, enum limit limit)
{
	struct budget budget;
	int r = budget_init(&budget, exchange, limit);

	if (r < 0) {
		exchange_fail(exchange, r);
		return false;
	}
	if (!budget.most ||
	    budget_used(budget.limits->table, budget.hash, budget.now) < budget.most)
		return true;
	refuse(exchange, &budget);
	return false;
}

void limits_note(struct exchange *exchange, enum limit limit)
{
	struct budget budget;
	uint32_t used;

	if (budget_init(&budget, exchange, limit) == 0 && budget.most)
		(void)budget_take(budget.limits->table, budget.hash, budget.most, budget.now,
				  budget.ends, &used);
}

/* True when the key has counted before; else it has from now on. */
static int take_key(const struct limits *limits, struct slice scope, uint64_t *ret_hash)
{
	int64_t now = now_s(limits);
	uint64_t minute = (uint64_t)now / MINUTE;
	uint32_t used;
	int r = make_hash(limits, now, KIND_KEY, scope, ret_hash);

	if (r < 0)
		return r;
	return budget_take(limits->table, *ret_hash, 1, minute, minute + BUDGET_MINUTES_A_DAY,
			   &used);
}

/**
 * limits_take_report() - count a report that is about to be stored
 * @scope: where its key counts; the same report sent again is rendered again and costs nothing
 *
 * Return: false: 429 or 503 has been sent.
 */
bool limits_take_report(struct exchange *exchange, struct slice scope)
{
	const struct limits *limits = exchange->reply->gate ? exchange->reply->gate->limits : NULL;
	enum limit limit = exchange->subject.at ? LIMIT_REPORTS_ACCOUNT : LIMIT_REPORTS_NETWORK;
	struct exchange_reply *reply = exchange->reply;
	uint64_t key = 0;
	int r;

	if (!limits || !limits->table || !limits->most[limit])
		return true;
	if (scope.at) {
		r = take_key(limits, scope, &key);
		if (r < 0) {
			exchange_fail(exchange, r);
			return false;
		}
		if (r > 0)
			return true;
	}
	if (!limits_take(exchange, limit)) {
		if (scope.at)
			budget_give_back(limits->table, key, (uint64_t)now_s(limits) / MINUTE);
		return false;
	}
	reply->counted_key = key;
	reply->has_counted = true;
	return true;
}

void limits_return_report(struct exchange *exchange)
{
	enum limit limit = exchange->subject.at ? LIMIT_REPORTS_ACCOUNT : LIMIT_REPORTS_NETWORK;
	struct exchange_reply *reply = exchange->reply;
	struct budget budget;

	if (!reply->has_counted)
		return;
	reply->has_counted = false;
	if (budget_init(&budget, exchange, limit) == 0 && budget.most) {
		budget_give_back(budget.limits->table, reply->counted_key, budget.now);
		budget_give_back(budget.limits->table, budget.hash, budget.now);
	}
}
