// What handling asks for: two people, hearings, emergencies, panels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem, call, expectCall, moveClock, query, runTimers } from '../harness/api.mjs';
import {
	acceptance, carry, FUNCTIONARIES, functionaries, heard, intake, matter, notice, notices, pass,
	personOf, personsOf, proposed, putToVote, reported, turnDown, unknownId,
} from '../harness/cases.mjs';
import { queueOf, seesNothing, withGrants } from '../harness/grants.mjs';

// Two people, hearing, caps -----------------------------------------------------------------------

for (const [title, prepare, action] of [
	[
		'declining what is S3',
		async () => {
			const { c } = await intake.triage();
			await c.act('functionary', 'set_severity', { severity: 'S3', reason: 'Grave.' });
			return { c, body: turnDown() };
		},
		'decline',
	],
	[
		'dismissing what is S3',
		async () => ({ c: (await matter.review({ severity: 'S3' })).c, body: turnDown() }),
		'dismiss',
	],
	[
		'dismissing a report as made in bad faith',
		async () => ({ c: (await matter.review()).c, body: turnDown({ reason_code: 'bad_faith' }) }),
		'dismiss',
	],
	[
		'no hearing at all',
		async () => {
			const { c } = await matter.review({ severity: 'S3' });
			return {
				c,
				body: {
					respondent: await c.party('respondent'),
					kind: 'none',
					reason: 'It would put somebody in danger.',
				},
			};
		},
		'waive_hearing',
	],
]) {
	test(`${title} takes two people`, async () => {
		const { c, body } = await prepare();
		const revision = await c.revision();
		const state = await c.state();
		const { pending } = await c.act('functionary', action, body, { status: 202 });
		assert.deepEqual(await c.state(), state, 'the first alone moves nothing');
		assert.equal(await c.revision(), revision);
		assertProblem(
			await c.tryAct('functionary', action, { ...body, confirm: pending }),
			409,
			'conduct-guard-second-person'
		);
		assertProblem(await c.tryAct('functionary2', action, { ...body, confirm: unknownId() }), 422);
		const other = action === 'waive_hearing' ? { kind: 'unserved' } : { refer_to: 'elsewhere' };
		assert.notEqual(
			(await c.tryAct('functionary2', action, { ...body, ...other, confirm: pending })).status,
			200,
			'what is confirmed is what was proposed'
		);
		await c.act('functionary2', action, { ...body, confirm: pending });
		assertProblem(
			await c.tryAct('functionary3', action, { ...body, confirm: pending }),
			action === 'waive_hearing' ? 422 : 409
		);
		const [[first, second]] =
			action === 'waive_hearing'
				? await query(`select first_person, second_person from conduct.waiver where case_id = '${c.id}'`)
				: await query(`select second_person, decider from conduct.decision where case_id = '${c.id}'`);
		assert.deepEqual([first, second], await personsOf(['functionary', 'functionary2']));
	});
}

test('a decision beyond what one person may do needs a panel', async () => {
	const { c } = await matter.heard();
	const now = Date.parse(
		(await query('select to_char(conduct.clock() at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS"Z"\')'))[0][0]
	);
	const until = new Date(now + 60 * 86400e3).toISOString();
	await c.act('functionary', 'propose', await proposed(c, { sanction: 'block', until, scope: { wiki: 'enwiki' } }));
	const proceeding = await c.proceeding('matter');
	const body = await notices(c, await c.proposal(proceeding));
	assertProblem(await c.tryAct('functionary', 'decide', body), 409, 'conduct-guard-single-decider');
	await c.act('functionary', 'send_back', { reason: 'Too long for one.' });
	await c.act(
		'functionary',
		'propose',
		await proposed(c, {
			sanction: 'block',
			until: new Date(now + 20 * 86400e3).toISOString(),
			scope: { wiki: 'enwiki' },
		})
	);
	await c.act('functionary', 'decide', await notices(c, await c.proposal(proceeding)));
	assert.equal(await c.stateOf(proceeding), 'resolved');
});

test('a hearing lasts its time, longer once on request, and ends with the answer', async () => {
	const { c } = await matter.review();
	const respondent = await c.party('respondent');
	await c.act('functionary', 'notify_respondent', notice(respondent));
	assertProblem(await c.tryAct('functionary', 'notify_respondent', notice(respondent)), 409, 'conduct-guard-once');
	await c.party_act('respondent', 'extend', { reason: 'I travel.' });
	assertProblem(await c.tryParty('respondent', 'extend'), 409, 'conduct-guard-once');
	await c.act('functionary', 'grant_extension', { party: respondent });
	assertProblem(await c.tryAct('functionary', 'grant_extension', { party: respondent }), 409, 'conduct-guard-once');
	pass('8d');
	assertProblem(await c.tryAct('functionary', 'propose', await proposed(c)), 409, 'conduct-guard-hearing-ended');
	pass('7d');
	await c.act('functionary', 'propose', await proposed(c));
});

test('severity never falls below the floor of a rule', async () => {
	const { c } = await intake.triage();
	assertProblem(
		await c.tryAct('functionary', 'accept', await acceptance(c, { severity: 'S2', rule: 'ucoc/3.1/doxing' })),
		409,
		'conduct-guard-severity-floor'
	);
	await c.act('functionary', 'accept', await acceptance(c, { severity: 'S3', rule: 'ucoc/3.1/doxing' }));
	assertProblem(
		await c.tryAct('functionary', 'set_severity', { severity: 'S1', reason: 'r' }),
		409,
		'conduct-guard-severity-floor'
	);
});

test('an informal end: a party objects in time, or it is the end', async () => {
	const { c, proceeding } = await matter.settled();
	assert.equal((await c.look('reporter')).outcome, 'settled');
	const told = await c.look('respondent');
	assert.equal(told.outcome, 'settled');
	await c.party_act('respondent', 'object', { reason: 'I did nothing.' });
	assert.equal(await c.stateOf(proceeding), 'review');
	await c.act('functionary', 'resolve_informally', { advice: 'Keep apart.' });
	moveClock('15d');
	assertProblem(await c.tryParty('reporter', 'object'), 409);
	runTimers();
	assert.equal(await c.stateOf(proceeding), 'final');
	const { c: grave } = await matter.review({ severity: 'S3' });
	assertProblem(
		await grave.tryAct('functionary', 'resolve_informally', { advice: 'No.' }),
		409,
		'conduct-guard-advice-only'
	);
});

test('a report is taken back and resumed, within its time', async () => {
	const { c, proceeding } = await intake.withdrawn();
	assert.equal((await c.look('reporter')).outcome, 'withdrawn');
	await c.party_act('reporter', 'resume');
	assert.equal(await c.stateOf(proceeding), 'triage');
	await c.party_act('reporter', 'withdraw');
	pass('31d');
	assertProblem(await c.tryParty('reporter', 'resume'), 409, 'conduct-guard-resume-period');
	assertProblem(await c.tryAct('functionary', 'resume'), 409, 'conduct-guard-resume-period');
	const { c: grave, proceeding: own } = await intake.triage();
	await grave.act('functionary', 'set_severity', { severity: 'S3', reason: 'Grave.' });
	await grave.party_act('reporter', 'withdraw');
	assert.equal(await grave.stateOf(own), 'triage', 'somebody goes on ex officio');
});

// Emergencies -------------------------------------------------------------------------------------

test('an emergency is taken from everybody: bad credential, no key, unknown wiki, nonsense beside it', async () => {
	const urgent = {
		lane: 'emergency',
		harm_type: 'physical_harm',
		details: 'He says that he comes to my house tonight.',
	};
	for (const [who, body, isUnverified] of [
		[{ authorization: 'Bearer x.y.z' }, urgent, 't'],
		[{ authorization: 'Basic eDp5' }, urgent, 't'],
		[null, urgent, 'f'],
		['reporter', { ...urgent, wiki: 'zzwiki' }, 't'],
		['reporter', { ...urgent, category: 'no-such', state: 'x', respondents: [{ body: 'none' }] }, 't'],
		['reporter', { details: 'A child is in danger.', minor_at_risk: true }, 'f'],
		['reporter', { wiki: 'enwiki', category: 'physical-harm', details: 'A threat.' }, 'f'],
	]) {
		const answer = await expectCall(201, who, 'POST', '/v1/reports', { body, key: null });
		const { report, state, deadlines, notice: help, receipt } = answer.body;
		assert.equal(state, 'escalated');
		assert.deepEqual(Object.keys(answer.body).slice(0, 2), ['resources', 'notice'], 'help comes first');
		assert.match(help.text, /emergency/i);
		assert.ok(deadlines.some(d => d.what === 'acknowledge'));
		const [[wiki, unverified, lane]] = await query(
			`select coalesce(wiki, 'none'), is_unverified, lane from conduct.report where report_id = '${report}'`
		);
		assert.deepEqual([unverified, lane], [isUnverified, 'emergency']);
		assert.equal(wiki === 'none', !body.wiki || body.wiki === 'zzwiki');
		assert.equal((await expectCall(200, { receipt }, 'GET', '/v1/receipt')).body.state, 'escalated');
	}
	assertProblem(
		await call(null, 'POST', '/v1/reports', { body: { lane: 'emergency', harm_type: 'physical_harm' }, key: null }),
		422
	);
	assertProblem(
		await call(null, 'POST', '/v1/reports', { body: { lane: 'emergency', details: 'Help.' }, key: null }),
		422
	);
	const german = await expectCall(201, null, 'POST', '/v1/reports', { body: { ...urgent, lang: 'de' }, key: null });
	assert.equal(german.body.notice.lang, 'de');
});

test('an emergency is never counted against anybody: sixty of them, all taken', async () => {
	const answers = await Promise.all(
		Array.from({ length: 60 }, (_, i) =>
			call('reporter2', 'POST', '/v1/reports', {
				body: { lane: 'emergency', harm_type: 'public_harm', details: `Threat ${i}` },
			})
		)
	);
	assert.deepEqual(new Set(answers.map(answer => answer.status)), new Set([201]));
	for (const answer of answers) {
		assert.equal(answer.body.state, 'escalated');
	}
});

test('an emergency is seen by Trust and Safety alone, first in its queue, and restricted to who took it', async () => {
	const c = await reported({ lane: 'emergency', harm_type: 'physical_harm' });
	const view = await c.show('ts');
	assert.deepEqual([view.lane, view.state, view.body, view.privacy], ['emergency', 'escalated', 'ts', 'restricted']);
	for (const who of [
		'functionary',
		'functionary2',
		'arbitrator1',
		'steward',
		'u4c1',
		'oversighter',
		'outsider',
		'admin',
		'auditor',
		'mediator',
		'respondent',
		'reporter',
	]) {
		await seesNothing(who, c);
	}
	const later = await intake.escalated();
	const queue = await queueOf('ts');
	assert.ok(queue.indexOf(c.id) >= 0 && queue.indexOf(c.id) < queue.indexOf(later.c.id), 'before what is not urgent');
	await withGrants([['steward', 'ts_staff', 'ts']], async () => {
		await c.show('steward');
		await c.act('ts', 'assign', { person: await personOf('ts') });
		await c.show('steward', 404);
		await c.show('ts');
	});
});

test('an emergency is handed back as no emergency: the ordinary body takes it, still restricted', async () => {
	const c = await reported({ lane: 'emergency', harm_type: 'physical_harm' });
	assertProblem(await c.tryAct('ts', 'hand_back', { outcome: 'acted', to_state: 'triage', reason: 'r' }), 422);
	await c.act(
		'ts',
		'hand_back',
		{ outcome: 'no_emergency', to_state: 'triage', reason: 'A quarrel.' },
		{ status: 204 }
	);
	const view = await c.show('functionary');
	assert.deepEqual(
		[view.state, view.body, view.lane, view.privacy],
		['triage', FUNCTIONARIES, 'standard', 'restricted']
	);
	await c.show('ts', 404);
	// Restricted: who is not named loses sight of it with the naming.
	await c.act('functionary', 'assign', { person: await personOf('functionary2') }, { status: 204 });
	await c.show('functionary3', 404);
	await c.show('functionary2');
});

test('an emergency is handed over: acted upon is an object for review, referred is not', async () => {
	const c = await reported({ lane: 'emergency', harm_type: 'physical_harm' });
	await c.act('ts', 'hand_back', { outcome: 'acted', to_state: 'handed_over', reason: 'The account is locked.' });
	const own = await c.proceeding('matter');
	assert.equal(await c.stateOf(own), 'resolved');
	const decision = (await c.look('reporter')).decisions[0];
	assert.equal(decision.kind, 'record');
	assert.equal(Date.parse(decision.appeal_until) - Date.parse(decision.served_at), 183 * 86400e3);
	const { c: other } = await intake.handed_over('referred');
	assert.equal(await other.proceeding('matter'), undefined);
	assert.equal((await other.look('reporter')).outcome, 'handed_over');
});

test("who may harm themselves is nobody's respondent", async () => {
	const c = await reported({ lane: 'emergency', harm_type: 'self_harm' });
	const view = await c.show('ts');
	assert.equal(view.kind, 'welfare');
	assert.deepEqual(
		view.parties.map(p => p.role).filter(role => role === 'respondent'),
		[]
	);
	assert.ok(view.parties.some(p => p.role === 'person_at_risk'));
	assertProblem(await c.tryAct('ts', 'hand_back', { outcome: 'acted', to_state: 'handed_over', reason: 'r' }), 422);
	pass('29d');
	assert.deepEqual(
		(await c.state()).map(row => row.slice(0, 3)),
		[['intake', 'escalated', 'ts']],
		'a welfare case is never handed back by a timer'
	);
	await c.act('ts', 'hand_back', {
		outcome: 'welfare_handled',
		to_state: 'handed_over',
		reason: 'Somebody is with them.',
	});
	assert.equal(await c.proceeding('matter'), undefined);
});

// Panels ------------------------------------------------------------------------------------------

test('a body of panels: accepts by vote, decides by vote, and never below quorum', async () => {
	const members = ['functionary4', 'functionary5', 'functionary6', 'mediator', 'outsider'];
	await withGrants(
		members.map(who => [who, 'functionary', 'frwiki-panel']),
		async () => {
			const c = await reported({ wiki: 'frwiki', incidents: [{ venue: 'on_wiki', wiki: 'frwiki' }] });
			assert.equal((await c.show('functionary4')).body, 'frwiki-panel');
			await c.show('functionary', 404);
			await c.act('functionary4', 'claim');
			const accepting = await acceptance(c);
			assertProblem(await c.tryAct('functionary4', 'accept', accepting), 409, 'conduct-guard-acceptance-vote');
			const first = await c.proceeding('intake');
			assertProblem(
				await c.tryAct('functionary4', 'form_panel', { members: await personsOf(members.slice(0, 2)) }),
				409,
				'conduct-guard-panel-size'
			);
			assertProblem(
				await c.tryAct('functionary4', 'form_panel', {
					members: await personsOf(['functionary', ...members.slice(0, 2)]),
				}),
				422
			);
			await c.act('functionary4', 'form_panel', { members: await personsOf(members.slice(0, 3)) });
			let proposal = await putToVote(c, 'functionary4', 'accept', first);
			assertProblem(
				await c.tryAct('functionary4', 'put_to_vote', { motion: 'accept', reasons: 'r' }),
				409,
				'conduct-guard-open-ballot'
			);
			// A member who is not seated: not from this state, as long as that is so.
			assertProblem(
				await c.tryAct('mediator', 'vote', { proposal, item: 0, vote: 'support' }),
				409,
				'conduct-transition-illegal'
			);
			await c.act('functionary4', 'vote', { proposal, item: 0, vote: 'oppose' });
			await c.act('functionary4', 'vote', { proposal, item: 0, vote: 'support', reason: 'I changed my mind.' });
			await c.act('functionary5', 'vote', { proposal, item: 0, vote: 'oppose' });
			await c.act('functionary6', 'vote', { proposal, item: 0, vote: 'oppose' });
			await c.act('functionary4', 'close_vote', { proposal });
			assertProblem(
				await c.tryAct('functionary4', 'accept', { ...accepting, proposal }),
				409,
				'conduct-guard-acceptance-vote'
			);
			assertProblem(await c.tryAct('functionary4', 'vote', { proposal, item: 0, vote: 'support' }), 409);
			proposal = await putToVote(c, 'functionary4', 'accept', first);
			await c.act('functionary4', 'vote', { proposal, item: 0, vote: 'support' });
			await c.act('functionary5', 'vote', { proposal, item: 0, vote: 'support' });
			await c.act('functionary4', 'close_vote', { proposal });
			await c.act('functionary4', 'accept', { ...accepting, proposal });

			const respondent = await c.party('respondent');
			await heard(c, respondent, 'respondent', 'functionary4');
			const own = await c.proceeding('matter');
			await c.act('functionary4', 'form_panel', {
				members: await personsOf(members.slice(0, 3)),
				proceedings: [own],
			});
			await c.act('functionary4', 'propose', await proposed(c));
			proposal = await c.proposal(own);
			for (const who of members.slice(0, 2)) {
				await c.act(who, 'vote', { proposal, item: 1, vote: 'support' });
				await c.act(who, 'vote', { proposal, item: 2, vote: 'support' });
			}
			assertProblem(await c.tryAct('functionary4', 'close_vote', { proposal }), 409, 'conduct-guard-quorum');
			await c.act(
				'functionary6',
				'recuse',
				{ kind: 'full', reason: 'I know him.', proceedings: [own] },
				{ status: 204 }
			);
			await seesNothing('functionary6', c);
			// Two are left of three: never a lower quorum.
			await c.act('functionary4', 'close_vote', { proposal });
			const lapsed = (await c.show('functionary4')).ballots.find(b => b.id === proposal);
			assert.deepEqual([lapsed.outcome, lapsed.quorum, lapsed.items[0].tally.voters], ['lapsed', 3, 2]);
			pass('6d');
			assertProblem(
				await c.tryAct('functionary4', 'decide', await notices(c, proposal)),
				409,
				'conduct-guard-tally'
			);
			await c.act('functionary4', 'send_back', { reason: 'Below quorum.' });
			assertProblem(
				await c.tryAct('functionary4', 'form_panel', {
					members: await personsOf(members.slice(0, 3)),
					proceedings: [own],
				}),
				409,
				'conduct-guard-not-recused'
			);
			const panel = ['functionary4', 'functionary5', 'outsider'];
			await c.act('functionary4', 'form_panel', { members: await personsOf(panel), proceedings: [own] });
			await c.act('functionary4', 'propose', await proposed(c));
			proposal = await carry(c, own, panel);
			assertProblem(
				await c.tryAct('functionary4', 'decide', await notices(c, proposal)),
				409,
				'conduct-guard-panel-named'
			);
			pass('4d');
			assertProblem(
				await c.tryAct('functionary4', 'decide', await notices(c, proposal)),
				409,
				'conduct-guard-panel-named',
				'five days there'
			);
			pass('2d');
			await c.act('functionary4', 'decide', await notices(c, proposal));
			assert.equal(await c.stateOf(own), 'resolved');
			const { decisions } = await c.show('functionary4');
			assert.deepEqual([decisions[0].voters, decisions[0].quorum], [3, 3]);
		}
	);
});

test('an item that fails just falls', async () => {
	const { c, proceeding } = await matter.deliberationOfThree();
	const proposal = await c.proposal(proceeding);
	for (const who of functionaries.slice(0, 3)) {
		await c.act(who, 'vote', { proposal, item: 1, vote: 'support' });
		await c.act(who, 'vote', { proposal, item: 2, vote: who === 'functionary' ? 'support' : 'oppose' });
	}
	await c.act('functionary', 'close_vote', { proposal });
	const ballot = (await c.show('functionary')).ballots.find(b => b.id === proposal);
	assert.deepEqual(
		ballot.items.map(item => item.tally.passed),
		[true, false]
	);
	assert.equal(ballot.outcome, 'failed', 'a sanction was promised');
	pass('4d');
	assertProblem(await c.tryAct('functionary', 'decide', await notices(c, proposal)), 409, 'conduct-guard-tally');
});
