// The procedure over HTTP: every row of the transition table is reached and does what the row says, and
// every action from every other state is refused, with the case unchanged to the last row.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readTransitions } from '../lint/procedure.mjs';
import { assertProblem, call, expectCall, moveClock, people, query, reportBody, rowsOf, runTimers } from '../harness/api.mjs';
import { acceptance, appeal, appealBody, appeals, arbitrators, carry, drivers, functionaries, hear, heard, intake,
	judged, judgment, matter, moved, notice, notices, outcomes, pass, personOf, personsOf, proposed, putToVote,
	reported, states, turnDown, unknownId } from '../harness/cases.mjs';

const rows = readTransitions(readFileSync(new URL('../../sql/data/transitions.sql', import.meta.url), 'utf8'));
const name = row => `${row.kind}: ${row.from} ${row.action} → ${row.moves ? row.to : '–'}`;
const legalNames = new Set(rows.map(name));

// Legal -------------------------------------------------------------------------------------------

async function eventsOf(proceeding) {
	return query(`select seq, from_state, action, to_state, role, revision, coalesce(cause_action, '')
		from conduct.event where proceeding_id = '${proceeding}' order by seq`);
}

// Which roles were seen to act, by row.
const acted = new Set();

/** Runs an act on a proceeding and compares what it did with the row. Returns what the act returned. */
async function does(c, proceeding, action, role, act, to) {
	const [[kind, from]] = await query(`select kind, state from conduct.proceeding where proceeding_id = '${proceeding}'`);
	const row = rows.find(r => r.kind === kind && r.from === from && r.action === action && r.role === role
		&& (!to || r.to === to));
	assert.ok(row, `no row ${kind} ${from} ${action} by ${role}`);
	const before = await eventsOf(proceeding);
	const revision = await c.revision();
	const answer = await act();
	const after = await eventsOf(proceeding);
	assert.equal(await c.stateOf(proceeding), row.to);
	assert.equal(await c.revision(), revision + (row.moves ? 1 : 0));
	assert.equal(after.length, before.length + 1, 'one event');
	const last = after.at(-1);
	assert.deepEqual(last.slice(1, 5), [from, action, row.to, role]);
	acted.add(`${kind} ${from} ${action} ${role}`);
	assert.equal(Number(last[5]), revision + (row.moves ? 1 : 0), 'the event has the revision');
	if (answer?.revision !== undefined) {
		assert.equal(answer.revision, revision + (row.moves ? 1 : 0), 'the answer has the revision');
		const seen = answer.proceedings.find(p => p.id === proceeding);
		assert.equal(seen?.state, row.to, 'the answer shows the state');
	}
	return answer;
}

/** A proceeding was opened by an act, for a cause in that act. */
async function opened(c, kind, action, to, causeAction) {
	const found = await query(`select p.proceeding_id, e.role from conduct.proceeding p
		join conduct.event e on e.proceeding_id = p.proceeding_id and e.seq = 1
		where p.case_id = '${c.id}' and p.kind = '${kind}' and e.action = '${action}' and e.to_state = '${to}'
			and coalesce(e.cause_action, '') = '${causeAction ?? ''}'
			and (e.cause_id is null or e.action = 'appeal' or exists (select from conduct.event cause
				where cause.proceeding_id = e.cause_id and cause.seq = e.cause_seq and cause.act_id = e.act_id))`);
	assert.equal(found.length, 1, `${kind} new ${action} → ${to}: ${JSON.stringify(await c.state())}`);
	acted.add(`${kind} new ${action} ${found[0][1]}`);
	return found[0][0];
}

const assignment = async who => ({ person: await personOf(who) });

/** A declined report whose reporter appeals, before the committee. */
async function declinedAppeal() {
	const { c } = await intake.declined();
	const proceeding = await appeal(c, 'reporter');
	await hear(c, proceeding);
	return { c, proceeding };
}

/** The same once remanded, declined again by others, appealed again: the remand is spent. */
async function declinedTwice() {
	const { c, proceeding } = await declinedAppeal();
	const proposal = await moved(c, proceeding, 'remand');
	pass('31d');
	await c.act('arbitrator1', 'remand', { reason: 'Look again.', proposal });
	await c.act('functionary2', 'decline', turnDown());
	const second = await appeal(c, 'reporter');
	await hear(c, second);
	return { c, proceeding: second };
}

/** A matter resolved, remanded, resolved again by others, appealed again. */
async function resolvedTwice() {
	const { c } = await appeals.appeal_remanded();
	const respondent = await c.party('respondent');
	await heard(c, respondent, 'respondent', 'functionary2');
	await c.act('functionary2', 'propose', await proposed(c));
	const again = await c.proceeding('matter');
	await c.act('functionary2', 'decide', await notices(c, await c.proposal(again)));
	const proceeding = await appeal(c);
	await hear(c, proceeding);
	return { c, proceeding };
}

async function panelIntake() {
	const { c, proceeding } = await intake.triage();
	await c.act('functionary', 'form_panel', { members: await personsOf(functionaries.slice(0, 3)), proceedings: [proceeding] });
	return { c, proceeding };
}

async function votingIntake() {
	const { c, proceeding } = await panelIntake();
	await putToVote(c, 'functionary', 'accept', proceeding);
	return { c, proceeding, proposal: await c.proposal(proceeding) };
}

async function votingAppeal(state) {
	const { c, proceeding } = await appeals[state]();
	if (state === 'appeal_filed') {
		await c.act('arbitrator1', 'form_panel', { members: await personsOf(arbitrators), proceedings: [proceeding] });
		await putToVote(c, 'arbitrator1', 'accept_appeal', proceeding);
	} else {
		await putToVote(c, 'arbitrator1', 'remand', proceeding);
	}
	return { c, proceeding, proposal: await c.proposal(proceeding) };
}

/** What the Foundation did goes back to other two of its staff: the committee that reviews it has said so. */
async function officeMatter() {
	const reviewers = functionaries.slice(1);
	for (const [who, role, body] of [...reviewers.map(name => [name, 'crc_member', 'crc']), ['steward', 'ts_staff', 'ts'], ['oversighter', 'ts_staff', 'ts']]) {
		await expectCall(201, 'admin', 'POST', '/v1/admin/grants', { body: { person: { user: people[who].user }, role, body, until: '2098-01-01T00:00:00Z' } });
	}
	const { c } = await intake.handed_over('acted');
	const review = await appeal(c, 'reporter');
	await c.act('functionary2', 'form_panel', { members: await personsOf(reviewers), proceedings: [review] });
	await putToVote(c, 'functionary2', 'accept_appeal', review);
	await c.act('functionary2', 'accept_appeal', { proposal: await carry(c, review, reviewers), proceedings: [review] });
	await putToVote(c, 'functionary2', 'remand', review);
	const proposal = await carry(c, review, reviewers);
	pass('184d');
	await c.act('functionary2', 'remand', { reason: 'Hear him first.', proposal });
	await heard(c, await c.party('respondent'), 'respondent', 'steward');
	await c.act('steward', 'propose', await proposed(c, { sanction: 'office-action' }));
	return { c, proceeding: await c.proceeding('matter') };
}

/** Ends every grant that is not of the demo itself. */
async function endGrants() {
	for (const [id] of await query('select grant_id from conduct.role_grant where ended_at is null and granted_by is not null')) {
		await expectCall(204, 'admin', 'DELETE', `/v1/admin/grants/${id}`);
	}
}

const escalation = { to: 'ts', reason: 'A matter for the Foundation.' };
const emergency = () => reported({ lane: 'emergency', harm_type: 'physical_harm' });

const legal = {
	'intake: new submit → received': async () => {
		const c = await reported();
		await opened(c, 'intake', 'submit', 'received');
		assert.equal(await c.revision(), 1);
	},
	'intake: new remand → triage': async () => {
		const { c, proceeding } = await declinedAppeal();
		const proposal = await moved(c, proceeding, 'remand');
		pass('31d');
		await does(c, proceeding, 'remand', 'panel', () => c.act('arbitrator1', 'remand', { reason: 'Look again.', proposal }));
		await opened(c, 'intake', 'remand', 'triage', 'remand');
	},
	'intake: new take_up → accepted': async () => {
		const { c, proceeding } = await declinedTwice();
		const proposal = await moved(c, proceeding, 'take_up');
		pass('31d');
		await does(c, proceeding, 'take_up', 'panel', () => c.act('arbitrator1', 'take_up', { reason: 'We go on.', proposal }));
		await opened(c, 'intake', 'take_up', 'accepted', 'take_up');
		assert.ok(await c.proceeding('matter'), 'what is accepted has a matter');
	},
	'intake: received claim → triage': async () => {
		const { c, proceeding } = await intake.received();
		await does(c, proceeding, 'claim', 'functionary', () => c.act('functionary', 'claim'));
	},
	'intake: received escalate → escalated': async () => {
		const { c, proceeding } = await intake.received();
		await does(c, proceeding, 'escalate', 'functionary', () => c.act('functionary', 'escalate', escalation, { status: 204 }));
		// By system: an emergency is escalated in the act of submission.
		const own = await emergency();
		const events = await eventsOf(await own.proceeding('intake'));
		assert.deepEqual(events.map(e => [e[2], e[4]]), [['submit', 'reporter'], ['escalate', 'system']]);
		acted.add('intake received escalate system');
	},
	'intake: triage escalate → escalated': async () => {
		const { c, proceeding } = await intake.triage();
		await does(c, proceeding, 'escalate', 'functionary', () => c.act('functionary', 'escalate', escalation, { status: 204 }));
	},
	'intake: triage accept → accepted': async () => {
		const { c, proceeding } = await intake.triage();
		const body = await acceptance(c);
		await does(c, proceeding, 'accept', 'functionary', () => c.act('functionary', 'accept', body));
	},
	'intake: triage decline → declined': async () => {
		const { c, proceeding } = await intake.triage();
		await does(c, proceeding, 'decline', 'functionary', () => c.act('functionary', 'decline', turnDown()));
	},
	'intake: escalated hand_back → handed_over': async () => {
		const { c, proceeding } = await intake.escalated();
		await does(c, proceeding, 'hand_back', 'external_body',
			() => c.act('ts', 'hand_back', { outcome: 'referred', to_state: 'handed_over', reason: 'Elsewhere.' }), 'handed_over');
	},
	'intake: escalated hand_back → triage': async () => {
		const { c, proceeding } = await intake.escalated();
		await does(c, proceeding, 'hand_back', 'external_body',
			() => c.act('ts', 'hand_back', { outcome: 'no_emergency', to_state: 'triage', reason: 'Not ours.' }, { status: 204 }), 'triage');
		// By system: nobody hands it back in time.
		const late = await intake.escalated();
		moveClock('29d');
		await does(late.c, late.proceeding, 'hand_back', 'system', () => runTimers(), 'triage');
	},
	'intake: received withdraw → withdrawn': async () => {
		const { c, proceeding } = await intake.received();
		await does(c, proceeding, 'withdraw', 'reporter', () => c.party_act('reporter', 'withdraw'));
	},
	'intake: triage withdraw → withdrawn': async () => {
		const { c, proceeding } = await intake.triage();
		await does(c, proceeding, 'withdraw', 'reporter', () => c.party_act('reporter', 'withdraw', { reason: 'Solved.' }));
	},
	'intake: withdrawn resume → triage': async () => {
		const one = await intake.withdrawn();
		await does(one.c, one.proceeding, 'resume', 'reporter', () => one.c.party_act('reporter', 'resume'));
		const other = await intake.withdrawn();
		await does(other.c, other.proceeding, 'resume', 'functionary', () => other.c.act('functionary', 'resume'));
	},
	'intake: accepted add_respondent → accepted': async () => {
		const { c, proceeding } = await intake.accepted();
		const { allegations: [{ rule, incident }] } = await acceptance(c);
		await does(c, proceeding, 'add_respondent', 'functionary', () => c.act('functionary', 'add_respondent',
			{ respondent: { user: people.witness.user }, allegations: [{ rule, incident }] }));
		await opened(c, 'matter', 'add_respondent', 'review', 'add_respondent');
	},
	'intake: received acknowledge → –': async () => {
		const { c, proceeding } = await intake.received();
		await does(c, proceeding, 'acknowledge', 'functionary', () => c.act('functionary', 'acknowledge'));
	},
	'intake: triage acknowledge → –': async () => {
		const { c, proceeding } = await intake.triage();
		await does(c, proceeding, 'acknowledge', 'functionary', () => c.act('functionary2', 'acknowledge'));
	},
	'intake: escalated acknowledge → –': async () => {
		const { c, proceeding } = await intake.escalated();
		await does(c, proceeding, 'acknowledge', 'external_body', () => c.act('ts', 'acknowledge'));
	},
	'intake: triage assign → –': async () => {
		const { c, proceeding } = await intake.triage();
		const body = await assignment('functionary2');
		await does(c, proceeding, 'assign', 'functionary', () => c.act('functionary', 'assign', body));
	},
	'intake: accepted assign → –': async () => {
		const { c, proceeding } = await intake.accepted();
		const body = { ...await assignment('functionary2'), proceedings: [proceeding] };
		await does(c, proceeding, 'assign', 'functionary', () => c.act('functionary', 'assign', body));
	},
	'intake: escalated assign → –': async () => {
		const { c, proceeding } = await intake.escalated();
		const body = await assignment('ts');
		await does(c, proceeding, 'assign', 'external_body', () => c.act('ts', 'assign', body));
	},
	'intake: triage set_severity → –': async () => {
		const { c, proceeding } = await intake.triage();
		const view = await does(c, proceeding, 'set_severity', 'functionary',
			() => c.act('functionary', 'set_severity', { severity: 'S2', reason: 'Repeated.' }));
		assert.equal(view.severity, 'S2');
	},
	'intake: accepted set_severity → –': async () => {
		const { c, proceeding } = await intake.accepted();
		await does(c, proceeding, 'set_severity', 'functionary',
			() => c.act('functionary', 'set_severity', { severity: 'S3', reason: 'Graver than it looked.' }));
	},
	...Object.fromEntries(['received', 'triage', 'accepted'].map(state => [`intake: ${state} recuse → –`, async () => {
		const { c, proceeding } = await intake[state]();
		await does(c, proceeding, 'recuse', 'functionary', () => c.act('functionary6', 'recuse',
			{ kind: 'full', reason: 'A friend of mine.', proceedings: [proceeding] }, { status: 204 }));
		await c.show('functionary6', 404);
	}])),
	'intake: escalated recuse → –': async () => {
		const { c, proceeding } = await intake.escalated();
		await does(c, proceeding, 'recuse', 'external_body', () => c.act('ts', 'recuse', { kind: 'vote_only' }));
	},
	'intake: triage form_panel → –': async () => {
		const { c, proceeding } = await intake.triage();
		const members = await personsOf(functionaries.slice(0, 3));
		await does(c, proceeding, 'form_panel', 'functionary', () => c.act('functionary', 'form_panel', { members }));
	},
	'intake: triage put_to_vote → –': async () => {
		const { c, proceeding } = await panelIntake();
		await does(c, proceeding, 'put_to_vote', 'functionary',
			() => c.act('functionary', 'put_to_vote', { motion: 'accept', reasons: 'Let us look at it.' }));
	},
	'intake: triage vote → –': async () => {
		const { c, proceeding, proposal } = await votingIntake();
		await does(c, proceeding, 'vote', 'panel', () => c.act('functionary2', 'vote', { proposal, item: 0, vote: 'support' }));
	},
	'intake: triage close_vote → –': async () => {
		const { c, proceeding, proposal } = await votingIntake();
		for (const who of functionaries.slice(0, 3)) {
			await c.act(who, 'vote', { proposal, item: 0, vote: 'support' });
		}
		await does(c, proceeding, 'close_vote', 'functionary', () => c.act('functionary', 'close_vote', { proposal }));
	},

	'matter: new accept → review': async () => {
		const { c } = await intake.accepted();
		await opened(c, 'matter', 'accept', 'review', 'accept');
	},
	'matter: new dismiss → dismissed': async () => {
		const c = await reported({ respondents: [{ user: people.respondent.user }, { user: people.witness.user }] });
		await c.act('functionary', 'claim');
		await c.act('functionary', 'accept', await acceptance(c, { respondents: [await c.party('respondent', 'respondent')] }));
		await opened(c, 'matter', 'dismiss', 'dismissed', 'accept');
	},
	'matter: new add_respondent → review': async () => {
		await legal['intake: accepted add_respondent → accepted']();
	},
	'matter: new record → resolved': async () => {
		const { c } = await intake.handed_over('acted');
		await opened(c, 'matter', 'record', 'resolved', 'hand_back');
	},
	'matter: new remand → review': async () => {
		const { c } = await appeals.appeal_remanded();
		await opened(c, 'matter', 'remand', 'review', 'remand');
	},
	'matter: new take_up → review': async () => {
		const { c, proceeding } = await resolvedTwice();
		const proposal = await moved(c, proceeding, 'take_up');
		pass('31d');
		await c.act('arbitrator1', 'take_up', { reason: 'We go on.', proposal });
		const own = await opened(c, 'matter', 'take_up', 'review', 'take_up');
		const [[body]] = await query(`select body_id from conduct.proceeding where proceeding_id = '${own}'`);
		assert.equal(body, 'enwiki-arbcom', 'the next round is at the appeal body');
	},
	'matter: review dismiss → dismissed': async () => {
		const { c, proceeding } = await matter.review();
		await does(c, proceeding, 'dismiss', 'functionary', () => c.act('functionary', 'dismiss', turnDown()));
	},
	'matter: review resolve_informally → settled': async () => {
		const { c, proceeding } = await matter.review();
		await does(c, proceeding, 'resolve_informally', 'functionary',
			() => c.act('functionary', 'resolve_informally', { advice: 'Keep apart.' }));
	},
	'matter: settled object → review': async () => {
		const { c, proceeding } = await matter.settled();
		await does(c, proceeding, 'object', 'party', () => c.party_act('reporter', 'object', { reason: 'Not enough.' }));
	},
	'matter: review propose → deliberation': async () => {
		const { c, proceeding } = await matter.heard();
		const body = await proposed(c);
		await does(c, proceeding, 'propose', 'functionary', () => c.act('functionary', 'propose', body));
	},
	'matter: deliberation send_back → review': async () => {
		const { c, proceeding } = await matter.deliberation();
		await does(c, proceeding, 'send_back', 'drafter', () => c.act('functionary', 'send_back', { reason: 'Not ripe.' }));
		const three = await matter.deliberationOfThree();
		await does(three.c, three.proceeding, 'send_back', 'panel', () => three.c.act('functionary2', 'send_back', { reason: 'Not ripe.' }));
	},
	'matter: deliberation decide → resolved': async () => {
		const { c, proceeding } = await matter.deliberation();
		const body = await notices(c, await c.proposal(proceeding));
		await does(c, proceeding, 'decide', 'functionary', () => c.act('functionary', 'decide', body));
		const three = await matter.deliberationOfThree();
		const proposal = await carry(three.c, three.proceeding, functionaries.slice(0, 3));
		pass('4d');
		const told = await notices(three.c, proposal);
		await does(three.c, three.proceeding, 'decide', 'panel', () => three.c.act('functionary', 'decide', told));
		try {
			const office = await officeMatter();
			const telling = await notices(office.c, await office.c.proposal(office.proceeding));
			const { pending } = await office.c.act('steward', 'decide', telling, { status: 202 });
			assertProblem(await office.c.tryAct('steward', 'decide', { ...telling, confirm: pending }), 409, 'conduct-guard-second-person');
			await does(office.c, office.proceeding, 'decide', 'ts_staff',
				() => office.c.act('oversighter', 'decide', { ...telling, confirm: pending }));
		} finally {
			await endGrants();
		}
	},
	...Object.fromEntries(['resolved', 'dismissed', 'settled'].map(state => [`matter: ${state} close → final`, async () => {
		const { c, proceeding } = await matter[state]();
		moveClock('31d');
		await does(c, proceeding, 'close', 'system', () => runTimers());
	}])),
	'matter: resolved supersede → final': async () => {
		const { c, proceeding } = await appeals.appeal_review();
		const proposal = await moved(c, proceeding, 'remand');
		pass('31d');
		const first = await c.proceeding('matter');
		await does(c, first, 'supersede', 'panel', () => c.act('arbitrator1', 'remand', { reason: 'Again.', proposal }));
	},
	'matter: dismissed supersede → final': async () => {
		const { c, proceeding: first } = await matter.dismissed();
		const proceeding = await appeal(c, 'reporter');
		await hear(c, proceeding);
		const proposal = await moved(c, proceeding, 'remand');
		pass('31d');
		await does(c, first, 'supersede', 'panel', () => c.act('arbitrator1', 'remand', { reason: 'Again.', proposal }));
	},
	'matter: review assign → –': async () => {
		const { c, proceeding } = await matter.review();
		const body = { ...await assignment('functionary2'), proceedings: [proceeding] };
		await does(c, proceeding, 'assign', 'functionary', () => c.act('functionary', 'assign', body));
	},
	'matter: deliberation assign → –': async () => {
		const { c, proceeding } = await matter.deliberation();
		const body = { ...await assignment('functionary2'), proceedings: [proceeding] };
		await does(c, proceeding, 'assign', 'functionary', () => c.act('functionary', 'assign', body));
	},
	'matter: review notify_respondent → –': async () => {
		const { c, proceeding } = await matter.review();
		const body = notice(await c.party('respondent'));
		await does(c, proceeding, 'notify_respondent', 'functionary', () => c.act('functionary', 'notify_respondent', body));
	},
	'matter: review record_service → –': async () => {
		const { c, proceeding } = await matter.review();
		const respondent = await c.party('respondent');
		await c.act('functionary', 'notify_respondent', notice(respondent));
		await does(c, proceeding, 'record_service', 'functionary',
			() => c.act('functionary', 'record_service', { respondent, how: 'talk_page', revision: 12345 }));
	},
	'matter: resolved record_service → –': async () => {
		const { c, proceeding } = await matter.resolved();
		const respondent = await c.party('respondent');
		await does(c, proceeding, 'record_service', 'functionary',
			() => c.act('functionary', 'record_service', { respondent, how: 'mail' }));
	},
	'matter: dismissed record_service → –': async () => {
		const { c, proceeding } = await matter.dismissed();
		const respondent = await c.party('reporter');
		await does(c, proceeding, 'record_service', 'functionary',
			() => c.act('functionary', 'record_service', { respondent, how: 'mail', proceedings: [proceeding] }));
	},
	'matter: review answer → –': async () => {
		const { c, proceeding } = await matter.review();
		await c.act('functionary', 'notify_respondent', notice(await c.party('respondent')));
		await does(c, proceeding, 'answer', 'party', () => c.party_act('respondent', 'answer', { text: 'It was a joke.' }));
	},
	'matter: review extend → –': async () => {
		const { c, proceeding } = await matter.review();
		await c.act('functionary', 'notify_respondent', notice(await c.party('respondent')));
		await does(c, proceeding, 'extend', 'party', () => c.party_act('respondent', 'extend', { reason: 'I travel.' }));
	},
	'matter: review grant_extension → –': async () => {
		const { c, proceeding } = await matter.review();
		const respondent = await c.party('respondent');
		await c.act('functionary', 'notify_respondent', notice(respondent));
		await does(c, proceeding, 'grant_extension', 'functionary', () => c.act('functionary', 'grant_extension', { party: respondent }));
	},
	'matter: review waive_hearing → –': async () => {
		const { c, proceeding } = await matter.review();
		const respondent = await c.party('respondent');
		await does(c, proceeding, 'waive_hearing', 'functionary',
			() => c.act('functionary', 'waive_hearing', { respondent, kind: 'gist_only', reason: 'To protect a witness.' }));
	},
	...Object.fromEntries(['review', 'deliberation'].map(state => [`matter: ${state} recuse → –`, async () => {
		const { c, proceeding } = await matter[state]();
		await does(c, proceeding, 'recuse', 'functionary', () => c.act('functionary6', 'recuse',
			{ kind: 'full', proceedings: [proceeding] }, { status: 204 }));
		await c.show('functionary6', 404);
	}])),
	...Object.fromEntries(['review', 'deliberation'].map(state => [`matter: ${state} form_panel → –`, async () => {
		const { c, proceeding } = await matter[state]();
		const body = { members: await personsOf(functionaries.slice(0, 3)), proceedings: [proceeding] };
		await does(c, proceeding, 'form_panel', 'functionary', () => c.act('functionary', 'form_panel', body));
	}])),
	'matter: deliberation vote → –': async () => {
		const { c, proceeding } = await matter.deliberationOfThree();
		const body = { proposal: await c.proposal(proceeding), item: 1, vote: 'support' };
		await does(c, proceeding, 'vote', 'panel', () => c.act('functionary2', 'vote', body));
	},
	'matter: deliberation close_vote → –': async () => {
		const { c, proceeding } = await matter.deliberationOfThree();
		const proposal = await c.proposal(proceeding);
		for (const who of functionaries.slice(0, 3)) {
			await c.act(who, 'vote', { proposal, item: 1, vote: 'support' });
			await c.act(who, 'vote', { proposal, item: 2, vote: 'oppose' });
		}
		await does(c, proceeding, 'close_vote', 'functionary', () => c.act('functionary2', 'close_vote', { proposal }));
	},

	'appeal: new appeal → appeal_filed': async () => {
		const { c } = await matter.resolved();
		const revision = await c.revision();
		const body = await appealBody(c);
		await c.party_act('respondent', 'appeal', body);
		await opened(c, 'appeal', 'appeal', 'appeal_filed', 'decide');
		assert.equal(await c.revision(), revision + 1);
		// By a target who was told, and by the reporter.
		for (const [role, who] of [['target', 'witness'], ['reporter']]) {
			const other = await reported({ targets: [{ user: people.witness.user }] });
			await other.act('functionary', 'claim');
			await other.act('functionary', 'decline', turnDown());
			await appeal(other, role, who);
			await opened(other, 'appeal', 'appeal', 'appeal_filed', 'decline');
		}
	},
	'appeal: appeal_filed accept_appeal → appeal_review': async () => {
		const { c, proceeding } = await appeals.appeal_filed();
		await c.act('arbitrator1', 'form_panel', { members: await personsOf(arbitrators), proceedings: [proceeding] });
		const proposal = await moved(c, proceeding, 'accept_appeal');
		await does(c, proceeding, 'accept_appeal', 'appeal_body', () => c.act('arbitrator1', 'accept_appeal', { proposal }));
		// By system: the last instance is silent, and nobody above it could be asked.
		const silent = await reported({ wiki: 'simplewiki', incidents: [{ venue: 'on_wiki', wiki: 'simplewiki' }] });
		await silent.act('u4c1', 'claim');
		await silent.act('u4c1', 'decline', turnDown());
		const own = await appeal(silent, 'reporter');
		moveClock('15d');
		await does(silent, own, 'accept_appeal', 'system', () => runTimers());
	},
	'appeal: appeal_filed decline_appeal → appeal_declined': async () => {
		const { c, proceeding } = await appeals.appeal_filed();
		await does(c, proceeding, 'decline_appeal', 'appeal_body',
			() => c.act('arbitrator1', 'decline_appeal', { reason_code: 'out_of_scope', reason: 'Nothing new.' }));
	},
	...Object.fromEntries(['appeal_filed', 'appeal_review'].map(state => [`appeal: ${state} withdraw_appeal → appeal_withdrawn`, async () => {
		const { c, proceeding } = await appeals[state]();
		await does(c, proceeding, 'withdraw_appeal', 'appellant', () => c.party_act('respondent', 'withdraw_appeal'));
	}])),
	'appeal: appeal_review decide_appeal → appeal_decided': async () => {
		const { c, proceeding } = await appeals.appeal_review();
		const proposal = await judged(c, proceeding);
		pass('31d');
		const body = await judgment(c, proposal);
		await does(c, proceeding, 'decide_appeal', 'panel', () => c.act('arbitrator1', 'decide_appeal', body));
	},
	'appeal: appeal_review remand → appeal_remanded': async () => {
		const { c, proceeding } = await appeals.appeal_review();
		const proposal = await moved(c, proceeding, 'remand');
		pass('31d');
		await does(c, proceeding, 'remand', 'panel', () => c.act('arbitrator1', 'remand', { reason: 'Again.', proposal }));
	},
	'appeal: appeal_review take_up → appeal_decided': async () => {
		const { c, proceeding } = await resolvedTwice();
		const proposal = await moved(c, proceeding, 'take_up');
		pass('31d');
		await does(c, proceeding, 'take_up', 'panel', () => c.act('arbitrator1', 'take_up', { reason: 'We go on.', proposal }));
	},
	...Object.fromEntries(['appeal_filed', 'appeal_review'].flatMap(state => [
		[`appeal: ${state} assign → –`, async () => {
			const { c, proceeding } = await appeals[state]();
			const body = { ...await assignment('arbitrator2'), proceedings: [proceeding] };
			await does(c, proceeding, 'assign', 'appeal_body', () => c.act('arbitrator1', 'assign', body));
		}],
		[`appeal: ${state} recuse → –`, async () => {
			const { c, proceeding } = await appeals[state]();
			await does(c, proceeding, 'recuse', 'appeal_body',
				() => c.act('arbitrator5', 'recuse', { kind: 'full', proceedings: [proceeding] }, { status: 204 }));
			await c.show('arbitrator5', 404);
		}],
		[`appeal: ${state} form_panel → –`, async () => {
			const { c, proceeding } = await appeals[state]();
			const members = await personsOf(arbitrators);
			await does(c, proceeding, 'form_panel', 'appeal_body',
				() => c.act('arbitrator1', 'form_panel', { members, proceedings: [proceeding] }));
		}],
		[`appeal: ${state} put_to_vote → –`, async () => {
			const { c, proceeding } = await appeals[state]();
			const motion = state === 'appeal_filed' ? 'accept_appeal' : 'decide_appeal';
			const items = state === 'appeal_filed' ? {} : { items: await outcomes(c, proceeding) };
			await does(c, proceeding, 'put_to_vote', 'appeal_body',
				() => c.act('arbitrator1', 'put_to_vote', { motion, reasons: 'See the file.', ...items }));
		}],
		[`appeal: ${state} vote → –`, async () => {
			const { c, proceeding, proposal } = await votingAppeal(state);
			await does(c, proceeding, 'vote', 'panel', () => c.act('arbitrator2', 'vote', { proposal, item: 0, vote: 'oppose' }));
		}],
		[`appeal: ${state} close_vote → –`, async () => {
			const { c, proceeding, proposal } = await votingAppeal(state);
			for (const who of arbitrators) {
				await c.act(who, 'vote', { proposal, item: 0, vote: 'support' });
			}
			await does(c, proceeding, 'close_vote', 'appeal_body', () => c.act('arbitrator1', 'close_vote', { proposal }));
		}],
	])),
	'appeal: appeal_decided record_service → –': async () => {
		const { c, proceeding } = await appeals.appeal_decided();
		const respondent = await c.party('respondent');
		await does(c, proceeding, 'record_service', 'appeal_body',
			() => c.act('arbitrator1', 'record_service', { respondent, how: 'mail', proceedings: [proceeding] }));
	},
};

test('every row of the procedure is walked here, and nothing else', () => {
	assert.deepEqual(Object.keys(legal).sort(), [...legalNames].sort());
});

for (const [title, walk] of Object.entries(legal)) {
	test(`legal: ${title}`, walk);
}

/*
 * Rows in whose role nobody acts over HTTP, and why.
 */
const silentRoles = {
	// Nothing of this daemon's issues does it yet by itself: acts of parties and handlers do.
	'intake received withdraw system': 'a report is withdrawn by its reporter',
	'intake triage withdraw system': 'a report is withdrawn by its reporter',
	'intake triage escalate system': 'the system escalates at submission, from received',
	// A seated member holds the role of the body as well, and that one is recorded.
	'intake triage close_vote panel': 'recorded as functionary',
	'matter deliberation close_vote panel': 'recorded as functionary',
	'matter review recuse panel': 'recorded as functionary',
	'matter deliberation recuse panel': 'recorded as functionary',
	'appeal appeal_filed close_vote panel': 'recorded as appeal_body',
	'appeal appeal_filed put_to_vote panel': 'recorded as appeal_body',
	'appeal appeal_filed recuse panel': 'recorded as appeal_body',
	'appeal appeal_review close_vote panel': 'recorded as appeal_body',
	'appeal appeal_review put_to_vote panel': 'recorded as appeal_body',
	'appeal appeal_review recuse panel': 'recorded as appeal_body',
};
test('every role of every row has acted, but for those that do not over HTTP', () => {
	const missing = new Set(rows.map(r => `${r.kind} ${r.from} ${r.action} ${r.role}`).filter(key => !acted.has(key)));
	assert.deepEqual([...missing].sort(), Object.keys(silentRoles).sort());
});

// Causes: an appeal against each decision that can be appealed.
const objects = {
	'intake decline': async () => ({ ...await intake.declined(), role: 'reporter' }),
	'matter dismiss': async () => ({ ...await matter.dismissed(), role: 'reporter' }),
	'matter decide': async () => ({ ...await matter.resolved(), role: 'respondent' }),
	'matter record': async () => ({ ...await intake.handed_over('acted'), role: 'reporter' }),
	'appeal decide_appeal': async () => ({ ...await appeals.appeal_decided('modified'), role: 'reporter', reconsiders: true }),
};
for (const [cause, make] of Object.entries(objects)) {
	test(`legal: an appeal against ${cause}`, async () => {
		const { c, role } = await make();
		const proceeding = await appeal(c, role);
		const events = await eventsOf(proceeding);
		assert.equal(events[0][6], cause.split(' ')[1]);
		assert.equal(await c.stateOf(proceeding), 'appeal_filed');
	});
}

// Illegal -----------------------------------------------------------------------------------------

const isLegal = (kind, state, action) => rows.some(r => r.kind === kind && r.from === state && r.action === action);
const PARTY_ACTIONS = ['withdraw', 'resume', 'object', 'extend', 'answer', 'withdraw_appeal'];
const SYSTEM_ACTIONS = ['submit', 'close', 'supersede', 'record'];
const HANDLER_ACTIONS = [...new Set(rows.filter(r => r.from !== 'new').map(r => r.action))]
	.filter(action => !SYSTEM_ACTIONS.includes(action)
		&& (action === 'resume' || !PARTY_ACTIONS.includes(action))).sort();

/** Roles that ever take an action; a panel's by kind, for a body's own members may be seated on its panel. */
function rolesFor(action) {
	return new Set(rows.filter(r => r.action === action && r.from !== 'new')
		.map(r => (r.role === 'panel' ? `panel:${r.kind}` : r.role)));
}

/*
 * Who is best placed in a state, and what they hold in that case. `sees`: whether the proceeding in that
 * state is shown to them. With it the refusal of an illegal action is known:
 *   409 an actor holds a role that takes this action, and sees the proceeding: not from this state
 *   422 only people hold it to whom this proceeding is hidden: it is unknown, as if it did not exist
 *   403 nobody in sight of the case ever takes this action in it
 */
const handler = (...also) => ({ who: 'functionary', sees: true, roles: ['functionary', 'panel:intake', ...also] });
const committee = { who: 'arbitrator1', sees: true, roles: ['appeal_body', 'panel:appeal'] };
const firstInstance = { who: 'functionary', sees: false, roles: ['functionary', 'panel:intake', 'panel:matter'] };
const placed = {
	intake: {
		received: [handler()], triage: [handler()], declined: [handler()], withdrawn: [handler()],
		accepted: [handler('panel:matter')],
		escalated: [{ who: 'ts', sees: true, roles: ['external_body'] }],
		handed_over: [{ who: 'ts', sees: true, roles: ['functionary', 'ts_staff', 'panel:intake'] }],
	},
	matter: {
		review: [handler('panel:matter')], deliberation: [handler('panel:matter', 'drafter')],
		resolved: [handler('panel:matter')], dismissed: [handler('panel:matter')],
		settled: [handler('panel:matter')], final: [handler('panel:matter')],
	},
	appeal: Object.fromEntries(states.appeal.map(state => [state, [committee, firstInstance]])),
};

function expectation(kind, state, action) {
	const needed = rolesFor(action);
	const able = placed[kind][state].filter(actor => actor.roles.some(role => needed.has(role)));
	const seeing = able.find(actor => actor.sees);
	if (seeing) {
		return { who: seeing.who, status: 409, key: 'conduct-transition-illegal' };
	}
	if (able.length) {
		return { who: able[0].who, status: 422, key: 'conduct-invalid-body' };
	}
	return { who: placed[kind][state][0].who, status: 403, key: 'conduct-forbidden' };
}

/** Cases for the states where the usual driver's case has another proceeding in which parties may act. */
const special = {
	'intake accepted': async () => {
		const { c } = await matter.resolved();
		return { c, proceeding: await c.proceeding('intake') };
	},
	'appeal appeal_remanded': async () => {
		const { c, proceeding } = await appeals.appeal_remanded();
		await c.act('functionary2', 'dismiss', turnDown());
		return { c, proceeding };
	},
};

async function wellFormed(c, state) {
	const respondent = await c.party('respondent');
	const reporter = await c.party('reporter');
	const person = await personOf('functionary3');
	const proposal = unknownId();
	const told = [{ party: respondent, text: 'Decided.', lang: 'en' }, { party: reporter, text: 'Decided.', lang: 'en' }];
	const accepting = await acceptance(c);
	return {
		claim: {}, acknowledge: {}, resume: {},
		assign: { person }, accept: accepting, decline: turnDown(), dismiss: turnDown(),
		escalate: escalation, hand_back: { outcome: 'referred', to_state: 'handed_over', reason: 'Done.' },
		add_respondent: { respondent: { user: people.witness.user },
			allegations: [{ rule: 'ucoc/3.1/trolling', incident: accepting.allegations[0].incident }] },
		notify_respondent: notice(respondent), record_service: { respondent, how: 'mail' },
		grant_extension: { party: respondent }, waive_hearing: { respondent, kind: 'redacted', reason: 'Safety.' },
		set_severity: { severity: 'S2', reason: 'Weighed.' }, recuse: { kind: 'full' },
		propose: { items: [{ kind: 'principle', text: 'Be kind.' }], dispositions: [{ respondent, disposition: 'no_violation' }],
			reasons: 'None found.' },
		send_back: { reason: 'Again.' }, decide: { proposal, notices: told }, resolve_informally: { advice: 'Be kind.' },
		form_panel: { members: await personsOf(functionaries.slice(0, 3)) },
		put_to_vote: { motion: state.startsWith('appeal') ? 'decide_appeal' : 'accept', reasons: 'Please vote.' },
		vote: { proposal, item: 1, vote: 'support' }, close_vote: { proposal }, accept_appeal: { proposal },
		decline_appeal: { reason_code: 'out_of_scope', reason: 'No.' }, decide_appeal: { proposal, notices: told },
		remand: { reason: 'Again.', proposal }, take_up: { reason: 'Ours.', proposal },
		withdraw: {}, object: {}, extend: {}, answer: { text: 'I did not.' }, withdraw_appeal: {},
	};
}

/** The roles of the parties of these cases; in all appeals the respondent is the appellant. */
function partyExpectation(kind, action) {
	const needed = rolesFor(action);
	if (needed.has('appellant')) {
		return kind === 'appeal' ? { role: 'respondent', status: 409, key: 'conduct-transition-illegal' }
			: { role: 'reporter', status: 403, key: 'conduct-forbidden' };
	}
	assert.ok(needed.has('reporter') || needed.has('party'));
	return { role: 'reporter', status: 409, key: 'conduct-transition-illegal' };
}

async function refusedUnchanged(c, request, status, key) {
	const before = await rowsOf(c.id);
	const answer = await request();
	const problem = assertProblem(answer, status, key);
	assert.equal(await rowsOf(c.id), before, 'a refusal leaves every row as it was');
	if (status === 409) {
		assert.ok(Array.isArray(problem.allowed_actions));
	}
	return problem;
}

const refused = new Set();
for (const [kind, list] of Object.entries(states)) {
	for (const state of list) {
		test(`illegal: ${kind} ${state}`, async t => {
			const { c, proceeding } = await (special[`${kind} ${state}`] ?? drivers[kind][state])();
			assert.equal(await c.stateOf(proceeding), state);
			const bodies = await wellFormed(c, state);
			for (const action of HANDLER_ACTIONS.filter(a => !isLegal(kind, state, a))) {
				const { who, status, key } = expectation(kind, state, action);
				refused.add(`${kind} ${state} ${action}`);
				await t.test(`${state} ${action} as ${who}: ${status}`, async () => {
					const problem = await refusedUnchanged(c, () => c.tryAct(who, action,
						{ ...bodies[action], proceedings: [proceeding] }), status, key);
					if (status === 409) {
						assert.ok(!problem.allowed_actions.includes(action)
							|| (await c.state()).some(row => isLegal(row[0], row[1], action)), 'what is refused is not offered');
					}
					if (status === 422) {
						assert.deepEqual(problem.errors.map(e => e.pointer), ['/proceedings']);
					}
				});
			}
			const present = await c.state();
			for (const action of PARTY_ACTIONS.filter(a => !present.some(row => isLegal(row[0], row[1], a)))) {
				const { role, status, key } = partyExpectation(kind, action);
				refused.add(`${kind} ${state} ${action}`);
				await t.test(`${state} ${action} as ${role}: ${status}`, () =>
					refusedUnchanged(c, () => c.tryParty(role, action, bodies[action]), status, key));
			}
			await t.test('words that are no handler\'s or no party\'s action have no address: 404', async () => {
				for (const action of [...SYSTEM_ACTIONS, 'withdraw', 'object', 'extend', 'answer', 'withdraw_appeal', 'appeal', 'new']) {
					await refusedUnchanged(c, () => c.tryAct('functionary', action), 404, 'conduct-not-found');
				}
				for (const action of [...SYSTEM_ACTIONS, 'appeal', ...HANDLER_ACTIONS.filter(a => a !== 'resume')]) {
					await refusedUnchanged(c, () => call({ receipt: c.receipt }, 'POST', `/v1/receipt/actions/${action}`, { body: {} }),
						404, 'conduct-not-found');
				}
			});
		});
	}
}

test('every illegal (kind, state, action) was among them', () => {
	const missing = [];
	for (const [kind, list] of Object.entries(states)) {
		for (const state of list) {
			for (const action of [...HANDLER_ACTIONS, ...PARTY_ACTIONS]) {
				if (!isLegal(kind, state, action) && !refused.has(`${kind} ${state} ${action}`)) {
					missing.push(`${kind} ${state} ${action}`);
				}
			}
		}
	}
	assert.deepEqual(missing, []);
});
