// Every row of the procedure of kind appeal is reached over HTTP and does what it says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inDays, people } from '../harness/api.mjs';
import {
	appeal, appealBody, appeals, arbitrators, intake, judged, judgment, matter, moved, outcomes, pass,
	personsOf, reported, turnDown,
} from '../harness/cases.mjs';
import {
	assignment, does, eventsOf, invitesWitness, opened, opensIdentity, resolvedTwice, votingAppeal, walkAll,
} from '../harness/procedure.mjs';

// A seated member holds the role of the body as well, and that one is recorded.
const silent = {
	'appeal appeal_filed close_vote panel': 'recorded as appeal_body',
	'appeal appeal_filed put_to_vote panel': 'recorded as appeal_body',
	'appeal appeal_filed recuse panel': 'recorded as appeal_body',
	'appeal appeal_review close_vote panel': 'recorded as appeal_body',
	'appeal appeal_review put_to_vote panel': 'recorded as appeal_body',
	'appeal appeal_review recuse panel': 'recorded as appeal_body',
};

const legal = {
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
		await does(c, proceeding, 'accept_appeal', 'appeal_body', () =>
			c.act('arbitrator1', 'accept_appeal', { proposal })
		);
		// By system: the last instance is silent, and nobody above it could be asked.
		const silent = await reported({ wiki: 'simplewiki', incidents: [{ venue: 'on_wiki', wiki: 'simplewiki' }] });
		await silent.act('u4c1', 'claim');
		await silent.act('u4c1', 'decline', turnDown());
		const own = await appeal(silent, 'reporter');
		await does(silent, own, 'accept_appeal', 'system', () => pass('15d'));
	},
	'appeal: appeal_filed decline_appeal → appeal_declined': async () => {
		const { c, proceeding } = await appeals.appeal_filed();
		await does(c, proceeding, 'decline_appeal', 'appeal_body', () =>
			c.act('arbitrator1', 'decline_appeal', { reason_code: 'out_of_scope', reason: 'Nothing new.' })
		);
	},
	...Object.fromEntries(
		['appeal_filed', 'appeal_review'].map(state => [
			`appeal: ${state} withdraw_appeal → appeal_withdrawn`,
			async () => {
				const { c, proceeding } = await appeals[state]();
				await does(c, proceeding, 'withdraw_appeal', 'appellant', () =>
					c.party_act('respondent', 'withdraw_appeal')
				);
			},
		])
	),
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
		await does(c, proceeding, 'remand', 'panel', () =>
			c.act('arbitrator1', 'remand', { reason: 'Again.', proposal })
		);
	},
	'appeal: appeal_review take_up → appeal_decided': async () => {
		const { c, proceeding } = await resolvedTwice();
		const proposal = await moved(c, proceeding, 'take_up');
		pass('31d');
		await does(c, proceeding, 'take_up', 'panel', () =>
			c.act('arbitrator1', 'take_up', { reason: 'We go on.', proposal })
		);
	},
	...Object.fromEntries(
		Object.keys(appeals).map(state => [
			`appeal: ${state} hold → –`,
			async () => {
				const { c, proceeding } = await appeals[state]();
				await does(c, proceeding, 'hold', 'appeal_body', async () =>
					c.act('arbitrator1', 'hold', { reason: 'A dispute.', until: await inDays(30), proceedings: [proceeding] })
				);
			},
		])
	),
	...Object.fromEntries(
		['appeal_filed', 'appeal_review'].flatMap(state => [
			[
				`appeal: ${state} assign → –`,
				async () => {
					const { c, proceeding } = await appeals[state]();
					const body = { ...(await assignment('arbitrator2')), proceedings: [proceeding] };
					await does(c, proceeding, 'assign', 'appeal_body', () => c.act('arbitrator1', 'assign', body));
				},
			],
			[
				`appeal: ${state} recuse → –`,
				async () => {
					const { c, proceeding } = await appeals[state]();
					await does(c, proceeding, 'recuse', 'appeal_body', () =>
						c.act('arbitrator5', 'recuse', { kind: 'full', proceedings: [proceeding] }, { status: 204 })
					);
					await c.show('arbitrator5', 404);
				},
			],
			[
				`appeal: ${state} form_panel → –`,
				async () => {
					const { c, proceeding } = await appeals[state]();
					const members = await personsOf(arbitrators);
					await does(c, proceeding, 'form_panel', 'appeal_body', () =>
						c.act('arbitrator1', 'form_panel', { members, proceedings: [proceeding] })
					);
				},
			],
			[
				`appeal: ${state} put_to_vote → –`,
				async () => {
					const { c, proceeding } = await appeals[state]();
					const motion = state === 'appeal_filed' ? 'accept_appeal' : 'decide_appeal';
					const items = state === 'appeal_filed' ? {} : { items: await outcomes(c, proceeding) };
					await does(c, proceeding, 'put_to_vote', 'appeal_body', () =>
						c.act('arbitrator1', 'put_to_vote', { motion, reasons: 'See the file.', ...items })
					);
				},
			],
			[
				`appeal: ${state} vote → –`,
				async () => {
					const { c, proceeding, proposal } = await votingAppeal(state);
					await does(c, proceeding, 'vote', 'panel', () =>
						c.act('arbitrator2', 'vote', { proposal, item: 0, vote: 'oppose' })
					);
				},
			],
			[
				`appeal: ${state} close_vote → –`,
				async () => {
					const { c, proceeding, proposal } = await votingAppeal(state);
					for (const who of arbitrators) {
						await c.act(who, 'vote', { proposal, item: 0, vote: 'support' });
					}
					await does(c, proceeding, 'close_vote', 'appeal_body', () =>
						c.act('arbitrator1', 'close_vote', { proposal })
					);
				},
			],
		])
	),
	'appeal: appeal_decided record_service → –': async () => {
		const { c, proceeding } = await appeals.appeal_decided();
		const respondent = await c.party('respondent');
		await does(c, proceeding, 'record_service', 'appeal_body', () =>
			c.act('arbitrator1', 'record_service', { respondent, how: 'mail', proceedings: [proceeding] })
		);
	},
	'appeal: appeal_review open_identity → –': async () => {
		const { c, proceeding } = await appeals.appeal_review();
		await opensIdentity(c, proceeding, 'appeal_body', 'arbitrator1', 'arbitrator2');
	},
	'appeal: appeal_review invite_witness → –': async () => {
		const { c, proceeding } = await appeals.appeal_review();
		await invitesWitness(c, proceeding, 'appeal_body', 'arbitrator1');
	},
};

walkAll('appeal', legal, silent);

// Causes: an appeal against each decision that can be appealed.
const objects = {
	'intake decline': async () => ({ ...(await intake.declined()), role: 'reporter' }),
	'matter dismiss': async () => ({ ...(await matter.dismissed()), role: 'reporter' }),
	'matter decide': async () => ({ ...(await matter.resolved()), role: 'respondent' }),
	'matter record': async () => ({ ...(await intake.handed_over('acted')), role: 'reporter' }),
	'appeal decide_appeal': async () => ({
		...(await appeals.appeal_decided('modified')),
		role: 'reporter',
		reconsiders: true,
	}),
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
