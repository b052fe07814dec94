#pragma once
/* The prepared statements: one row for each function of conduct_api_1, the contract between C and
 * SQL. */

#include "daemon/pg/pg.h"

/* clang-format off */
/*
 * identifier, function, parameters (a row of the table in statements.c). A test joins the names with
 * the functions that the database has.
 */
#define STATEMENT_ROWS(ROW) \
	ROW(SUBMIT_REPORT, submit_report, SUBMIT) \
	ROW(SUBMIT_REPORTS, submit_reports, SUBMITS) \
	ROW(RECEIPT_SHOW, receipt_show, PARTY) \
	ROW(RECEIPT_MESSAGES, receipt_messages, PARTY_LIST) \
	ROW(RECEIPT_MESSAGE_POST, receipt_message_post, PARTY_ACT) \
	ROW(WORD_PLACE, word_place, ACCOUNT) \
	ROW(RECEIPT_PROVE, receipt_prove, PROVE) \
	ROW(RECEIPT_ATTACHMENTS, receipt_attachments, PARTY_LIST) \
	ROW(RECEIPT_ATTACHMENT_BEGIN, receipt_attachment_begin, PARTY_UPLOAD) \
	ROW(RECEIPT_ATTACHMENT_KEEP, receipt_attachment_keep, PARTY_ACT) \
	ROW(ATTACHMENT_PUT, attachment_put, CHUNK) \
	ROW(ATTACHMENT_DROP, attachment_drop, ONE_ID) \
	ROW(PARTY_PLACE, party_place, PARTY) \
	ROW(PARTY_WITHDRAW, party_withdraw, PARTY_ACT) \
	ROW(PARTY_RESUME, party_resume, PARTY_ACT) \
	ROW(PARTY_OBJECT, party_object, PARTY_ACT) \
	ROW(PARTY_EXTEND, party_extend, PARTY_ACT) \
	ROW(PARTY_ANSWER, party_answer, PARTY_ACT) \
	ROW(PARTY_WITHDRAW_APPEAL, party_withdraw_appeal, PARTY_ACT) \
	ROW(PARTY_APPEAL, party_appeal, PARTY_ACT) \
	ROW(PARTY_ERASURE, party_erasure, PARTY_ASK) \
	ROW(ME, me, ACCOUNT) \
	ROW(ME_PARTICIPATIONS, me_participations, ACCOUNT) \
	ROW(BODY_SHOW, body_show, BODY) \
	ROW(CASE_QUEUE, case_queue, QUEUE) \
	ROW(CASE_SHOW, case_show, CASE) \
	ROW(CASES_SHOW, cases_show, CASES) \
	ROW(CASE_EVENTS, case_events, CASE_LIST) \
	ROW(CASE_MESSAGES, case_messages, CASE_MESSAGES) \
	ROW(CASE_MESSAGE_POST, case_message_post, CASE_POST) \
	ROW(CASE_ATTACHMENTS, case_attachments, CASE_LIST) \
	ROW(CASE_ATTACHMENT_BEGIN, case_attachment_begin, CASE_UPLOAD) \
	ROW(CASE_ATTACHMENT_KEEP, case_attachment_keep, CASE_POST) \
	ROW(CASE_ATTACHMENT_READ, case_attachment_read, CASE_FILE) \
	ROW(CASE_ATTACHMENT_CHUNK, case_attachment_chunk, CASE_FILE) \
	ROW(CASE_PLACE, case_place, CASE_PLACE) \
	ROW(CASE_CLAIM, case_claim, CASE_ACT) \
	ROW(CASE_ACKNOWLEDGE, case_acknowledge, CASE_ACT) \
	ROW(CASE_ASSIGN, case_assign, CASE_ACT) \
	ROW(CASE_ACCEPT, case_accept, CASE_ACT) \
	ROW(CASE_DECLINE, case_decline, CASE_ACT) \
	ROW(CASE_DISMISS, case_dismiss, CASE_ACT) \
	ROW(CASE_ESCALATE, case_escalate, CASE_ACT) \
	ROW(CASE_HAND_BACK, case_hand_back, CASE_ACT) \
	ROW(CASE_RESUME, case_resume, CASE_ACT) \
	ROW(CASE_ADD_RESPONDENT, case_add_respondent, CASE_ACT) \
	ROW(CASE_NOTIFY_RESPONDENT, case_notify_respondent, CASE_ACT) \
	ROW(CASE_RECORD_SERVICE, case_record_service, CASE_ACT) \
	ROW(CASE_GRANT_EXTENSION, case_grant_extension, CASE_ACT) \
	ROW(CASE_WAIVE_HEARING, case_waive_hearing, CASE_ACT) \
	ROW(CASE_SET_SEVERITY, case_set_severity, CASE_ACT) \
	ROW(CASE_RECUSE, case_recuse, CASE_ACT) \
	ROW(CASE_OPEN_IDENTITY, case_open_identity, CASE_ACT) \
	ROW(CASE_INVITE_WITNESS, case_invite_witness, CASE_ACT) \
	ROW(CASE_PROPOSE, case_propose, CASE_ACT) \
	ROW(CASE_SEND_BACK, case_send_back, CASE_ACT) \
	ROW(CASE_DECIDE, case_decide, CASE_ACT) \
	ROW(CASE_RESOLVE_INFORMALLY, case_resolve_informally, CASE_ACT) \
	ROW(CASE_FORM_PANEL, case_form_panel, CASE_ACT) \
	ROW(CASE_PUT_TO_VOTE, case_put_to_vote, CASE_ACT) \
	ROW(CASE_VOTE, case_vote, CASE_ACT) \
	ROW(CASE_CLOSE_VOTE, case_close_vote, CASE_ACT) \
	ROW(CASE_ACCEPT_APPEAL, case_accept_appeal, CASE_ACT) \
	ROW(CASE_DECLINE_APPEAL, case_decline_appeal, CASE_ACT) \
	ROW(CASE_DECIDE_APPEAL, case_decide_appeal, CASE_ACT) \
	ROW(CASE_REMAND, case_remand, CASE_ACT) \
	ROW(CASE_TAKE_UP, case_take_up, CASE_ACT) \
	ROW(CASE_HOLD, case_hold, CASE_ACT) \
	ROW(GRANT_LIST, grant_list, ACCOUNT_LIST) \
	ROW(GRANT_ADD, grant_add, GRANT_ADD) \
	ROW(GRANT_END, grant_end, GRANT_END) \
	ROW(GRANT_END_NAMED, grant_end_named, GRANT_ADD) \
	ROW(HOLD_LIST, hold_list, ACCOUNT_LIST) \
	ROW(HOLD_ADD, hold_add, HOLD_ADD) \
	ROW(HOLD_END, hold_end, GRANT_END) \
	ROW(SESSION_OPEN, session_open, SESSION) \
	ROW(SESSION_FIND, session_find, SESSION_FIND) \
	ROW(SESSION_TAKE_CODE, session_take_code, SESSION_CODE) \
	ROW(SESSION_CLOSE, session_close, SESSION_CLOSE) \
	ROW(AUDIT_CHECKPOINT, audit_checkpoint, NOTHING) \
	ROW(AUDIT_NODES, audit_nodes, ITEMS) \
	ROW(AUDIT_LIST, audit_list, ACCOUNT_LIST) \
	ROW(POLICY_CURRENT, policy_current, NOTHING) \
	ROW(POLICY_VERSIONS, policy_versions, NOTHING) \
	ROW(POLICY_VERSION, policy_version, VERSION)

/* What the worker calls, as another database role. */
#define WORKER_STATEMENT_ROWS(ROW) \
	ROW(PUBLISH_POLICY, publish_policy, PUBLISH) \
	ROW(WORKER_POLICY_CURRENT, policy_current, NOTHING) \
	ROW(PERSON_SEEN, person_seen, PERSON) \
	ROW(TIMER_RUN, timer_run, NUMBER) \
	ROW(LOOKUP_NEXT, lookup_next, WIKIS) \
	ROW(LOOKUP_DONE, lookup_done, ITEMS) \
	ROW(AUDIT_BEGIN, audit_begin, FLAG) \
	ROW(AUDIT_SEQUENCE, audit_sequence, PIECE) \
	ROW(AUDIT_LEAVES, audit_leaves, PIECE) \
	ROW(WORKER_AUDIT_NODES, audit_nodes, ITEMS) \
	ROW(AUDIT_KEEP, audit_keep, KEEP) \
	ROW(AUDIT_PUBLISH, audit_publish, HEAD) \
	ROW(VAULT_REPORT, vault_report, VAULT) \
	ROW(ROTATION_NEXT, rotation_next, NEXT) \
	ROW(ROTATION_DONE, rotation_done, REWRAPPED) \
	ROW(ALARM, alarm, ITEMS) \
	ROW(SNAPSHOT_NEXT, snapshot_next, NUMBER) \
	ROW(SNAPSHOT_TOLD, snapshot_told, TOLD) \
	ROW(SNAPSHOT_KEEP, snapshot_keep, SNAPSHOT) \
	ROW(SWEEP, sweep, NUMBER) \
	ROW(RETENTION_RUN, retention_run, NOTHING) \
	ROW(READINESS, readiness, NOTHING)

/* clang-format on */
#define STATEMENT_ID(identifier, function, parameters) STATEMENT_##identifier,

enum statement_id { STATEMENT_ROWS(STATEMENT_ID) STATEMENT_COUNT };
enum worker_statement_id { WORKER_STATEMENT_ROWS(STATEMENT_ID) WORKER_STATEMENT_COUNT };

/* For struct pg_pool_setup, and for the calls of its pool. */
extern const struct pg_statement statements[STATEMENT_COUNT];
extern const struct pg_statement worker_statements[WORKER_STATEMENT_COUNT];
