// Every action from every state that has no row for it is refused, with the case unchanged to the last row.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem, call, people, rowsOf } from '../harness/api.mjs';
import {
	acceptance, appeals, drivers, functionaries, matter, notice, personOf, personsOf, states, turnDown,
	unknownId,
} from '../harness/cases.mjs';
import { escalation, isLegal, rows } from '../harness/procedure.mjs';

const PARTY_ACTIONS = ['withdraw', 'resume', 'object', 'extend', 'answer', 'withdraw_appeal'];
const SYSTEM_ACTIONS = ['submit', 'close', 'supersede', 'record', 'prove'];
const HANDLER_ACTIONS = [...new Set(rows.filter(r => r.from !== 'new').map(r => r.action))]
	.filter(action => !SYSTEM_ACTIONS.includes(action) && (action === 'resume' || !PARTY_ACTIONS.includes(action)))
	.sort();

/** Roles that ever take an action; a panel's by kind, for a body's own members may be seated on its panel. */
function rolesFor(action) {
	return new Set(
		rows
			.filter(r => r.action === action && r.from !== 'new')
			.map(r => (r.role === 'panel' ? `panel:${r.kind}` : r.role))
	);
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
		received: [handler()],
		triage: [handler()],
		declined: [handler()],
		withdrawn: [handler()],
		accepted: [handler('panel:matter')],
		escalated: [{ who: 'ts', sees: true, roles: ['external_body'] }],
		handed_over: [{ who: 'ts', sees: true, roles: ['functionary', 'ts_staff', 'panel:intake'] }],
	},
	matter: {
		review: [handler('panel:matter')],
		deliberation: [handler('panel:matter', 'drafter')],
		resolved: [handler('panel:matter')],
		dismissed: [handler('panel:matter')],
		settled: [handler('panel:matter')],
		final: [handler('panel:matter')],
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
	const told = [
		{ party: respondent, text: 'Decided.', lang: 'en' },
		{ party: reporter, text: 'Decided.', lang: 'en' },
	];
	const accepting = await acceptance(c);
	return {
		claim: {},
		acknowledge: {},
		resume: {},
		assign: { person },
		accept: accepting,
		decline: turnDown(),
		dismiss: turnDown(),
		escalate: escalation,
		hand_back: { outcome: 'referred', to_state: 'handed_over', reason: 'Done.' },
		add_respondent: {
			respondent: { user: people.witness.user },
			allegations: [{ rule: 'ucoc/3.1/trolling', incident: accepting.allegations[0].incident }],
		},
		notify_respondent: notice(respondent),
		record_service: { respondent, how: 'mail' },
		grant_extension: { party: respondent },
		waive_hearing: { respondent, kind: 'redacted', reason: 'Safety.' },
		set_severity: { severity: 'S2', reason: 'Weighed.' },
		recuse: { kind: 'full' },
		open_identity: { party: reporter, reason: 'We have to reach them.' },
		invite_witness: { name: 'The neighbour', question: 'What did you see?' },
		propose: {
			items: [{ kind: 'principle', text: 'Be kind.' }],
			dispositions: [{ respondent, disposition: 'no_violation' }],
			reasons: 'None found.',
		},
		send_back: { reason: 'Again.' },
		decide: { proposal, notices: told },
		resolve_informally: { advice: 'Be kind.' },
		form_panel: { members: await personsOf(functionaries.slice(0, 3)) },
		put_to_vote: { motion: state.startsWith('appeal') ? 'decide_appeal' : 'accept', reasons: 'Please vote.' },
		vote: { proposal, item: 1, vote: 'support' },
		close_vote: { proposal },
		accept_appeal: { proposal },
		decline_appeal: { reason_code: 'out_of_scope', reason: 'No.' },
		decide_appeal: { proposal, notices: told },
		remand: { reason: 'Again.', proposal },
		take_up: { reason: 'Ours.', proposal },
		hold: { reason: 'A court asks.', until: '2099-01-01T00:00:00Z' },
		withdraw: {},
		object: {},
		extend: {},
		answer: { text: 'I did not.' },
		withdraw_appeal: {},
	};
}

/** The roles of the parties of these cases; in all appeals the respondent is the appellant. */
function partyExpectation(kind, action) {
	const needed = rolesFor(action);
	if (needed.has('appellant')) {
		return kind === 'appeal'
			? { role: 'respondent', status: 409, key: 'conduct-transition-illegal' }
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
					const problem = await refusedUnchanged(
						c,
						() => c.tryAct(who, action, { ...bodies[action], proceedings: [proceeding] }),
						status,
						key
					);
					if (status === 409) {
						assert.ok(
							!problem.allowed_actions.includes(action) ||
								(await c.state()).some(row => isLegal(row[0], row[1], action)),
							'what is refused is not offered'
						);
					}
					if (status === 422) {
						assert.deepEqual(
							problem.errors.map(e => e.pointer),
							['/proceedings']
						);
					}
				});
			}
			const present = await c.state();
			for (const action of PARTY_ACTIONS.filter(a => !present.some(row => isLegal(row[0], row[1], a)))) {
				const { role, status, key } = partyExpectation(kind, action);
				refused.add(`${kind} ${state} ${action}`);
				await t.test(`${state} ${action} as ${role}: ${status}`, () =>
					refusedUnchanged(c, () => c.tryParty(role, action, bodies[action]), status, key)
				);
			}
			await t.test("words that are no handler's or no party's action have no address: 404", async () => {
				for (const action of [
					...SYSTEM_ACTIONS,
					'withdraw',
					'object',
					'extend',
					'answer',
					'withdraw_appeal',
					'appeal',
					'new',
				]) {
					await refusedUnchanged(c, () => c.tryAct('functionary', action), 404, 'conduct-not-found');
				}
				for (const action of [...SYSTEM_ACTIONS, 'appeal', ...HANDLER_ACTIONS.filter(a => a !== 'resume')]) {
					await refusedUnchanged(
						c,
						() => call({ receipt: c.receipt }, 'POST', `/v1/receipt/actions/${action}`, { body: {} }),
						404,
						'conduct-not-found'
					);
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
