-- What is done about a case: who takes part, allegations and hearings, ballots and votes, decisions and
-- sanctions; then conversation, time and the work that follows.

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- Who may not ------------------------------------------------------------------------------------

-- One instance per principal unless void: no prior decider hears the appeal, a remand needs new
-- handlers, old votes do not count.
create table took_part (
	took_part_id uuid constraint took_part_pkey primary key,
	case_id uuid not null constraint took_part_case_fkey references case_file,
	principal_id uuid not null constraint took_part_principal_fkey references principal,
	instance integer not null,
	at timestamptz not null,
	is_void boolean not null default false,
	constraint took_part_key unique (case_id, principal_id, instance)
);
create unique index took_part_one_instance on took_part (case_id, principal_id) where not is_void;

-- Declared and named recusals; those that follow from facts are computed (conduct_gate.is_recused).
create table recusal (
	recusal_id uuid constraint recusal_pkey primary key,
	case_id uuid not null constraint recusal_case_fkey references case_file,
	principal_id uuid constraint recusal_principal_fkey references principal,
	name_ix bytea constraint recusal_name_ix_is_hmac check (octet_length(name_ix) = 32),
	extent text not null constraint recusal_extent_known check (extent in ('full', 'vote_only')),
	source text not null constraint recusal_source_known check (source in ('declared', 'named')),
	standing text not null constraint recusal_standing_known
		check (standing in ('in_force', 'pending', 'void')),
	reason_content uuid constraint recusal_reason_fkey references content,
	-- Who is named is looked up, and then known by id as well.
	id_ix bytea constraint recusal_id_ix_is_hmac check (octet_length(id_ix) = 32),
	name_content uuid constraint recusal_name_fkey references content,
	at timestamptz not null,
	constraint recusal_names_somebody check (num_nonnulls(principal_id, name_ix) >= 1)
);
create index recusal_case on recusal (case_id);

create table assignment (
	case_id uuid not null constraint assignment_case_fkey references case_file,
	person_id uuid not null constraint assignment_person_fkey references person,
	body_id text not null constraint assignment_body_fkey references body,
	at timestamptz not null,
	ended_at timestamptz,
	constraint assignment_pkey primary key (case_id, person_id, at)
);
create index assignment_person on assignment (person_id) where ended_at is null;

-- Allegations, hearing ---------------------------------------------------------------------------

create table allegation (
	allegation_id uuid constraint allegation_pkey primary key,
	case_id uuid not null constraint allegation_case_fkey references case_file,
	proceeding_id uuid not null constraint allegation_proceeding_fkey references proceeding,
	respondent_id uuid not null,
	incident_id uuid not null,
	rule text not null,
	policy_version text not null constraint allegation_policy_fkey references policy_set,
	profile text not null,
	added_at timestamptz not null,
	constraint allegation_case_key unique (allegation_id, case_id),
	constraint allegation_once unique (proceeding_id, respondent_id, rule, incident_id),
	constraint allegation_rule_fkey foreign key (profile, rule) references profile_rule (profile, rule),
	constraint allegation_respondent_fkey
		foreign key (respondent_id, case_id) references party (party_id, case_id),
	constraint allegation_incident_fkey
		foreign key (incident_id, case_id) references incident (incident_id, case_id)
);

-- The respondent's hearing in one matter. Each change of its end (notice, extension, answer) is a row.
create table hearing (
	hearing_id uuid constraint hearing_pkey primary key,
	case_id uuid not null constraint hearing_case_fkey references case_file,
	proceeding_id uuid not null constraint hearing_proceeding_fkey references proceeding,
	notice_content uuid not null constraint hearing_notice_fkey references content,
	notice_lang text not null,
	notified_at timestamptz not null,
	served_at timestamptz,
	served_how text constraint hearing_served_how_known
		check (served_how in ('login', 'mail', 'talk_page', 'notice_page')),
	served_revision bigint,
	extension_asked_at timestamptz,
	constraint hearing_one_per_matter unique (proceeding_id),
	constraint hearing_matter_key unique (hearing_id, proceeding_id)
);

create table hearing_end (
	hearing_id uuid not null constraint hearing_end_hearing_fkey references hearing,
	nth integer not null constraint hearing_end_nth_counts check (nth >= 1),
	case_id uuid not null constraint hearing_end_case_fkey references case_file,
	cause text not null constraint hearing_end_cause_known
		check (cause in ('notice', 'extension', 'answer')),
	heard_until timestamptz not null,
	at timestamptz not null,
	constraint hearing_end_pkey primary key (hearing_id, nth),
	constraint hearing_end_until_key unique (hearing_id, nth, heard_until)
);

create table waiver (
	waiver_id uuid constraint waiver_pkey primary key,
	case_id uuid not null constraint waiver_case_fkey references case_file,
	proceeding_id uuid not null constraint waiver_proceeding_fkey references proceeding,
	kind text not null constraint waiver_kind_known
		check (kind in ('redacted', 'gist_only', 'postponed', 'unserved', 'none')),
	reason_content uuid not null constraint waiver_reason_fkey references content,
	first_person uuid not null constraint waiver_first_person_fkey references person,
	second_person uuid constraint waiver_second_person_fkey references person,
	at timestamptz not null,
	constraint waiver_matter_key unique (waiver_id, proceeding_id),
	constraint waiver_needs_two check (kind not in ('unserved', 'none')
		or (second_person is not null and first_person <> second_person))
);

-- Panels, ballots, votes -------------------------------------------------------------------------

create table panel (
	panel_id uuid constraint panel_pkey primary key,
	case_id uuid not null,
	proceeding_id uuid not null constraint panel_one_per_proceeding unique,
	instance integer not null,
	formed_at timestamptz not null,
	constraint panel_instance_key unique (panel_id, case_id, instance),
	constraint panel_proceeding_fkey foreign key (proceeding_id, case_id, instance)
		references proceeding (proceeding_id, case_id, instance)
);

create table panel_seat (
	panel_id uuid not null,
	case_id uuid not null,
	instance integer not null,
	principal_id uuid not null,
	person_id uuid not null constraint panel_seat_person_fkey references person,
	seated_at timestamptz not null,
	left_at timestamptz,
	constraint panel_seat_pkey primary key (panel_id, principal_id),
	constraint panel_seat_panel_fkey
		foreign key (panel_id, case_id, instance) references panel (panel_id, case_id, instance),
	constraint panel_seat_took_part_fkey
		foreign key (case_id, principal_id, instance)
		references took_part (case_id, principal_id, instance)
);

-- A ballot is what `proposal` names in the interface: a proposal of a matter, an acceptance, an
-- appeal's outcome. Quorum and rule are those of the body when it opened.
create table ballot (
	ballot_id uuid constraint ballot_pkey primary key,
	case_id uuid not null,
	proceeding_id uuid not null,
	proceeding_kind text not null,
	instance integer not null,
	event_seq integer not null,
	ballot_kind text not null,
	opened_in text not null,
	motion text not null constraint ballot_motion_known
		check (motion in ('accept', 'propose', 'accept_appeal', 'decide_appeal', 'remand', 'take_up')),
	drafter uuid not null constraint ballot_drafter_fkey references person,
	reasons_content uuid constraint ballot_reasons_fkey references content,
	rule jsonb not null,
	quorum integer not null constraint ballot_quorum_counts check (quorum >= 1),
	opened_at timestamptz not null,
	closed_at timestamptz,
	outcome text constraint ballot_outcome_known check (outcome in ('passed', 'failed', 'lapsed')),
	hearing_id uuid,
	hearing_nth integer,
	heard_until timestamptz,
	waiver_id uuid,
	propose_seq integer generated always as (case when motion = 'propose' then event_seq end) stored,
	constraint ballot_case_key unique (ballot_id, case_id),
	constraint ballot_instance_key unique (ballot_id, case_id, instance),
	constraint ballot_proceeding_key unique (ballot_id, proceeding_id),
	constraint ballot_propose_key unique (proceeding_id, propose_seq),
	constraint ballot_kind_fkey foreign key (ballot_kind, proceeding_kind, opened_in) references ballot_kind,
	constraint ballot_event_fkey foreign key (proceeding_id, event_seq)
		references event (proceeding_id, seq) deferrable initially deferred,
	constraint ballot_proceeding_fkey foreign key (proceeding_id, proceeding_kind, case_id)
		references proceeding (proceeding_id, kind, case_id),
	constraint ballot_instance_fkey foreign key (proceeding_id, case_id, instance)
		references proceeding (proceeding_id, case_id, instance),
	constraint ballot_is_closed_with_outcome check ((closed_at is null) = (outcome is null)),
	-- A proposal rests on a hearing that has ended, or on a waiver; nothing else does.
	constraint ballot_was_heard check (
		num_nonnulls(hearing_id, waiver_id) = case when motion = 'propose' then 1 else 0 end),
	constraint ballot_hearing_is_whole
		check (num_nonnulls(hearing_id, hearing_nth, heard_until) in (0, 3)),
	constraint ballot_hearing_has_ended check (heard_until <= opened_at),
	constraint ballot_hearing_fkey
		foreign key (hearing_id, hearing_nth, heard_until)
		references hearing_end (hearing_id, nth, heard_until),
	constraint ballot_hearing_matter_fkey
		foreign key (hearing_id, proceeding_id) references hearing (hearing_id, proceeding_id),
	constraint ballot_waiver_matter_fkey
		foreign key (waiver_id, proceeding_id) references waiver (waiver_id, proceeding_id)
);
create unique index ballot_one_open on ballot (proceeding_id) where closed_at is null;
alter table event add constraint event_proposal_fkey
	foreign key (proceeding_id, propose_seq) references ballot (proceeding_id, propose_seq)
	deferrable initially deferred;

create table ballot_item (
	ballot_id uuid not null,
	item integer not null constraint ballot_item_counts check (item >= 0),
	case_id uuid not null,
	kind text not null constraint ballot_item_kind_known
		check (kind in ('motion', 'principle', 'finding', 'sanction', 'outcome')),
	respondent_id uuid,
	allegation_id uuid,
	met text constraint ballot_item_met_known check (met in ('met', 'not_met', 'undetermined')),
	sanction text,
	scope jsonb,
	until_at timestamptz,
	outcome text constraint ballot_item_outcome_known
		check (outcome in ('ratified', 'modified', 'overturned')),
	on_decision uuid,
	on_item integer,
	evidence jsonb not null default '[]',
	text_content uuid constraint ballot_item_text_fkey references content,
	constraint ballot_item_pkey primary key (ballot_id, item),
	constraint ballot_item_ballot_fkey foreign key (ballot_id, case_id) references ballot (ballot_id, case_id),
	constraint ballot_item_finding_cites check ((kind = 'finding') = (met is not null)
		and (kind <> 'finding' or allegation_id is not null)),
	constraint ballot_item_sanction_names check (kind <> 'sanction'
		or (sanction is not null and respondent_id is not null)),
	constraint ballot_item_outcome_is_whole
		check (num_nonnulls(outcome, on_decision, on_item) = case when kind = 'outcome' then 3 else 0 end),
	constraint ballot_item_respondent_fkey
		foreign key (respondent_id, case_id) references party (party_id, case_id),
	constraint ballot_item_allegation_fkey
		foreign key (allegation_id, case_id) references allegation (allegation_id, case_id)
);

create table ballot_disposition (
	ballot_id uuid not null,
	case_id uuid not null,
	respondent_id uuid not null,
	disposition text not null constraint ballot_disposition_known
		check (disposition in ('no_violation', 'no_sanction', 'advised', 'sanction')),
	constraint ballot_disposition_pkey primary key (ballot_id, respondent_id),
	constraint ballot_disposition_ballot_fkey
		foreign key (ballot_id, case_id) references ballot (ballot_id, case_id),
	constraint ballot_disposition_respondent_fkey
		foreign key (respondent_id, case_id) references party (party_id, case_id)
);

-- Who may vote is fixed when voting opens.
create table ballot_voter (
	ballot_id uuid not null,
	case_id uuid not null,
	instance integer not null,
	principal_id uuid not null,
	person_id uuid not null constraint ballot_voter_person_fkey references person,
	recused_at timestamptz,
	constraint ballot_voter_pkey primary key (ballot_id, principal_id),
	constraint ballot_voter_ballot_fkey
		foreign key (ballot_id, case_id, instance) references ballot (ballot_id, case_id, instance)
);

-- Every change of a vote is kept; the highest seq of a voter and item counts.
create table vote (
	ballot_id uuid not null,
	item integer not null,
	principal_id uuid not null,
	seq integer not null constraint vote_seq_counts check (seq >= 1),
	case_id uuid not null,
	instance integer not null,
	vote text not null constraint vote_known check (vote in ('support', 'oppose', 'abstain', 'recuse')),
	reason_content uuid constraint vote_reason_fkey references content,
	at timestamptz not null,
	constraint vote_pkey primary key (ballot_id, item, principal_id, seq),
	constraint vote_item_fkey foreign key (ballot_id, item) references ballot_item (ballot_id, item),
	constraint vote_voter_fkey
		foreign key (ballot_id, principal_id) references ballot_voter (ballot_id, principal_id),
	constraint vote_ballot_fkey
		foreign key (ballot_id, case_id, instance) references ballot (ballot_id, case_id, instance),
	constraint vote_took_part_fkey foreign key (case_id, principal_id, instance)
		references took_part (case_id, principal_id, instance)
);

-- The count at closing, per item; recounted under the lock by a deferred trigger.
create table tally (
	ballot_id uuid not null,
	item integer not null,
	case_id uuid not null,
	active integer not null,
	voters integer not null,
	support integer not null,
	oppose integer not null,
	abstain integer not null,
	quorum integer not null,
	has_passed boolean not null,
	constraint tally_pkey primary key (ballot_id, item),
	constraint tally_item_fkey foreign key (ballot_id, item) references ballot_item (ballot_id, item),
	constraint tally_counts check (voters = support + oppose + abstain and voters <= active),
	constraint tally_passes_with_quorum check (not has_passed or voters >= quorum)
);

-- Decisions --------------------------------------------------------------------------------------

create table decision (
	decision_id uuid constraint decision_pkey primary key,
	case_id uuid not null,
	proceeding_id uuid not null,
	proceeding_kind text not null,
	event_seq integer not null,
	instance integer not null,
	body_id text not null constraint decision_body_fkey references body,
	kind text not null constraint decision_kind_known
		check (kind in ('decline', 'dismiss', 'decide', 'decide_appeal', 'record')),
	ballot_id uuid,
	decider uuid constraint decision_decider_fkey references person,
	second_person uuid constraint decision_second_person_fkey references person,
	voters integer not null,
	quorum integer not null,
	reason_code text constraint decision_reason_code_known check (reason_code in ('out_of_scope',
		'no_rule', 'insufficient', 'not_accepted', 'unidentified', 'withdrawn', 'bad_faith')),
	reasons_content uuid constraint decision_reasons_fkey references content,
	refer_to text,
	outcome text not null constraint decision_outcome_known check (outcome in ('declined', 'dismissed',
		'no_violation', 'no_sanction', 'advised', 'sanction', 'ratified', 'modified', 'overturned')),
	at timestamptz not null,
	constraint decision_case_key unique (decision_id, case_id),
	constraint decision_event_key unique (proceeding_id, event_seq),
	constraint decision_event_fkey foreign key (proceeding_id, event_seq)
		references event (proceeding_id, seq) deferrable initially deferred,
	constraint decision_proceeding_fkey foreign key (proceeding_id, proceeding_kind, case_id)
		references proceeding (proceeding_id, kind, case_id),
	constraint decision_ballot_fkey
		foreign key (ballot_id, case_id) references ballot (ballot_id, case_id),
	-- A single decider is a quorum of one: deciding is the vote.
	constraint decision_has_quorum check (voters >= quorum and quorum >= 1),
	constraint decision_two_are_two check (decider <> second_person),
	constraint decision_of_a_vote_has_a_ballot check (kind not in ('decide', 'decide_appeal')
		or ballot_id is not null),
	constraint decision_turns_down_with_reason check (kind not in ('decline', 'dismiss')
		or reason_code is not null)
);
create index decision_case on decision (case_id);
alter table event add constraint event_decision_fkey
	foreign key (proceeding_id, decision_seq) references decision (proceeding_id, event_seq)
	deferrable initially deferred;

create table decision_item (
	decision_id uuid not null,
	item integer not null constraint decision_item_counts check (item >= 1),
	case_id uuid not null,
	kind text not null constraint decision_item_kind_known
		check (kind in ('principle', 'finding', 'sanction', 'outcome', 'dismissal')),
	respondent_id uuid,
	allegation_id uuid,
	met text,
	sanction text,
	scope jsonb,
	until_at timestamptz,
	outcome text,
	on_decision uuid,
	on_item integer,
	has_passed boolean not null,
	text_content uuid constraint decision_item_text_fkey references content,
	constraint decision_item_pkey primary key (decision_id, item),
	constraint decision_item_decision_fkey
		foreign key (decision_id, case_id) references decision (decision_id, case_id),
	constraint decision_item_on_fkey
		foreign key (on_decision, on_item) references decision_item (decision_id, item)
);

-- What an appeal is against: items of one decision.
create table appeal_item (
	proceeding_id uuid not null constraint appeal_item_proceeding_fkey references proceeding,
	case_id uuid not null,
	decision_id uuid not null,
	item integer not null,
	constraint appeal_item_pkey primary key (proceeding_id, decision_id, item),
	constraint appeal_item_item_fkey
		foreign key (decision_id, item) references decision_item (decision_id, item)
);

create table appeal_claim (
	proceeding_id uuid constraint appeal_claim_pkey primary key
		constraint appeal_claim_proceeding_fkey references proceeding,
	case_id uuid not null,
	grounds text[] not null constraint appeal_claim_grounds_known check (
		cardinality(grounds) >= 1 and grounds <@ array['factual_error', 'policy_misapplied',
			'new_information', 'disproportionate', 'procedure_or_conflict', 'out_of_scope']),
	reasons_content uuid not null constraint appeal_claim_reasons_fkey references content
);

-- The disposition in force of a respondent, one per matter.
create table disposition (
	proceeding_id uuid constraint disposition_pkey primary key
		constraint disposition_proceeding_fkey references proceeding,
	case_id uuid not null,
	respondent_id uuid not null,
	disposition text not null constraint disposition_known check (disposition in ('dismissed',
		'no_violation', 'no_sanction', 'advised', 'sanction', 'settled')),
	decision_id uuid constraint disposition_decision_fkey references decision,
	at timestamptz not null
);

create table sanction (
	sanction_id uuid constraint sanction_pkey primary key,
	case_id uuid not null,
	decision_id uuid not null,
	item integer not null,
	respondent_id uuid not null,
	kind text not null,
	scope jsonb,
	from_at timestamptz not null,
	until_at timestamptz,
	standing text not null constraint sanction_standing_known
		check (standing in ('active', 'expired', 'lifted', 'superseded', 'stayed')),
	constraint sanction_item_fkey
		foreign key (decision_id, item) references decision_item (decision_id, item),
	constraint sanction_respondent_fkey
		foreign key (respondent_id, case_id) references party (party_id, case_id)
);
create index sanction_respondent on sanction (respondent_id) where standing = 'active';
create index sanction_case on sanction (case_id);
create index sanction_until on sanction (until_at) where standing = 'active';

-- A decision as one party was told it; the appeal window runs from service.
create table decision_notice (
	decision_id uuid not null,
	party_id uuid not null,
	case_id uuid not null,
	text_content uuid constraint decision_notice_text_fkey references content,
	lang text not null,
	made_at timestamptz not null,
	served_at timestamptz not null,
	appeal_until timestamptz,
	constraint decision_notice_pkey primary key (decision_id, party_id),
	constraint decision_notice_decision_fkey
		foreign key (decision_id, case_id) references decision (decision_id, case_id),
	constraint decision_notice_party_fkey
		foreign key (party_id, case_id) references party (party_id, case_id)
);

-- Conversation, time, work -----------------------------------------------------------------------

create table message (
	message_id uuid constraint message_pkey primary key,
	case_id uuid not null constraint message_case_fkey references case_file,
	channel text not null constraint message_channel_known
		check (channel in ('reporter', 'respondent', 'witness', 'internal')),
	party_id uuid,
	author_person uuid constraint message_author_person_fkey references person,
	author_party uuid,
	text_content uuid not null constraint message_text_fkey references content,
	at timestamptz not null,
	constraint message_party_fkey foreign key (party_id, case_id) references party (party_id, case_id),
	constraint message_channel_has_its_party check ((channel = 'internal') = (party_id is null)),
	constraint message_has_one_author check (num_nonnulls(author_person, author_party) <= 1)
);
create index message_channel on message (case_id, channel, party_id, at, message_id);

create table deadline (
	deadline_id uuid constraint deadline_pkey primary key,
	case_id uuid not null constraint deadline_case_fkey references case_file,
	proceeding_id uuid constraint deadline_proceeding_fkey references proceeding,
	what text not null,
	party_id uuid,
	due_at timestamptz not null,
	met_at timestamptz,
	overdue_at timestamptz,
	is_void boolean not null default false
);
create index deadline_case on deadline (case_id);
create index deadline_due on deadline (due_at) where met_at is null and overdue_at is null and not is_void;

-- One row per body that owes an act (is_open) or once did: what queue and access read.
create table docket (
	case_id uuid not null constraint docket_case_fkey references case_file,
	body_id text not null constraint docket_body_fkey references body,
	rank integer not null,
	due_at timestamptz not null,
	is_open boolean not null,
	stage text not null,
	state text not null,
	lane text not null,
	wiki text,
	constraint docket_pkey primary key (case_id, body_id)
);
create index docket_body_queue on docket (body_id, rank, due_at, case_id)
	include (stage, state, lane, wiki) where is_open;
create index docket_queue on docket (rank, due_at, case_id)
	include (body_id, stage, state, lane, wiki) where is_open;
create index docket_body_done on docket (body_id, rank, due_at, case_id)
	include (stage, state, lane, wiki) where not is_open;

-- The first of two people on an act that needs two.
create table pending_act (
	pending_id uuid constraint pending_act_pkey primary key,
	case_id uuid not null constraint pending_act_case_fkey references case_file,
	proceeding_id uuid not null constraint pending_act_proceeding_fkey references proceeding,
	action text not null,
	first_person uuid not null constraint pending_act_first_person_fkey references person,
	args_hash bytea not null,
	args jsonb not null,
	revision integer not null,
	at timestamptz not null,
	done_at timestamptz
);
create index pending_act_case on pending_act (case_id);

create table outbox (
	outbox_id uuid constraint outbox_pkey primary key,
	case_id uuid constraint outbox_case_fkey references case_file,
	kind text not null,
	facts jsonb not null,
	at timestamptz not null
);
create index outbox_at on outbox (at);

-- Only committed successes are stored. A replay writes (`replays`), so that it is never acknowledged
-- before the row it repeats is durable.
create table idempotency (
	scope bytea constraint idempotency_pkey primary key
		constraint idempotency_scope_is_sha256 check (octet_length(scope) = 32),
	body_mac bytea not null,
	status integer not null,
	answer jsonb not null,
	case_id uuid constraint idempotency_case_fkey references case_file,
	sealed_receipt bytea,
	at timestamptz not null,
	replays integer not null default 0
);
create index idempotency_at on idempotency (at);

reset role;
reset search_path;
