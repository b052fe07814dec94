/*
 * The one table of actions. A row and its shape are joined by a test with the transitions of the
 * database and with the interface description: what is listed here exists in all three.
 */

#include "daemon/cases/actions.h"
#include "daemon/base/text.h"

enum { TEXT_MAX = 10000, REASON_MAX = 5000, WORD_MAX = 100 };

/* One row, one line. */
/* clang-format off */
static const char *const severities[] = { "S1", "S2", "S3", "S4", NULL };
static const char *const turn_down_reasons[] = { "out_of_scope", "no_rule", "insufficient",
	"not_accepted", "unidentified", "withdrawn", "bad_faith", NULL };
static const char *const hand_back_outcomes[] = { "acted", "referred", "welfare_handled",
	"no_emergency", NULL };
static const char *const hand_back_states[] = { "handed_over", "triage", NULL };
static const char *const service_ways[] = { "login", "mail", "talk_page", "notice_page", NULL };
static const char *const waiver_kinds[] = { "redacted", "gist_only", "postponed", "unserved", "none",
	NULL };
static const char *const recusal_kinds[] = { "full", "vote_only", NULL };
static const char *const item_kinds[] = { "principle", "finding", "sanction", NULL };
static const char *const findings[] = { "met", "not_met", "undetermined", NULL };
static const char *const dispositions[] = { "no_violation", "no_sanction", "advised", "sanction", NULL };
static const char *const motions[] = { "accept", "accept_appeal", "decide_appeal", "remand", "take_up",
	NULL };
static const char *const outcomes[] = { "ratified", "modified", "overturned", NULL };
static const char *const hold_grounds[] = { "court_order", "authority_request", "dispute", "audit",
	NULL };
static const char *const votes[] = { "support", "oppose", "abstain", "recuse", NULL };
static const char *const grounds[] = { "factual_error", "policy_misapplied", "new_information",
	"disproportionate", "procedure_or_conflict", "out_of_scope", NULL };
static const char *const roles[] = { "functionary", "oversighter", "clerk", "mediator", "translator",
	"arbitrator", "steward", "u4c_member", "u4c_nonvoting", "ts_staff", "legal", "event_coordinator",
	"crc_member", "auditor", "ombud", "policy_maintainer", "admin", NULL };

/* In every action: which proceedings are meant. */
#define PROCEEDINGS { "proceedings", FORM_UUID, .flags = FORM_LIST | FORM_FILLED, .limit = 0 }
#define CONFIRM { "confirm", FORM_UUID, .flags = 0 }
#define REASON { "reason", FORM_WORD, .flags = FORM_REQUIRED, .limit = REASON_MAX }
#define REASON_OPTIONAL { "reason", FORM_WORD, .flags = 0, .limit = REASON_MAX }
#define PROPOSAL { "proposal", FORM_UUID, .flags = FORM_REQUIRED }
#define PROPOSAL_OPTIONAL { "proposal", FORM_UUID, .flags = 0 }

static const struct form respondent_members[] = {
	{ "user", FORM_USER, .flags = 0 },
	{ "url", FORM_URL, .flags = 0 },
	{ "unknown", FORM_WORD, .flags = 0, .limit = REASON_MAX },
	{ "body", FORM_ID, .flags = 0 },
	{ .name = NULL },
};

static const struct form allegation_members[] = {
	{ "rule", FORM_RULE, .flags = FORM_REQUIRED },
	{ "respondent", FORM_UUID, .flags = FORM_REQUIRED },
	{ "incident", FORM_UUID, .flags = FORM_REQUIRED },
	{ .name = NULL },
};

/* Of a respondent who is added in the same act, and has no id yet. */
static const struct form added_allegation_members[] = {
	{ "rule", FORM_RULE, .flags = FORM_REQUIRED },
	{ "incident", FORM_UUID, .flags = FORM_REQUIRED },
	{ .name = NULL },
};

static const struct form scope_members[] = {
	{ "wiki", FORM_WIKI, .flags = 0 },
	{ "topic", FORM_WORD, .flags = FORM_INLINE, .limit = 500 },
	{ "page", FORM_WORD, .flags = FORM_INLINE, .limit = 500 },
	{ "person", FORM_UUID, .flags = 0 },
	{ "global", FORM_TRUE, .flags = 0 },
	{ .name = NULL },
};

static const struct form item_members[] = {
	{ "id", FORM_INTEGER, .flags = 0, .limit = 1000 },
	{ "kind", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = item_kinds },
	{ "respondent", FORM_UUID, .flags = 0 },
	{ "allegation", FORM_UUID, .flags = 0 },
	{ "met", FORM_CHOICE, .flags = 0, .choices = findings },
	{ "evidence", FORM_EVIDENCE, .flags = FORM_LIST },
	{ "sanction", FORM_ID, .flags = 0 },
	{ "scope", FORM_OBJECT, .flags = 0, .members = scope_members },
	{ "until", FORM_TIME, .flags = 0 },
	{ "text", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	{ .name = NULL },
};

static const struct form disposition_members[] = {
	{ "respondent", FORM_UUID, .flags = FORM_REQUIRED },
	{ "disposition", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = dispositions },
	{ .name = NULL },
};

static const struct form outcome_members[] = {
	{ "decision", FORM_UUID, .flags = 0 },
	{ "item", FORM_INTEGER, .flags = FORM_REQUIRED, .limit = 1000 },
	{ "outcome", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = outcomes },
	{ "text", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	{ .name = NULL },
};

static const struct form notice_members[] = {
	{ "party", FORM_UUID, .flags = FORM_REQUIRED },
	{ "text", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	{ "lang", FORM_LANG, .flags = FORM_REQUIRED },
	{ .name = NULL },
};

static const struct form nothing[] = { PROCEEDINGS, { .name = NULL } };
static const struct form with_reason[] = { REASON, PROCEEDINGS, { .name = NULL } };
static const struct form with_optional_reason[] = { REASON_OPTIONAL, PROCEEDINGS, { .name = NULL } };

static const struct form assign[] = {
	{ "person", FORM_UUID, .flags = FORM_REQUIRED },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form accept[] = {
	{ "severity", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = severities },
	{ "allegations", FORM_OBJECT, .flags = FORM_REQUIRED | FORM_LIST | FORM_FILLED, .members = allegation_members },
	REASON,
	PROPOSAL_OPTIONAL,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form turn_down[] = {
	{ "reason_code", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = turn_down_reasons },
	REASON,
	{ "refer_to", FORM_ID, .flags = 0 },
	CONFIRM,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form escalate[] = {
	{ "to", FORM_ID, .flags = FORM_REQUIRED },
	REASON,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form hand_back[] = {
	{ "outcome", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = hand_back_outcomes },
	{ "to_state", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = hand_back_states },
	REASON,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form add_respondent[] = {
	{ "respondent", FORM_OBJECT, .flags = FORM_REQUIRED | FORM_ONE_OF, .members = respondent_members },
	{ "allegations", FORM_OBJECT, .flags = FORM_REQUIRED | FORM_LIST | FORM_FILLED, .members = added_allegation_members },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form notify_respondent[] = {
	{ "respondent", FORM_UUID, .flags = FORM_REQUIRED },
	{ "text", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	{ "lang", FORM_LANG, .flags = FORM_REQUIRED },
	{ "redactions", FORM_UUID, .flags = FORM_LIST },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form record_service[] = {
	{ "respondent", FORM_UUID, .flags = FORM_REQUIRED },
	{ "how", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = service_ways },
	{ "revision", FORM_REVISION, .flags = 0 },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form grant_extension[] = {
	{ "party", FORM_UUID, .flags = FORM_REQUIRED },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form waive_hearing[] = {
	{ "respondent", FORM_UUID, .flags = FORM_REQUIRED },
	{ "kind", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = waiver_kinds },
	REASON,
	CONFIRM,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form set_severity[] = {
	{ "severity", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = severities },
	REASON,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form recuse[] = {
	{ "kind", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = recusal_kinds },
	REASON_OPTIONAL,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form propose[] = {
	{ "items", FORM_OBJECT, .flags = FORM_REQUIRED | FORM_LIST | FORM_FILLED, .members = item_members },
	{ "dispositions", FORM_OBJECT, .flags = FORM_REQUIRED | FORM_LIST | FORM_FILLED, .members = disposition_members },
	{ "reasons", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form decide[] = {
	PROPOSAL,
	{ "notices", FORM_OBJECT, .flags = FORM_REQUIRED | FORM_LIST | FORM_FILLED, .members = notice_members },
	CONFIRM,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form resolve_informally[] = {
	{ "advice", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form form_panel[] = {
	{ "members", FORM_UUID, .flags = FORM_REQUIRED | FORM_LIST | FORM_FILLED },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form put_to_vote[] = {
	{ "motion", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = motions },
	{ "items", FORM_OBJECT, .flags = FORM_LIST, .members = outcome_members },
	{ "reasons", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form vote[] = {
	PROPOSAL,
	{ "item", FORM_INTEGER, .flags = FORM_REQUIRED, .limit = 1000 },
	{ "vote", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = votes },
	REASON_OPTIONAL,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form close_vote[] = { PROPOSAL, PROCEEDINGS, { .name = NULL } };

static const struct form accept_appeal[] = {
	{ "panel", FORM_UUID, .flags = FORM_LIST },
	PROPOSAL_OPTIONAL,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form decline_appeal[] = {
	{ "reason_code", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = turn_down_reasons },
	REASON,
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form decide_appeal[] = {
	PROPOSAL,
	{ "notices", FORM_OBJECT, .flags = FORM_REQUIRED | FORM_LIST | FORM_FILLED, .members = notice_members },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form go_again[] = { REASON, PROPOSAL_OPTIONAL, PROCEEDINGS, { .name = NULL } };

static const struct form open_identity[] = {
	{ "party", FORM_UUID, .flags = FORM_REQUIRED },
	REASON,
	CONFIRM,
	PROCEEDINGS,
	{ .name = NULL },
};

/* One of user and name. */
static const struct form invite_witness[] = {
	{ "user", FORM_USER, .flags = 0 },
	{ "name", FORM_WORD, .flags = 0, .limit = FORM_NAME_MAX },
	{ "question", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form hold[] = {
	REASON,
	{ "until", FORM_TIME, .flags = FORM_REQUIRED },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form answer[] = {
	{ "text", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	PROCEEDINGS,
	{ .name = NULL },
};

static const struct form appeal[] = {
	{ "decision", FORM_UUID, .flags = FORM_REQUIRED },
	{ "items", FORM_INTEGER, .flags = FORM_REQUIRED | FORM_LIST | FORM_FILLED, .limit = 1000 },
	{ "grounds", FORM_CHOICE, .flags = FORM_REQUIRED | FORM_LIST | FORM_FILLED, .choices = grounds },
	{ "reasons", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	PROCEEDINGS,
	{ .name = NULL },
};

const struct form action_message[] = {
	{ "text", FORM_WORD, .flags = FORM_REQUIRED, .limit = TEXT_MAX },
	{ .name = NULL },
};

const struct form action_prove[] = {
	{ "word", FORM_WORD, .flags = FORM_REQUIRED, .limit = WORD_MAX },
	{ .name = NULL },
};

const struct form action_grant[] = {
	{ "person", FORM_PERSON, .flags = FORM_REQUIRED },
	{ "role", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = roles },
	{ "body", FORM_ID, .flags = 0 },
	{ "from", FORM_TIME, .flags = 0 },
	{ "until", FORM_TIME, .flags = FORM_REQUIRED },
	{ .name = NULL },
};

const struct form action_hold[] = {
	{ "case", FORM_UUID, .flags = FORM_REQUIRED },
	{ "ground", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = hold_grounds },
	{ "until", FORM_TIME, .flags = FORM_REQUIRED },
	{ .name = NULL },
};

const struct form action_grant_end[] = {
	{ "person", FORM_PERSON, .flags = FORM_REQUIRED },
	{ "role", FORM_CHOICE, .flags = FORM_REQUIRED, .choices = roles },
	{ "body", FORM_ID, .flags = 0 },
	{ .name = NULL },
};

#define MOVES true
#define STAYS false

/* name, audience, whether If-Match is needed, statement, body */
const struct action actions[] = {
	{ "claim", ACTION_HANDLER, MOVES, STATEMENT_CASE_CLAIM, nothing },
	{ "acknowledge", ACTION_HANDLER, STAYS, STATEMENT_CASE_ACKNOWLEDGE, nothing },
	{ "assign", ACTION_HANDLER, STAYS, STATEMENT_CASE_ASSIGN, assign },
	{ "accept", ACTION_HANDLER, MOVES, STATEMENT_CASE_ACCEPT, accept },
	{ "decline", ACTION_HANDLER, MOVES, STATEMENT_CASE_DECLINE, turn_down },
	{ "dismiss", ACTION_HANDLER, MOVES, STATEMENT_CASE_DISMISS, turn_down },
	{ "escalate", ACTION_HANDLER, MOVES, STATEMENT_CASE_ESCALATE, escalate },
	{ "hand_back", ACTION_HANDLER, MOVES, STATEMENT_CASE_HAND_BACK, hand_back },
	{ "resume", ACTION_HANDLER, MOVES, STATEMENT_CASE_RESUME, nothing },
	{ "add_respondent", ACTION_HANDLER, MOVES, STATEMENT_CASE_ADD_RESPONDENT, add_respondent },
	{ "notify_respondent", ACTION_HANDLER, STAYS, STATEMENT_CASE_NOTIFY_RESPONDENT, notify_respondent },
	{ "record_service", ACTION_HANDLER, STAYS, STATEMENT_CASE_RECORD_SERVICE, record_service },
	{ "grant_extension", ACTION_HANDLER, STAYS, STATEMENT_CASE_GRANT_EXTENSION, grant_extension },
	{ "waive_hearing", ACTION_HANDLER, STAYS, STATEMENT_CASE_WAIVE_HEARING, waive_hearing },
	{ "set_severity", ACTION_HANDLER, STAYS, STATEMENT_CASE_SET_SEVERITY, set_severity },
	{ "recuse", ACTION_HANDLER, STAYS, STATEMENT_CASE_RECUSE, recuse },
	{ "open_identity", ACTION_HANDLER, STAYS, STATEMENT_CASE_OPEN_IDENTITY, open_identity },
	{ "invite_witness", ACTION_HANDLER, STAYS, STATEMENT_CASE_INVITE_WITNESS, invite_witness },
	{ "propose", ACTION_HANDLER, MOVES, STATEMENT_CASE_PROPOSE, propose },
	{ "send_back", ACTION_HANDLER, MOVES, STATEMENT_CASE_SEND_BACK, with_reason },
	{ "decide", ACTION_HANDLER, MOVES, STATEMENT_CASE_DECIDE, decide },
	{ "resolve_informally", ACTION_HANDLER, MOVES, STATEMENT_CASE_RESOLVE_INFORMALLY, resolve_informally },
	{ "form_panel", ACTION_HANDLER, STAYS, STATEMENT_CASE_FORM_PANEL, form_panel },
	{ "put_to_vote", ACTION_HANDLER, STAYS, STATEMENT_CASE_PUT_TO_VOTE, put_to_vote },
	{ "vote", ACTION_HANDLER, STAYS, STATEMENT_CASE_VOTE, vote },
	{ "close_vote", ACTION_HANDLER, STAYS, STATEMENT_CASE_CLOSE_VOTE, close_vote },
	{ "accept_appeal", ACTION_HANDLER, MOVES, STATEMENT_CASE_ACCEPT_APPEAL, accept_appeal },
	{ "decline_appeal", ACTION_HANDLER, MOVES, STATEMENT_CASE_DECLINE_APPEAL, decline_appeal },
	{ "decide_appeal", ACTION_HANDLER, MOVES, STATEMENT_CASE_DECIDE_APPEAL, decide_appeal },
	{ "remand", ACTION_HANDLER, MOVES, STATEMENT_CASE_REMAND, go_again },
	{ "take_up", ACTION_HANDLER, MOVES, STATEMENT_CASE_TAKE_UP, go_again },
	{ "hold", ACTION_HANDLER, STAYS, STATEMENT_CASE_HOLD, hold },
	{ "withdraw", ACTION_PARTY, STAYS, STATEMENT_PARTY_WITHDRAW, with_optional_reason },
	{ "resume", ACTION_PARTY, STAYS, STATEMENT_PARTY_RESUME, with_optional_reason },
	{ "object", ACTION_PARTY, STAYS, STATEMENT_PARTY_OBJECT, with_optional_reason },
	{ "extend", ACTION_PARTY, STAYS, STATEMENT_PARTY_EXTEND, with_optional_reason },
	{ "answer", ACTION_PARTY, STAYS, STATEMENT_PARTY_ANSWER, answer },
	{ "withdraw_appeal", ACTION_PARTY, STAYS, STATEMENT_PARTY_WITHDRAW_APPEAL, with_optional_reason },
	{ "appeal", ACTION_PARTY, STAYS, STATEMENT_PARTY_APPEAL, appeal },
};

/* clang-format on */

const size_t actions_n = ARRAY_SIZE(actions);

const struct action *action_find(enum action_audience audience, struct slice name)
{
	for (size_t i = 0; i < actions_n; i++)
		if (actions[i].audience == audience &&
		    text_equals(text_slice(actions[i].name), name))
			return &actions[i];
	return NULL;
}

bool action_gives_word(const struct action *action)
{
	return action->statement == STATEMENT_CASE_INVITE_WITNESS ||
	       action->statement == STATEMENT_CASE_NOTIFY_RESPONDENT;
}
