// Every row of the procedure of kind matter is reached over HTTP and does what it says.
import assert from 'node:assert/strict';
import { assertProblem, people, query } from '../harness/api.mjs';
import {
	acceptance, appeal, appeals, carry, functionaries, hear, intake, matter, moved, notice, notices,
	pass, personsOf, proposed, reported, turnDown,
} from '../harness/cases.mjs';
import {
	assignment, does, endGrants, invitesWitness, officeMatter, opened, opensIdentity, resolvedTwice, walkAll,
} from '../harness/procedure.mjs';

// A seated member holds the role of the body as well, and that one is recorded.
const silent = {
	'matter deliberation close_vote panel': 'recorded as functionary',
	'matter review recuse panel': 'recorded as functionary',
	'matter deliberation recuse panel': 'recorded as functionary',
};

const legal = {
	'matter: new accept → review': async () => {
		const { c } = await intake.accepted();
		await opened(c, 'matter', 'accept', 'review', 'accept');
	},
	'matter: new dismiss → dismissed': async () => {
		const c = await reported({ respondents: [{ user: people.respondent.user }, { user: people.witness.user }] });
		await c.act('functionary', 'claim');
		await c.act(
			'functionary',
			'accept',
			await acceptance(c, { respondents: [await c.party('respondent', 'respondent')] })
		);
		await opened(c, 'matter', 'dismiss', 'dismissed', 'accept');
	},
	'matter: new add_respondent → review': async () => {
		const { c } = await intake.accepted();
		const {
			allegations: [{ rule, incident }],
		} = await acceptance(c);
		await c.act('functionary', 'add_respondent', {
			respondent: { user: people.witness.user },
			allegations: [{ rule, incident }],
		});
		await opened(c, 'matter', 'add_respondent', 'review', 'add_respondent');
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
		await does(c, proceeding, 'resolve_informally', 'functionary', () =>
			c.act('functionary', 'resolve_informally', { advice: 'Keep apart.' })
		);
	},
	'matter: settled object → review': async () => {
		const { c, proceeding } = await matter.settled();
		await does(c, proceeding, 'object', 'party', () =>
			c.party_act('reporter', 'object', { reason: 'Not enough.' })
		);
	},
	'matter: review propose → deliberation': async () => {
		const { c, proceeding } = await matter.heard();
		const body = await proposed(c);
		await does(c, proceeding, 'propose', 'functionary', () => c.act('functionary', 'propose', body));
	},
	'matter: deliberation send_back → review': async () => {
		const { c, proceeding } = await matter.deliberation();
		await does(c, proceeding, 'send_back', 'drafter', () =>
			c.act('functionary', 'send_back', { reason: 'Not ripe.' })
		);
		const three = await matter.deliberationOfThree();
		await does(three.c, three.proceeding, 'send_back', 'panel', () =>
			three.c.act('functionary2', 'send_back', { reason: 'Not ripe.' })
		);
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
			assertProblem(
				await office.c.tryAct('steward', 'decide', { ...telling, confirm: pending }),
				409,
				'conduct-guard-second-person'
			);
			await does(office.c, office.proceeding, 'decide', 'ts_staff', () =>
				office.c.act('oversighter', 'decide', { ...telling, confirm: pending })
			);
		} finally {
			await endGrants();
		}
	},
	...Object.fromEntries(
		['resolved', 'dismissed', 'settled'].map(state => [
			`matter: ${state} close → final`,
			async () => {
				const { c, proceeding } = await matter[state]();
				await does(c, proceeding, 'close', 'system', () => pass('31d'));
			},
		])
	),
	'matter: resolved supersede → final': async () => {
		const { c, proceeding } = await appeals.appeal_review();
		const proposal = await moved(c, proceeding, 'remand');
		pass('31d');
		const first = await c.proceeding('matter');
		await does(c, first, 'supersede', 'panel', () =>
			c.act('arbitrator1', 'remand', { reason: 'Again.', proposal })
		);
	},
	'matter: dismissed supersede → final': async () => {
		const { c, proceeding: first } = await matter.dismissed();
		const proceeding = await appeal(c, 'reporter');
		await hear(c, proceeding);
		const proposal = await moved(c, proceeding, 'remand');
		pass('31d');
		await does(c, first, 'supersede', 'panel', () =>
			c.act('arbitrator1', 'remand', { reason: 'Again.', proposal })
		);
	},
	'matter: review assign → –': async () => {
		const { c, proceeding } = await matter.review();
		const body = { ...(await assignment('functionary2')), proceedings: [proceeding] };
		await does(c, proceeding, 'assign', 'functionary', () => c.act('functionary', 'assign', body));
	},
	'matter: deliberation assign → –': async () => {
		const { c, proceeding } = await matter.deliberation();
		const body = { ...(await assignment('functionary2')), proceedings: [proceeding] };
		await does(c, proceeding, 'assign', 'functionary', () => c.act('functionary', 'assign', body));
	},
	'matter: review notify_respondent → –': async () => {
		const { c, proceeding } = await matter.review();
		const body = notice(await c.party('respondent'));
		await does(c, proceeding, 'notify_respondent', 'functionary', () =>
			c.act('functionary', 'notify_respondent', body)
		);
	},
	'matter: review record_service → –': async () => {
		const { c, proceeding } = await matter.review();
		const respondent = await c.party('respondent');
		await c.act('functionary', 'notify_respondent', notice(respondent));
		await does(c, proceeding, 'record_service', 'functionary', () =>
			c.act('functionary', 'record_service', { respondent, how: 'talk_page', revision: 12345 })
		);
	},
	'matter: resolved record_service → –': async () => {
		const { c, proceeding } = await matter.resolved();
		const respondent = await c.party('respondent');
		await does(c, proceeding, 'record_service', 'functionary', () =>
			c.act('functionary', 'record_service', { respondent, how: 'mail' })
		);
	},
	'matter: dismissed record_service → –': async () => {
		const { c, proceeding } = await matter.dismissed();
		const respondent = await c.party('reporter');
		await does(c, proceeding, 'record_service', 'functionary', () =>
			c.act('functionary', 'record_service', { respondent, how: 'mail', proceedings: [proceeding] })
		);
	},
	'matter: review answer → –': async () => {
		const { c, proceeding } = await matter.review();
		await c.act('functionary', 'notify_respondent', notice(await c.party('respondent')));
		await does(c, proceeding, 'answer', 'party', () =>
			c.party_act('respondent', 'answer', { text: 'It was a joke.' })
		);
	},
	'matter: review extend → –': async () => {
		const { c, proceeding } = await matter.review();
		await c.act('functionary', 'notify_respondent', notice(await c.party('respondent')));
		await does(c, proceeding, 'extend', 'party', () =>
			c.party_act('respondent', 'extend', { reason: 'I travel.' })
		);
	},
	'matter: review grant_extension → –': async () => {
		const { c, proceeding } = await matter.review();
		const respondent = await c.party('respondent');
		await c.act('functionary', 'notify_respondent', notice(respondent));
		await does(c, proceeding, 'grant_extension', 'functionary', () =>
			c.act('functionary', 'grant_extension', { party: respondent })
		);
	},
	'matter: review waive_hearing → –': async () => {
		const { c, proceeding } = await matter.review();
		const respondent = await c.party('respondent');
		await does(c, proceeding, 'waive_hearing', 'functionary', () =>
			c.act('functionary', 'waive_hearing', { respondent, kind: 'gist_only', reason: 'To protect a witness.' })
		);
	},
	...Object.fromEntries(
		['review', 'deliberation'].map(state => [
			`matter: ${state} recuse → –`,
			async () => {
				const { c, proceeding } = await matter[state]();
				await does(c, proceeding, 'recuse', 'functionary', () =>
					c.act('functionary6', 'recuse', { kind: 'full', proceedings: [proceeding] }, { status: 204 })
				);
				await c.show('functionary6', 404);
			},
		])
	),
	...Object.fromEntries(
		['review', 'deliberation'].map(state => [
			`matter: ${state} form_panel → –`,
			async () => {
				const { c, proceeding } = await matter[state]();
				const body = { members: await personsOf(functionaries.slice(0, 3)), proceedings: [proceeding] };
				await does(c, proceeding, 'form_panel', 'functionary', () => c.act('functionary', 'form_panel', body));
			},
		])
	),
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
	...Object.fromEntries(
		['review', 'deliberation'].map(state => [
			`matter: ${state} open_identity → –`,
			async () => {
				const { c, proceeding } = await matter[state]();
				await opensIdentity(c, proceeding, 'functionary', 'functionary', 'functionary2');
			},
		])
	),
	'matter: review invite_witness → –': async () => {
		const { c, proceeding } = await matter.review();
		await invitesWitness(c, proceeding, 'functionary', 'functionary');
	},
};

walkAll('matter', legal, silent);
