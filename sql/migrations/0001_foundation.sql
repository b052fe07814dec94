-- Schemas, the clock, words, people, the published policy: what a case stands on.

create schema if not exists conduct authorization conduct_owner;
create schema if not exists conduct_gate authorization conduct_gate;
revoke all on schema conduct, conduct_gate from public;
grant usage on schema conduct to conduct_gate, conduct_handler, conduct_party, conduct_intake,
	conduct_timer, conduct_stats, conduct_admin, conduct_migrate, conduct_backup;
grant usage on schema conduct_gate to conduct_owner, conduct_handler, conduct_party, conduct_intake,
	conduct_timer, conduct_stats, conduct_admin;
alter default privileges for role conduct_owner revoke execute on functions from public;
alter default privileges for role conduct_gate revoke execute on functions from public;
alter default privileges for role conduct_migrate revoke execute on functions from public;
-- The gate reads everything: it answers the questions of predicates and constraints.
alter default privileges for role conduct_owner in schema conduct grant select on tables to conduct_gate;
alter default privileges for role conduct_owner in schema conduct grant select on tables to conduct_backup;
alter default privileges for role conduct_owner in schema conduct
	grant select, insert, update, delete on tables to conduct_migrate;

set role conduct_owner;
set search_path = conduct, pg_catalog;

-- Time -------------------------------------------------------------------------------------------

-- Every function reads time through conduct.clock(); only the migrate role may shift it, and the
-- daemon refuses a shifted clock unless its only issuer is the demo issuer.
create table clock_offset (
	only_row boolean constraint clock_offset_pkey primary key default true
		constraint clock_offset_is_one_row check (only_row),
	shift_seconds bigint not null default 0
);
insert into clock_offset default values;

-- Words ------------------------------------------------------------------------------------------

-- A key unit: whatever is erased together. Reports, case files, reporter identities and persons own
-- one each.
create table unit (
	unit_id uuid constraint unit_pkey primary key,
	kind text not null constraint unit_kind_known
		check (kind in ('report', 'case_file', 'identity', 'person')),
	made_at timestamptz not null
);

-- All words and names of people. Written and read by C alone; SQL never looks inside `body`.
create table content (
	content_id uuid constraint content_pkey primary key,
	unit_id uuid not null constraint content_unit_fkey references unit,
	kind text not null constraint content_kind_is_short check (octet_length(kind) between 1 and 40),
	body bytea not null constraint content_body_is_bounded check (octet_length(body) <= 131072)
);
create index content_unit on content (unit_id);

-- People -----------------------------------------------------------------------------------------

-- A principal is the cluster of linked accounts: the unit of recusal and of `took_part`.
create table principal (
	principal_id uuid constraint principal_pkey primary key
);

create table person (
	person_id uuid constraint person_pkey primary key,
	principal_id uuid not null constraint person_principal_fkey references principal,
	unit_id uuid not null constraint person_unit_fkey references unit,
	seen_at timestamptz not null
);
create index person_principal on person (principal_id);

-- id_ix = HMAC of (issuer, scope, central id); name_ix = HMAC of (scope, normalised name);
-- skeleton_ix = HMAC of the folded name. No name and no id stands here in clear.
create table person_account (
	id_ix bytea constraint person_account_pkey primary key
		constraint person_account_id_ix_is_hmac check (octet_length(id_ix) = 32),
	name_ix bytea not null constraint person_account_name_ix_is_hmac check (octet_length(name_ix) = 32),
	skeleton_ix bytea not null
		constraint person_account_skeleton_ix_is_hmac check (octet_length(skeleton_ix) = 32),
	person_id uuid not null constraint person_account_person_fkey references person,
	home_wiki text,
	name_content uuid not null constraint person_account_name_fkey references content
);
create index person_account_person on person_account (person_id);
create index person_account_name on person_account (name_ix);
create index person_account_skeleton on person_account (skeleton_ix);

-- Policy -----------------------------------------------------------------------------------------

create table profile (
	profile text constraint profile_pkey primary key,
	procedure jsonb not null,
	categories jsonb not null,
	sanctions jsonb not null,
	-- Which body gets what matter, as the layers of these wikis have it.
	routes jsonb not null
);

create table policy_set (
	policy_version text constraint policy_set_pkey primary key
		constraint policy_set_version_is_sha256 check (policy_version ~ '^[0-9a-f]{64}$'),
	revision integer not null constraint policy_set_revision_is_new unique
		constraint policy_set_revision_is_positive check (revision > 0),
	canonical text not null,
	routes jsonb not null,
	-- What holds where no wiki is named.
	base_profile text not null constraint policy_set_base_profile_fkey references profile,
	published_at timestamptz not null
);

create table profile_rule (
	profile text not null constraint profile_rule_profile_fkey references profile,
	rule text not null,
	section text not null,
	kind text not null constraint profile_rule_kind_known check (kind in ('expected', 'unacceptable')),
	severity_floor text,
	privacy_floor text,
	route text,
	allows_mediation boolean not null,
	constraint profile_rule_pkey primary key (profile, rule)
);

-- What the rules of a category come to, reckoned once when the profile is published.
create table profile_category (
	profile text not null constraint profile_category_profile_fkey references profile,
	category text not null,
	harm_type text,
	rules text[] not null,
	severity_floor text,
	privacy_floor text,
	is_emergency boolean not null,
	routes jsonb not null,
	sections jsonb not null,
	constraint profile_category_pkey primary key (profile, category)
);

create table body (
	body_id text constraint body_pkey primary key,
	kind text not null,
	level text not null constraint body_level_known
		check (level in ('wiki', 'group', 'region', 'global', 'special')),
	jurisdiction text not null,
	role text not null,
	high_level boolean not null,
	is_external boolean not null,
	decides text not null constraint body_decides_known check (decides in ('single', 'panel')),
	panel_size integer not null,
	quorum jsonb not null,
	accept_rule jsonb not null,
	decide_rule jsonb not null,
	up_body_id text,
	appeal_body_id text,
	alternates text[] not null,
	policy_version text not null constraint body_set_fkey references policy_set
);

create table policy_wiki (
	policy_version text not null constraint policy_wiki_set_fkey references policy_set,
	wiki text not null,
	profile text not null constraint policy_wiki_profile_fkey references profile,
	lang text not null,
	status text not null,
	regions text[] not null,
	group_id text,
	body_id text constraint policy_wiki_body_fkey references body deferrable initially deferred,
	appeal_body_id text constraint policy_wiki_appeal_body_fkey references body deferrable initially deferred,
	constraint policy_wiki_pkey primary key (policy_version, wiki)
);

-- Roles are granted per body and end; a grant is ended, never deleted.
create table role_grant (
	grant_id uuid constraint role_grant_pkey primary key,
	person_id uuid not null constraint role_grant_person_fkey references person,
	role text not null constraint role_grant_role_known check (role in (
		'functionary', 'oversighter', 'clerk', 'mediator', 'translator', 'arbitrator', 'steward',
		'u4c_member', 'u4c_nonvoting', 'ts_staff', 'legal', 'event_coordinator', 'crc_member',
		'auditor', 'ombud', 'policy_maintainer', 'admin')),
	body_id text constraint role_grant_body_fkey references body,
	from_at timestamptz not null,
	until_at timestamptz not null,
	granted_by uuid constraint role_grant_granted_by_fkey references person,
	granted_at timestamptz not null,
	ended_at timestamptz,
	ended_by uuid constraint role_grant_ended_by_fkey references person,
	constraint role_grant_term_is_forward check (from_at < until_at)
);
create index role_grant_person on role_grant (person_id, body_id, role);
create index role_grant_body on role_grant (body_id, role);

-- The procedure as data --------------------------------------------------------------------------

create table state (
	kind text not null constraint state_kind_known check (kind in ('intake', 'matter', 'appeal')),
	state text constraint state_pkey primary key,
	class text not null constraint state_class_known check (class in ('open', 'decided', 'ended')),
	constraint state_kind_key unique (kind, state)
);

create table transition (
	kind text not null,
	from_state text not null,
	action text not null,
	to_state text not null,
	role text not null,
	moves boolean not null,
	needs_cause boolean not null,
	comment text not null,
	in_force boolean not null default true,
	constraint transition_pkey primary key (kind, from_state, action, to_state, role),
	constraint transition_event_key
		unique (kind, from_state, action, to_state, role, moves, needs_cause),
	constraint transition_to_state_fkey foreign key (kind, to_state) references state (kind, state),
	constraint transition_moves_or_stays check (moves or from_state = to_state)
);

create table transition_cause (
	kind text not null,
	from_state text not null,
	action text not null,
	to_state text not null,
	cause_kind text not null,
	cause_action text not null,
	constraint transition_cause_pkey
		primary key (kind, from_state, action, to_state, cause_kind, cause_action)
);

-- Every guard is a row that says what implements it: a constraint, a trigger or a function.
create table guard (
	guard text constraint guard_pkey primary key,
	implemented_by text not null,
	meaning text not null
);

create table transition_guard (
	kind text not null,
	action text not null,
	guard text not null constraint transition_guard_guard_fkey references guard,
	constraint transition_guard_pkey primary key (kind, action, guard)
);

-- In which state which kind of ballot may be open.
create table ballot_kind (
	ballot_kind text not null,
	proceeding_kind text not null,
	state text not null,
	constraint ballot_kind_pkey primary key (ballot_kind, proceeding_kind, state),
	constraint ballot_kind_state_fkey foreign key (proceeding_kind, state) references state (kind, state)
);

reset role;
reset search_path;
