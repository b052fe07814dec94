// Every row of the procedure of kind intake is reached over HTTP and does what it says.
import assert from 'node:assert/strict';
import { inDays, people } from '../harness/api.mjs';
import { acceptance, functionaries, intake, moved, notice, pass, personsOf, reported, turnDown } from '../harness/cases.mjs';
import {
	acted, assignment, declinedAppeal, declinedTwice, does, emergency, escalation, eventsOf, invitesWitness, opened,
	opensIdentity, panelIntake, provesWord, votingIntake, walkAll,
} from '../harness/procedure.mjs';

const silent = {
	// What the system could do by itself, parties and handlers do.
	'intake received withdraw system': 'a report is withdrawn by its reporter',
	'intake triage withdraw system': 'a report is withdrawn by its reporter',
	'intake triage escalate system': 'the system escalates at submission, from received',
	'intake triage close_vote panel': 'recorded as functionary, which a seated member is as well',
};

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
		await does(c, proceeding, 'remand', 'panel', () =>
			c.act('arbitrator1', 'remand', { reason: 'Look again.', proposal })
		);
		await opened(c, 'intake', 'remand', 'triage', 'remand');
	},
	'intake: new take_up → accepted': async () => {
		const { c, proceeding } = await declinedTwice();
		const proposal = await moved(c, proceeding, 'take_up');
		pass('31d');
		await does(c, proceeding, 'take_up', 'panel', () =>
			c.act('arbitrator1', 'take_up', { reason: 'We go on.', proposal })
		);
		await opened(c, 'intake', 'take_up', 'accepted', 'take_up');
		assert.ok(await c.proceeding('matter'), 'what is accepted has a matter');
	},
	'intake: received claim → triage': async () => {
		const { c, proceeding } = await intake.received();
		await does(c, proceeding, 'claim', 'functionary', () => c.act('functionary', 'claim'));
	},
	'intake: received escalate → escalated': async () => {
		const { c, proceeding } = await intake.received();
		await does(c, proceeding, 'escalate', 'functionary', () =>
			c.act('functionary', 'escalate', escalation, { status: 204 })
		);
		// By system: an emergency is escalated in the act of submission.
		const own = await emergency();
		const events = await eventsOf(await own.proceeding('intake'));
		assert.deepEqual(
			events.map(e => [e[2], e[4]]),
			[
				['submit', 'reporter'],
				['escalate', 'system'],
			]
		);
		acted.add('intake received escalate system');
	},
	'intake: triage escalate → escalated': async () => {
		const { c, proceeding } = await intake.triage();
		await does(c, proceeding, 'escalate', 'functionary', () =>
			c.act('functionary', 'escalate', escalation, { status: 204 })
		);
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
		await does(
			c,
			proceeding,
			'hand_back',
			'external_body',
			() => c.act('ts', 'hand_back', { outcome: 'referred', to_state: 'handed_over', reason: 'Elsewhere.' }),
			'handed_over'
		);
	},
	'intake: escalated hand_back → triage': async () => {
		const { c, proceeding } = await intake.escalated();
		await does(
			c,
			proceeding,
			'hand_back',
			'external_body',
			() =>
				c.act(
					'ts',
					'hand_back',
					{ outcome: 'no_emergency', to_state: 'triage', reason: 'Not ours.' },
					{ status: 204 }
				),
			'triage'
		);
		// By system: nobody hands it back in time.
		const late = await intake.escalated();
		await does(late.c, late.proceeding, 'hand_back', 'system', () => pass('29d'), 'triage');
	},
	'intake: received withdraw → withdrawn': async () => {
		const { c, proceeding } = await intake.received();
		await does(c, proceeding, 'withdraw', 'reporter', () => c.party_act('reporter', 'withdraw'));
	},
	'intake: triage withdraw → withdrawn': async () => {
		const { c, proceeding } = await intake.triage();
		await does(c, proceeding, 'withdraw', 'reporter', () =>
			c.party_act('reporter', 'withdraw', { reason: 'Solved.' })
		);
	},
	'intake: withdrawn resume → triage': async () => {
		const one = await intake.withdrawn();
		await does(one.c, one.proceeding, 'resume', 'reporter', () => one.c.party_act('reporter', 'resume'));
		const other = await intake.withdrawn();
		await does(other.c, other.proceeding, 'resume', 'functionary', () => other.c.act('functionary', 'resume'));
	},
	'intake: accepted add_respondent → accepted': async () => {
		const { c, proceeding } = await intake.accepted();
		const {
			allegations: [{ rule, incident }],
		} = await acceptance(c);
		await does(c, proceeding, 'add_respondent', 'functionary', () =>
			c.act('functionary', 'add_respondent', {
				respondent: { user: people.witness.user },
				allegations: [{ rule, incident }],
			})
		);
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
		const body = { ...(await assignment('functionary2')), proceedings: [proceeding] };
		await does(c, proceeding, 'assign', 'functionary', () => c.act('functionary', 'assign', body));
	},
	'intake: escalated assign → –': async () => {
		const { c, proceeding } = await intake.escalated();
		const body = await assignment('ts');
		await does(c, proceeding, 'assign', 'external_body', () => c.act('ts', 'assign', body));
	},
	'intake: triage set_severity → –': async () => {
		const { c, proceeding } = await intake.triage();
		const view = await does(c, proceeding, 'set_severity', 'functionary', () =>
			c.act('functionary', 'set_severity', { severity: 'S2', reason: 'Repeated.' })
		);
		assert.equal(view.severity, 'S2');
	},
	'intake: accepted set_severity → –': async () => {
		const { c, proceeding } = await intake.accepted();
		await does(c, proceeding, 'set_severity', 'functionary', () =>
			c.act('functionary', 'set_severity', { severity: 'S3', reason: 'Graver than it looked.' })
		);
	},
	...Object.fromEntries(
		['received', 'triage', 'accepted', 'declined', 'handed_over', 'withdrawn', 'escalated'].map(state => [
			`intake: ${state} hold → –`,
			async () => {
				const { c, proceeding } = await intake[state]();
				const [who, role] = state === 'escalated' ? ['ts', 'external_body']
					: [state === 'handed_over' ? 'ts' : 'functionary', 'functionary'];
				await does(c, proceeding, 'hold', role, async () =>
					c.act(who, 'hold', { reason: 'A court asks.', until: await inDays(100), proceedings: [proceeding] })
				);
			},
		])
	),
	...Object.fromEntries(
		['received', 'triage', 'accepted'].map(state => [
			`intake: ${state} recuse → –`,
			async () => {
				const { c, proceeding } = await intake[state]();
				await does(c, proceeding, 'recuse', 'functionary', () =>
					c.act(
						'functionary6',
						'recuse',
						{ kind: 'full', reason: 'A friend of mine.', proceedings: [proceeding] },
						{ status: 204 }
					)
				);
				await c.show('functionary6', 404);
			},
		])
	),
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
		await does(c, proceeding, 'put_to_vote', 'functionary', () =>
			c.act('functionary', 'put_to_vote', { motion: 'accept', reasons: 'Let us look at it.' })
		);
	},
	'intake: triage vote → –': async () => {
		const { c, proceeding, proposal } = await votingIntake();
		await does(c, proceeding, 'vote', 'panel', () =>
			c.act('functionary2', 'vote', { proposal, item: 0, vote: 'support' })
		);
	},
	'intake: triage close_vote → –': async () => {
		const { c, proceeding, proposal } = await votingIntake();
		for (const who of functionaries.slice(0, 3)) {
			await c.act(who, 'vote', { proposal, item: 0, vote: 'support' });
		}
		await does(c, proceeding, 'close_vote', 'functionary', () => c.act('functionary', 'close_vote', { proposal }));
	},
	...Object.fromEntries(
		['received', 'triage'].map(state => [
			`intake: ${state} open_identity → –`,
			async () => {
				const { c, proceeding } = await intake[state]();
				await opensIdentity(c, proceeding, 'functionary', 'functionary', 'functionary2');
			},
		])
	),
	'intake: escalated open_identity → –': async () => {
		const c = await emergency();
		const wish = { party: await c.party('reporter'), reason: 'We have to reach them.' };
		await does(c, await c.proceeding('intake'), 'open_identity', 'external_body', () => c.act('ts', 'open_identity', wish));
	},
	'intake: triage invite_witness → –': async () => {
		const { c, proceeding } = await intake.triage();
		await invitesWitness(c, proceeding, 'functionary', 'functionary');
	},
	'intake: escalated invite_witness → –': async () => {
		const { c, proceeding } = await intake.escalated();
		await invitesWitness(c, proceeding, 'external_body', 'ts');
	},
	'intake: triage prove → –': async () => {
		const { c, proceeding } = await intake.triage();
		await provesWord(c, proceeding, 'witness', await invitesWitness(c, proceeding, 'functionary', 'functionary'));
	},
	'intake: escalated prove → –': async () => {
		const { c, proceeding } = await intake.escalated();
		await provesWord(c, proceeding, 'witness', await invitesWitness(c, proceeding, 'external_body', 'ts'));
	},
	'intake: accepted prove → –': async () => {
		const c = await reported({ respondents: [{ unknown: 'Somebody in the chat.' }] });
		await c.act('functionary', 'claim');
		const proceeding = await c.proceeding('intake');
		const word = await invitesWitness(c, proceeding, 'functionary', 'functionary');
		await c.act('functionary', 'accept', await acceptance(c));
		await provesWord(c, proceeding, 'witness', word);
		const told = await c.act('functionary', 'notify_respondent', notice(await c.party('respondent')));
		await provesWord(c, proceeding, 'respondent', told.word);
	},
};

walkAll('intake', legal, silent);
