-- A case file and its chain of proceedings. An illegal history cannot be stored: event references
-- transition, event references the event before it, an effect references its cause, and the head of a
-- proceeding references its last event (deferred).

set role conduct_owner;
set search_path = conduct, pg_catalog;

create table case_file (
	case_id uuid constraint case_file_pkey primary key,
	unit_id uuid not null constraint case_file_unit_fkey references unit,
	kind text not null constraint case_file_kind_known
		check (kind in ('conduct', 'welfare', 'systemic', 'sanction_breach')),
	revision integer not null default 0 constraint case_file_revision_counts check (revision >= 0),
	lane text not null constraint case_file_lane_known check (lane in ('standard', 'emergency')),
	privacy text not null constraint case_file_privacy_known
		check (privacy in ('parties', 'handlers', 'restricted')),
	severity text constraint case_file_severity_known check (severity in ('S1', 'S2', 'S3', 'S4')),
	wiki text,
	lang text not null,
	profile text not null constraint case_file_profile_fkey references profile,
	procedure_version text not null constraint case_file_procedure_fkey references policy_set,
	submitted_at timestamptz not null,
	closed_at timestamptz,
	merged_into uuid constraint case_file_merged_into_fkey references case_file
);

-- A party is matched by index, never by text. A name is content; `is_unresolved` means that only a
-- name or a description is known.
create table party (
	party_id uuid constraint party_pkey primary key,
	case_id uuid not null constraint party_case_fkey references case_file,
	seq integer not null,
	role text not null constraint party_role_known
		check (role in ('reporter', 'target', 'respondent', 'witness', 'person_at_risk')),
	kind text not null constraint party_kind_known
		check (kind in ('account', 'temporary', 'unknown', 'off_wiki', 'body', 'anonymous')),
	identity text not null default 'named' constraint party_identity_known
		check (identity in ('named', 'sealed', 'anonymous')),
	id_ix bytea constraint party_id_ix_is_hmac check (octet_length(id_ix) = 32),
	name_ix bytea constraint party_name_ix_is_hmac check (octet_length(name_ix) = 32),
	skeleton_ix bytea constraint party_skeleton_ix_is_hmac check (octet_length(skeleton_ix) = 32),
	body_id text constraint party_body_fkey references body,
	name_content uuid constraint party_name_fkey references content,
	added_at timestamptz not null,
	notified_at timestamptz,
	withdrew_at timestamptz,
	constraint party_case_key unique (party_id, case_id),
	constraint party_seq_key unique (case_id, seq)
);
create index party_id_ix on party (id_ix) where id_ix is not null;
create index party_name_ix on party (name_ix) where name_ix is not null;

create table report (
	report_id uuid constraint report_pkey primary key,
	case_id uuid not null,
	unit_id uuid not null constraint report_unit_fkey references unit,
	reporter_id uuid not null,
	wiki text,
	lang text not null,
	lane text not null,
	category text,
	harm_type text constraint report_harm_type_known
		check (harm_type in ('physical_harm', 'self_harm', 'public_harm')),
	minor_at_risk boolean not null,
	about_functionary text not null constraint report_about_functionary_known
		check (about_functionary in ('yes', 'no', 'unsure')),
	publish_after boolean not null,
	is_unverified boolean not null default false,
	details_content uuid not null constraint report_details_fkey references content,
	harmed_content uuid constraint report_harmed_fkey references content,
	extra_content uuid constraint report_extra_fkey references content,
	contact_content uuid constraint report_contact_fkey references content,
	contain text[] not null default '{}',
	policy_version text not null constraint report_policy_fkey references policy_set,
	submitted_at timestamptz not null,
	-- The party's case is the report's: no key to case_file of its own.
	constraint report_reporter_fkey foreign key (reporter_id, case_id) references party (party_id, case_id)
);
create index report_case on report (case_id);

create table incident (
	incident_id uuid constraint incident_pkey primary key,
	case_id uuid not null constraint incident_case_fkey references case_file,
	report_id uuid not null constraint incident_report_fkey references report,
	seq integer not null,
	venue text not null constraint incident_venue_known
		check (venue in ('on_wiki', 'technical_space', 'event', 'off_wiki', 'private_message')),
	wiki text,
	page_content uuid constraint incident_page_fkey references content,
	thread_content uuid constraint incident_thread_fkey references content,
	url_content uuid constraint incident_url_fkey references content,
	revision bigint,
	from_at timestamptz,
	to_at timestamptz,
	constraint incident_case_key unique (incident_id, case_id),
	constraint incident_seq_key unique (case_id, seq)
);

-- A receipt opens one party's channel. Only a hash of it stands here.
create table receipt (
	receipt_hash bytea constraint receipt_pkey primary key
		constraint receipt_hash_is_sha256 check (octet_length(receipt_hash) = 32),
	case_id uuid not null,
	party_id uuid not null,
	made_at timestamptz not null,
	constraint receipt_party_fkey foreign key (party_id, case_id) references party (party_id, case_id)
);
create index receipt_party on receipt (party_id);

-- Proceedings ------------------------------------------------------------------------------------

create table proceeding (
	proceeding_id uuid constraint proceeding_pkey primary key,
	case_id uuid not null constraint proceeding_case_fkey references case_file,
	kind text not null,
	respondent_id uuid,
	round integer not null constraint proceeding_round_counts check (round >= 1),
	instance integer not null constraint proceeding_instance_counts check (instance >= 1),
	nth integer not null default 1 constraint proceeding_nth_counts check (nth >= 1),
	body_id text not null constraint proceeding_body_fkey references body,
	appellant_id uuid,
	against_id uuid,
	against_seq integer,
	opened_by text not null,
	is_reconsideration boolean not null default false,
	version integer not null constraint proceeding_version_counts check (version >= 1),
	state text not null,
	opened_at timestamptz not null,
	state_at timestamptz not null,
	constraint proceeding_kind_key unique (proceeding_id, kind, case_id),
	constraint proceeding_instance_key unique (proceeding_id, case_id, instance),
	constraint proceeding_state_fkey foreign key (kind, state) references state (kind, state),
	constraint proceeding_respondent_fkey
		foreign key (respondent_id, case_id) references party (party_id, case_id),
	constraint proceeding_appellant_fkey
		foreign key (appellant_id, case_id) references party (party_id, case_id),
	constraint proceeding_shape check (case kind
		when 'intake' then num_nonnulls(respondent_id, appellant_id, against_id, against_seq) = 0
		when 'matter' then respondent_id is not null
			and num_nonnulls(appellant_id, against_id, against_seq) = 0
		else num_nonnulls(appellant_id, against_id, against_seq) = 3 end),
	-- One appeal per object, appellant and n-th.
	constraint proceeding_one_appeal unique (against_id, against_seq, appellant_id, nth)
);
create index proceeding_case on proceeding (case_id);
create index proceeding_decided on proceeding (state_at)
	where kind = 'matter' and state in ('resolved', 'dismissed');
create unique index proceeding_one_intake on proceeding (case_id)
	where kind = 'intake' and state in ('received', 'triage', 'escalated', 'accepted');
create unique index proceeding_one_live_matter on proceeding (case_id, respondent_id)
	where kind = 'matter' and state not in ('final', 'joined');
create unique index proceeding_one_round on proceeding
	(case_id, kind, coalesce(respondent_id, '00000000-0000-0000-0000-000000000000'), round)
	where kind <> 'appeal';
-- A remand is once per respondent and case, on the round it opens.
create unique index proceeding_one_remand on proceeding
	(case_id, kind, coalesce(respondent_id, '00000000-0000-0000-0000-000000000000'))
	where opened_by = 'remand';

create table event (
	proceeding_id uuid not null,
	kind text not null,
	seq integer not null constraint event_seq_counts check (seq >= 1),
	previous_seq integer generated always as (nullif(seq - 1, 0)) stored,
	from_state text not null,
	action text not null,
	to_state text not null,
	role text not null,
	moves boolean not null,
	needs_cause boolean not null,
	case_id uuid not null,
	act_id uuid not null,
	revision integer not null,
	actor_person uuid constraint event_actor_person_fkey references person,
	actor_party uuid,
	reason_content uuid constraint event_reason_fkey references content,
	facts jsonb not null default '{}',
	at timestamptz not null,
	cause_id uuid,
	cause_seq integer,
	cause_kind text,
	cause_action text,
	-- What an act must have beside it, as reverse foreign keys (0003).
	propose_seq integer generated always as (case when action = 'propose' then seq end) stored,
	decision_seq integer generated always as (case
		when action in ('decide', 'decline', 'decide_appeal') then seq
		when kind = 'matter' and action in ('dismiss', 'record') then seq end) stored,
	constraint event_pkey primary key (proceeding_id, seq),
	constraint event_to_state_key unique (proceeding_id, seq, to_state),
	constraint event_cause_key unique (proceeding_id, seq, kind, action, case_id),
	constraint event_first_is_new check ((seq = 1) = (from_state = 'new')),
	constraint event_has_its_cause check (
		num_nonnulls(cause_id, cause_seq, cause_kind, cause_action)
			= case when needs_cause then 4 else 0 end),
	constraint event_has_one_actor check (num_nonnulls(actor_person, actor_party) <= 1),
	constraint event_system_has_no_actor
		check (role <> 'system' or num_nonnulls(actor_person, actor_party) = 0),
	constraint event_transition_fkey
		foreign key (kind, from_state, action, to_state, role, moves, needs_cause)
		references transition (kind, from_state, action, to_state, role, moves, needs_cause),
	constraint event_transition_cause_fkey
		foreign key (kind, from_state, action, to_state, cause_kind, cause_action)
		references transition_cause,
	constraint event_chain_fkey
		foreign key (proceeding_id, previous_seq, from_state) references event (proceeding_id, seq, to_state),
	constraint event_cause_fkey
		foreign key (cause_id, cause_seq, cause_kind, cause_action, case_id)
		references event (proceeding_id, seq, kind, action, case_id) deferrable initially deferred,
	constraint event_proceeding_fkey
		foreign key (proceeding_id, kind, case_id)
		references proceeding (proceeding_id, kind, case_id) deferrable initially deferred,
	constraint event_actor_party_fkey
		foreign key (actor_party, case_id) references party (party_id, case_id)
);
create index event_case on event (case_id, at);
create index event_cause on event (cause_id, cause_seq) where cause_id is not null;

alter table proceeding add constraint proceeding_head_fkey
	foreign key (proceeding_id, version, state) references event (proceeding_id, seq, to_state)
	deferrable initially deferred;
alter table proceeding add constraint proceeding_against_fkey
	foreign key (against_id, against_seq) references event (proceeding_id, seq);

reset role;
reset search_path;
