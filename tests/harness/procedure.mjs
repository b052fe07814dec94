// The procedure as tests walk it: its rows, what an act is compared with, and cases that are far along.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readTransitions } from '../lint/procedure.mjs';
import { expectCall, people, query } from './api.mjs';
import {
	appeal, appeals, arbitrators, carry, functionaries, hear, heard, intake, moved, notices, pass,
	personOf, personsOf, proposed, putToVote, reported, turnDown,
} from './cases.mjs';

export const rows = readTransitions(readFileSync(new URL('../../sql/data/transitions.sql', import.meta.url), 'utf8'));
export const name = row => `${row.kind}: ${row.from} ${row.action} → ${row.moves ? row.to : '–'}`;
export const legalNames = new Set(rows.map(name));

export async function eventsOf(proceeding) {
	return query(`select seq, from_state, action, to_state, role, revision, coalesce(cause_action, '')
		from conduct.event where proceeding_id = '${proceeding}' order by seq`);
}

// Which roles were seen to act, by row.
export const acted = new Set();

/** Runs an act on a proceeding and compares what it did with the row. Returns what the act returned. */
export async function does(c, proceeding, action, role, act, to) {
	const [[kind, from]] = await query(
		`select kind, state from conduct.proceeding where proceeding_id = '${proceeding}'`
	);
	const row = rows.find(
		r => r.kind === kind && r.from === from && r.action === action && r.role === role && (!to || r.to === to)
	);
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
export async function opened(c, kind, action, to, causeAction) {
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

export const assignment = async who => ({ person: await personOf(who) });

/** One asks, and the act of the second opens the reporter's identity. */
export async function opensIdentity(c, proceeding, role, first, second) {
	const wish = { party: await c.party('reporter'), reason: 'We have to reach them.' };
	const { pending } = await c.act(first, 'open_identity', wish, { status: 202 });
	await does(c, proceeding, 'open_identity', role, () => c.act(second, 'open_identity', { ...wish, confirm: pending }));
}

/** Returns the word of the witness. */
export async function invitesWitness(c, proceeding, role, who) {
	const { word } = await does(c, proceeding, 'invite_witness', role, () =>
		c.act(who, 'invite_witness', { name: 'The neighbour', question: 'What did you see?' })
	);
	return word;
}

export const provesWord = (c, proceeding, role, word) =>
	does(c, proceeding, 'prove', role, () => expectCall(201, null, 'POST', '/v1/receipt/prove', { body: { word } }));

/** A declined report whose reporter appeals, before the committee. */
export async function declinedAppeal() {
	const { c } = await intake.declined();
	const proceeding = await appeal(c, 'reporter');
	await hear(c, proceeding);
	return { c, proceeding };
}

/** The same once remanded, declined again by others, appealed again: the remand is spent. */
export async function declinedTwice() {
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
export async function resolvedTwice() {
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

export async function panelIntake() {
	const { c, proceeding } = await intake.triage();
	await c.act('functionary', 'form_panel', {
		members: await personsOf(functionaries.slice(0, 3)),
		proceedings: [proceeding],
	});
	return { c, proceeding };
}

export async function votingIntake() {
	const { c, proceeding } = await panelIntake();
	await putToVote(c, 'functionary', 'accept', proceeding);
	return { c, proceeding, proposal: await c.proposal(proceeding) };
}

export async function votingAppeal(state) {
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
export async function officeMatter() {
	const reviewers = functionaries.slice(1);
	for (const [who, role, body] of [
		...reviewers.map(name => [name, 'crc_member', 'crc']),
		['steward', 'ts_staff', 'ts'],
		['oversighter', 'ts_staff', 'ts'],
	]) {
		await expectCall(201, 'admin', 'POST', '/v1/admin/grants', {
			body: { person: { user: people[who].user }, role, body, until: '2098-01-01T00:00:00Z' },
		});
	}
	const { c } = await intake.handed_over('acted');
	const review = await appeal(c, 'reporter');
	await c.act('functionary2', 'form_panel', { members: await personsOf(reviewers), proceedings: [review] });
	await putToVote(c, 'functionary2', 'accept_appeal', review);
	await c.act('functionary2', 'accept_appeal', {
		proposal: await carry(c, review, reviewers),
		proceedings: [review],
	});
	await putToVote(c, 'functionary2', 'remand', review);
	const proposal = await carry(c, review, reviewers);
	pass('184d');
	await c.act('functionary2', 'remand', { reason: 'Hear him first.', proposal });
	await heard(c, await c.party('respondent'), 'respondent', 'steward');
	await c.act('steward', 'propose', await proposed(c, { sanction: 'office-action' }));
	return { c, proceeding: await c.proceeding('matter') };
}

/** Ends every grant that is not of the demo itself. */
export async function endGrants() {
	for (const [id] of await query(
		'select grant_id from conduct.role_grant where ended_at is null and granted_by is not null'
	)) {
		await expectCall(204, 'admin', 'DELETE', `/v1/admin/grants/${id}`);
	}
}

export const escalation = { to: 'ts', reason: 'A matter for the Foundation.' };
export const emergency = () => reported({ lane: 'emergency', harm_type: 'physical_harm' });

export const isLegal = (kind, state, action) =>
	rows.some(r => r.kind === kind && r.from === state && r.action === action);

/**
 * Tests of all rows of a kind: one walk for each (state, action, state after). `silent` has the roles in
 * which nobody acts over HTTP, and why.
 */
export function walkAll(kind, legal, silent) {
	test(`every row of kind ${kind} is walked, and nothing else`, () => {
		assert.deepEqual(
			Object.keys(legal).sort(),
			[...legalNames].filter(title => title.startsWith(`${kind}: `)).sort()
		);
	});
	for (const [title, walk] of Object.entries(legal)) {
		test(`legal: ${title}`, walk);
	}
	test(`every role of every row of kind ${kind} has acted, but for those that do not over HTTP`, () => {
		const missing = rows
			.filter(r => r.kind === kind)
			.map(r => `${r.kind} ${r.from} ${r.action} ${r.role}`)
			.filter(row => !acted.has(row));
		assert.deepEqual([...new Set(missing)].sort(), Object.keys(silent).sort());
	});
}
