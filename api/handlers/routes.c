/*
 * The one route table: a row is the contract that is kept before its handler runs. A test joins it
 * with api/openapi.yaml.
 */

#include "api/handlers/routes.h"
#include "api/handlers/actions.h"
#include "api/handlers/attachments.h"
#include "api/handlers/audit.h"
#include "api/handlers/auth.h"
#include "api/handlers/bodies.h"
#include "api/handlers/cases.h"
#include "api/handlers/grants.h"
#include "api/handlers/holds.h"
#include "api/handlers/me.h"
#include "api/handlers/messages.h"
#include "api/handlers/openapi.h"
#include "api/handlers/policy.h"
#include "api/handlers/receipt.h"
#include "api/handlers/reports.h"
#include "api/handlers/word.h"

enum {
	NO_BODY = 0,
	BODY = ROUTE_BODY_DEFAULT,
	LONG_BODY = 4 * ROUTE_BODY_DEFAULT,
	FILE_BODY = 10 << 20
};

/* Reads of a case or of a party's side of one; and what changes either. */
#define READ (ROUTE_SLOT | ROUTE_UUIDS)
#define ACT (ROUTE_SLOT | ROUTE_UUIDS | ROUTE_KEY)
#define PARTY_READ (READ | ROUTE_PADDED)
#define PARTY_ACT (ACT | ROUTE_PADDED)
#define UPLOAD (ACT | ROUTE_RAW | ROUTE_STREAM)

/* One row, one line. */
/* clang-format off */
#define QUEUE_QUERY { "stage", "state", "lane", "wiki", "body", "assigned", "due_before", "respondent", "limit", "cursor" }

/* method, path, audience, body, flags, handler, query */
const struct route routes[] = {
	{ HTTP_GET, "/v1/policy", AUDIENCE_PUBLIC, NO_BODY, ROUTE_CORS, policy_show, { "wiki", "lang" } },
	{ HTTP_GET, "/v1/policy/rules/{id…}", AUDIENCE_PUBLIC, NO_BODY, ROUTE_CORS, policy_show_rule, { "wiki", "lang" } },
	{ HTTP_GET, "/v1/policy/versions", AUDIENCE_PUBLIC, NO_BODY, ROUTE_CORS | ROUTE_COUNTED, policy_list_versions, { NULL } },
	{ HTTP_GET, "/v1/policy/versions/{sha256}", AUDIENCE_PUBLIC, NO_BODY, ROUTE_CORS | ROUTE_COUNTED, policy_show_version, { NULL } },
	{ HTTP_GET, "/v1/audit/checkpoint", AUDIENCE_PUBLIC, NO_BODY, ROUTE_CORS | ROUTE_COUNTED, audit_show_checkpoint, { NULL } },
	{ HTTP_GET, "/v1/audit/proof", AUDIENCE_PUBLIC, NO_BODY, ROUTE_CORS | ROUTE_COUNTED, audit_show_proof, { "size", "index" } },
	{ HTTP_GET, "/v1/audit/consistency", AUDIENCE_PUBLIC, NO_BODY, ROUTE_CORS | ROUTE_COUNTED, audit_show_consistency, { "from", "to" } },
	{ HTTP_GET, "/v1/audit/log", AUDIENCE_ACCOUNT, NO_BODY, ROUTE_OFFICE, audit_list_log, { "limit", "cursor" } },
	{ HTTP_GET, "/v1/openapi.json", AUDIENCE_PUBLIC, NO_BODY, ROUTE_CORS, openapi_show, { NULL } },
	{ HTTP_GET, "/v1/auth/start", AUDIENCE_PUBLIC, NO_BODY, ROUTE_COUNTED, auth_start, { "return_to", "lang" } },
	{ HTTP_GET, "/v1/auth/callback", AUDIENCE_PUBLIC, NO_BODY, ROUTE_COUNTED, auth_callback, { "code", "state", "error", "error_description", "error_uri", "hint", "message", "lang" } },
	{ HTTP_POST, "/v1/auth/redeem", AUDIENCE_PUBLIC, BODY, ROUTE_CORS | ROUTE_COUNTED, auth_redeem, { NULL } },
	{ HTTP_POST, "/v1/auth/logout", AUDIENCE_PUBLIC, NO_BODY, ROUTE_CORS | ROUTE_COUNTED, auth_logout, { NULL } },
	{ HTTP_POST, "/v1/reports", AUDIENCE_LATE, BODY, ROUTE_KEY_LATE | ROUTE_PADDED | ROUTE_CORS, reports_submit, { NULL } },
	{ HTTP_GET, "/v1/receipt", AUDIENCE_PARTY, NO_BODY, PARTY_READ, receipt_show, { "participation" } },
	{ HTTP_GET, "/v1/receipt/messages", AUDIENCE_PARTY, NO_BODY, PARTY_READ, receipt_list_messages, { "participation", "limit", "cursor" } },
	{ HTTP_POST, "/v1/receipt/messages", AUDIENCE_PARTY, BODY, PARTY_ACT, receipt_post_message, { "participation" } },
	{ HTTP_GET, "/v1/receipt/attachments", AUDIENCE_PARTY, NO_BODY, PARTY_READ, receipt_list_attachments, { "participation", "limit", "cursor" } },
	{ HTTP_POST, "/v1/receipt/attachments", AUDIENCE_PARTY, FILE_BODY, UPLOAD | ROUTE_PADDED, attachments_bring, { "participation" } },
	{ HTTP_POST, "/v1/receipt/actions/{action}", AUDIENCE_PARTY, BODY, PARTY_ACT, receipt_act, { "participation" } },
	{ HTTP_POST, "/v1/receipt/appeal", AUDIENCE_PARTY, BODY, PARTY_ACT, receipt_appeal, { "participation" } },
	{ HTTP_POST, "/v1/receipt/prove", AUDIENCE_PUBLIC, BODY, PARTY_ACT | ROUTE_COUNTED, word_prove, { NULL } },
	{ HTTP_POST, "/v1/receipt/erasure", AUDIENCE_PARTY, NO_BODY, PARTY_ACT, receipt_ask_erasure, { "participation" } },
	{ HTTP_GET, "/v1/me", AUDIENCE_ACCOUNT, NO_BODY, 0, me_show, { NULL } },
	{ HTTP_GET, "/v1/me/participations", AUDIENCE_ACCOUNT, NO_BODY, 0, me_list_participations, { NULL } },
	{ HTTP_GET, "/v1/bodies/{id}", AUDIENCE_ACCOUNT, NO_BODY, ROUTE_OFFICE, bodies_show, { NULL } },
	{ HTTP_GET, "/v1/cases", AUDIENCE_ACCOUNT, NO_BODY, ROUTE_OFFICE, cases_list, QUEUE_QUERY },
	{ HTTP_GET, "/v1/cases/{id}", AUDIENCE_ACCOUNT, NO_BODY, READ | ROUTE_OFFICE, cases_show, { NULL } },
	{ HTTP_POST, "/v1/cases/{id}/actions/{action}", AUDIENCE_ACCOUNT, LONG_BODY, ACT | ROUTE_OFFICE, actions_act, { NULL } },
	{ HTTP_GET, "/v1/cases/{id}/messages", AUDIENCE_ACCOUNT, NO_BODY, READ | ROUTE_OFFICE, messages_list, { "channel", "party", "limit", "cursor" } },
	{ HTTP_POST, "/v1/cases/{id}/messages", AUDIENCE_ACCOUNT, BODY, ACT | ROUTE_OFFICE, messages_post, { "channel", "party" } },
	{ HTTP_GET, "/v1/cases/{id}/attachments", AUDIENCE_ACCOUNT, NO_BODY, READ | ROUTE_OFFICE, attachments_list, { "limit", "cursor" } },
	{ HTTP_POST, "/v1/cases/{id}/attachments", AUDIENCE_ACCOUNT, FILE_BODY, UPLOAD | ROUTE_OFFICE, attachments_add, { NULL } },
	{ HTTP_GET, "/v1/cases/{id}/attachments/{attachment_id}", AUDIENCE_ACCOUNT, NO_BODY, READ | ROUTE_OFFICE | ROUTE_STREAM, attachments_show, { NULL } },
	{ HTTP_GET, "/v1/cases/{id}/events", AUDIENCE_ACCOUNT, NO_BODY, READ | ROUTE_OFFICE, cases_list_events, { "limit", "cursor" } },
	{ HTTP_GET, "/v1/admin/grants", AUDIENCE_ACCOUNT, NO_BODY, ROUTE_OFFICE, grants_list, { "limit", "cursor" } },
	{ HTTP_POST, "/v1/admin/grants", AUDIENCE_ACCOUNT, BODY, ROUTE_KEY | ROUTE_OFFICE, grants_add, { NULL } },
	{ HTTP_DELETE, "/v1/admin/grants", AUDIENCE_ACCOUNT, BODY, ROUTE_KEY_LATE | ROUTE_OFFICE, grants_end_named, { NULL } },
	{ HTTP_DELETE, "/v1/admin/grants/{id}", AUDIENCE_ACCOUNT, NO_BODY, ROUTE_UUIDS | ROUTE_KEY_LATE | ROUTE_OFFICE, grants_end, { NULL } },
	{ HTTP_GET, "/v1/admin/holds", AUDIENCE_ACCOUNT, NO_BODY, ROUTE_OFFICE, holds_list, { "limit", "cursor" } },
	{ HTTP_POST, "/v1/admin/holds", AUDIENCE_ACCOUNT, BODY, ROUTE_KEY | ROUTE_OFFICE, holds_add, { NULL } },
	{ HTTP_DELETE, "/v1/admin/holds/{id}", AUDIENCE_ACCOUNT, NO_BODY, ROUTE_UUIDS | ROUTE_KEY_LATE | ROUTE_OFFICE, holds_end, { NULL } },
};
/* clang-format on */

const size_t routes_n = ARRAY_SIZE(routes);
