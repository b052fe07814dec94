// Whole cases, as people would live them: from the report to the end, and through all kinds of appeals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	assertProblem, call, expectCall, moveClock, people, query, reportBody, rowsOf, runTimers,
} from '../harness/api.mjs';
import {
	acceptance, appeal, appealBody, appeals, ARBCOM, arbitrators, carry, Case, decide, decisionOf,
	FUNCTIONARIES, functionaries, hear, heard, intake, judged, judgment, matter, moved, notice, notices,
	outcomes, pass, personOf, personsOf, proposed, putToVote, reported, turnDown, unknownId,
} from '../harness/cases.mjs';
import { queueOf, withGrants } from '../harness/grants.mjs';

const both = [{ user: people.respondent.user }, { user: people.witness.user }];
const stateAndStage = view => [view.state, view.stage];

// One case from beginning to end ------------------------------------------------------------------

test('a case of severity S2, from report to decided appeal and its end', async () => {
	const body = reportBody({ harmed: 'I stopped editing.', extra: 'See my talk page.' });
	const made = (await expectCall(201, 'reporter', 'POST', '/v1/reports', { body })).body;
	assert.match(made.receipt, /^[0-9A-Z]{5}(-[0-9A-Z]{1,5})+$/);
	assert.deepEqual(stateAndStage(made), ['received', 'report']);
	assert.deepEqual(made.deadlines.map(d => d.what).sort(), ['acknowledge', 'claim']);
	assert.ok(Array.isArray(made.resources));
	const [[id]] = await query(`select case_id from conduct.report where report_id = '${made.report}'`);
	assert.ok((await queueOf('functionary', '&state=received&wiki=enwiki')).includes(id));
	const c = new Case(id, made.report, made.receipt);

	let view = await c.show('functionary');
	assert.deepEqual(
		[view.kind, view.lane, view.body, view.wiki, view.revision],
		['conduct', 'standard', FUNCTIONARIES, 'enwiki', 1]
	);
	assert.deepEqual(
		[view.reports[0].details, view.reports[0].harmed, view.reports[0].extra],
		[body.details, body.harmed, body.extra]
	);
	assert.equal(view.parties.find(p => p.role === 'respondent').user, people.respondent.user);
	assert.deepEqual(view.allowed_actions, ['acknowledge', 'claim', 'escalate', 'hold', 'open_identity', 'recuse']);

	view = await c.act('functionary', 'claim');
	assert.deepEqual(stateAndStage(view), ['triage', 'report']);
	assert.deepEqual(view.assigned, [await personOf('functionary')]);
	assert.ok((await queueOf('functionary', '&assigned=me')).includes(c.id));
	assert.ok(!(await queueOf('functionary2', '&assigned=me')).includes(c.id));
	assert.ok(!(await queueOf('functionary2', '&assigned=none')).includes(c.id));

	view = await c.act('functionary', 'accept', await acceptance(c));
	assert.deepEqual([...stateAndStage(view), view.severity], ['review', 'review', 'S2']);
	const respondent = await c.party('respondent');
	const own = view.proceedings.find(p => p.kind === 'matter');
	assert.deepEqual(own.blocked.propose, ['heard'], 'nobody proposes before the hearing');
	assertProblem(await c.tryAct('functionary', 'propose', await proposed(c)), 409, 'conduct-guard-heard');
	assert.deepEqual(stateAndStage(await c.look('reporter')), ['review', 'review']);

	await c.act('functionary', 'notify_respondent', notice(respondent));
	assertProblem(await c.tryAct('functionary', 'propose', await proposed(c)), 409, 'conduct-guard-hearing-ended');
	let told = await c.look('respondent');
	assert.equal(told.role, 'respondent');
	assert.equal(told.notice.text, notice(respondent).text);
	assert.deepEqual(
		told.allegations.map(a => a.rule),
		['ucoc/3.1/trolling']
	);
	assert.ok(told.allowed_actions.includes('answer') && told.allowed_actions.includes('extend'));
	const { body: mine } = await expectCall(200, 'respondent', 'GET', '/v1/me/participations');
	assert.deepEqual(
		mine.items.find(item => item.id === respondent),
		{ id: respondent, role: 'respondent', state: 'review' }
	);
	await c.party_act('respondent', 'answer', { text: 'It was a joke.' });
	const { body: heardTalk } = await expectCall(
		200,
		'functionary',
		'GET',
		`/v1/cases/${c.id}/messages?channel=respondent&party=${respondent}`
	);
	assert.ok(heardTalk.items.some(item => item.text === 'It was a joke.' && item.author_party === respondent));

	view = await c.act('functionary', 'propose', await proposed(c));
	assert.deepEqual(stateAndStage(view), ['deliberation', 'resolution']);
	const first = await c.proceeding('matter');
	assertProblem(
		await c.tryAct('functionary', 'decide', {
			...(await notices(c, await c.proposal(first))),
			notices: [{ party: respondent, text: 't', lang: 'en' }],
		}),
		422
	);
	view = await c.act('functionary', 'decide', await notices(c, await c.proposal(first)));
	assert.deepEqual(stateAndStage(view), ['resolved', 'resolution']);
	assert.deepEqual(
		view.sanctions.map(s => [s.kind, s.standing]),
		[['warning', 'active']]
	);
	const decision = await decisionOf(c);
	assert.deepEqual(
		decision.items.map(item => [item.kind, item.met ?? item.sanction]),
		[
			['finding', 'met'],
			['sanction', 'warning'],
		]
	);
	assert.ok(Date.parse(decision.appeal_until) - Date.parse(decision.served_at) === 30 * 86400e3);
	assert.equal((await c.look('reporter')).outcome, 'sanction');

	assertProblem(await call('arbitrator1', 'GET', `/v1/cases/${c.id}`), 404);
	const proceeding = await appeal(c);
	view = await c.show('arbitrator1');
	assert.deepEqual([...stateAndStage(view), view.body], ['appeal_filed', 'appeal', ARBCOM]);
	assert.deepEqual(view.proceedings.find(p => p.id === proceeding).claim.grounds, ['disproportionate']);
	assert.deepEqual(
		stateAndStage(await c.show('functionary')),
		['resolved', 'resolution'],
		'whoever decided sees no appeal'
	);
	assert.ok(!(await c.show('functionary')).proceedings.some(p => p.kind === 'appeal'));

	assertProblem(
		await c.tryAct('arbitrator1', 'accept_appeal', { proceedings: [proceeding] }),
		409,
		'conduct-guard-acceptance-vote'
	);
	await hear(c, proceeding);
	const items = await outcomes(c, proceeding);
	items[1].outcome = 'overturned';
	await putToVote(c, 'arbitrator1', 'decide_appeal', proceeding, items);
	const proposal = await carry(c, proceeding, arbitrators.slice(0, 4));
	assertProblem(
		await c.tryAct('arbitrator1', 'decide_appeal', await judgment(c, proposal)),
		409,
		'conduct-guard-panel-named'
	);
	pass('4d');
	assertProblem(
		await c.tryAct('arbitrator1', 'decide_appeal', await judgment(c, proposal)),
		409,
		'conduct-guard-joined-appeals'
	);
	pass('27d');
	view = await c.act('arbitrator1', 'decide_appeal', await judgment(c, proposal));
	assert.deepEqual(
		view.decisions.find(d => d.kind === 'decide_appeal').items.map(item => item.outcome),
		['ratified', 'overturned']
	);
	assert.deepEqual(
		view.sanctions.map(s => s.standing),
		['lifted']
	);
	assert.equal((await c.look('respondent')).outcome, 'no_sanction');
	pass('31d');
	view = await c.show('arbitrator1');
	assert.deepEqual([view.stage, view.proceedings.find(p => p.kind === 'matter').state], ['closed', 'final']);
	assert.ok(view.closed_at);
	assert.equal((await c.look('reporter')).stage, 'closed');
	const { body: history } = await expectCall(200, 'arbitrator1', 'GET', `/v1/cases/${c.id}/events?limit=100`);
	assert.equal(history.next, null);
	const acts = history.items.map(event => event.action);
	for (const action of [
		'submit',
		'claim',
		'accept',
		'notify_respondent',
		'answer',
		'propose',
		'decide',
		'appeal',
		'form_panel',
		'vote',
		'decide_appeal',
		'close',
	]) {
		assert.ok(acts.includes(action), action);
	}
});

test('two respondents of one case have outcomes of their own, and neither learns of the other', async () => {
	const c = await reported({ respondents: both });
	await c.act('functionary', 'claim');
	await c.act('functionary', 'accept', await acceptance(c));
	const [rene, wanda] = [await c.party('respondent', 'respondent'), await c.party('respondent', 'witness')];
	await heard(c, rene, 'respondent');
	await heard(c, wanda, 'witness');
	const [first, second] = [await c.proceeding('matter', rene), await c.proceeding('matter', wanda)];
	assertProblem(await c.tryAct('functionary', 'dismiss', turnDown()), 422, 'conduct-ambiguous-proceedings');
	await decide(c, { respondent: rene });
	assert.equal(await c.stateOf(first), 'resolved');
	assert.equal(await c.stateOf(second), 'review', 'the other matter has not moved');
	await c.act(
		'functionary',
		'propose',
		await proposed(c, { respondent: wanda, met: 'not_met', sanction: null, disposition: 'no_violation' })
	);
	await c.act('functionary', 'decide', await notices(c, await c.proposal(second), wanda));
	const view = await c.show('functionary');
	const dispositions = Object.fromEntries(
		view.proceedings.filter(p => p.kind === 'matter').map(p => [p.respondent, p.disposition])
	);
	assert.deepEqual(dispositions, { [rene]: 'sanction', [wanda]: 'no_violation' });
	const [his, hers] = [await c.look('respondent'), await c.look('respondent', 'witness')];
	assert.deepEqual([his.outcome, hers.outcome], ['sanction', 'no_violation']);
	assert.ok(!JSON.stringify(his).includes(people.witness.user) && !JSON.stringify(his).includes(wanda));
	assert.ok(!JSON.stringify(hers).includes(people.respondent.user) && !JSON.stringify(hers).includes(rene));
	assert.equal(his.decisions.length, 1);
	assert.equal((await c.look('reporter')).outcome, 'sanction');
	// An appeal about one leaves the other alone.
	await appeal(c);
	pass('31d');
	assert.equal(await c.stateOf(first), 'resolved', 'an open appeal keeps it open');
	assert.equal(await c.stateOf(second), 'final');
	await c.party_act('respondent', 'withdraw_appeal');
});

test('whose name is not carried at acceptance is dismissed in the same act, and the reporter may appeal that', async () => {
	const c = await reported({ respondents: both });
	await c.act('functionary', 'claim');
	const rene = await c.party('respondent', 'respondent');
	const view = await c.act('functionary', 'accept', await acceptance(c, { respondents: [rene] }));
	const states = view.proceedings
		.filter(p => p.kind === 'matter')
		.map(p => p.state)
		.sort();
	assert.deepEqual(states, ['dismissed', 'review']);
	assert.equal(view.revision, 3, 'one act');
	const decision = (await c.look('reporter')).decisions.at(-1);
	assert.deepEqual([decision.kind, decision.reason_code], ['dismiss', 'not_accepted']);
	await c.party_act('reporter', 'appeal', await appealBody(c, 'reporter'));
	assertProblem(
		await call('witness', 'GET', `/v1/receipt?participation=${await c.party('respondent', 'witness')}`),
		404,
		'conduct-not-found'
	);
});

// Appeals -----------------------------------------------------------------------------------------

test('reporter and respondent both appeal: heard together, decided together', async () => {
	const { c } = await matter.resolved();
	const first = await appeal(c, 'respondent');
	await hear(c, first);
	const second = await appeal(c, 'reporter', undefined, { grounds: ['policy_misapplied'] });
	assert.notEqual(first, second);
	await putToVote(c, 'arbitrator1', 'decide_appeal', first, await outcomes(c, first));
	const proposal = await carry(c, first, arbitrators.slice(0, 4));
	pass('31d');
	assertProblem(
		await c.tryAct('arbitrator1', 'decide_appeal', await judgment(c, proposal)),
		409,
		'conduct-guard-joined-appeals'
	);
	await c.act('arbitrator1', 'accept_appeal', { proceedings: [second] });
	const revision = await c.revision();
	const view = await c.act('arbitrator1', 'decide_appeal', await judgment(c, proposal));
	assert.equal(view.revision, revision + 1, 'one act');
	assert.deepEqual([await c.stateOf(first), await c.stateOf(second)], ['appeal_decided', 'appeal_decided']);
	const acts = await query(
		`select count(distinct act_id), count(*) from conduct.event where case_id = '${c.id}' and action = 'decide_appeal'`
	);
	assert.deepEqual(acts, [['1', '2']]);
	assert.equal(view.decisions.filter(d => d.kind === 'decide_appeal').length, 2);
	for (const role of ['reporter', 'respondent']) {
		assert.ok(
			(await c.look(role)).decisions.some(d => d.kind === 'decide_appeal' && d.outcome === 'ratified'),
			role
		);
	}
});

test('an appeal needs a window, an adverse decision, items of it, and is one per party', async () => {
	const { c } = await matter.resolved();
	const body = await appealBody(c);
	const before = await rowsOf(c.id);
	assertProblem(await c.tryParty('respondent', 'appeal', { ...body, decision: unknownId() }), 422);
	assertProblem(await c.tryParty('respondent', 'appeal', { ...body, items: [9] }), 422);
	assertProblem(await c.tryParty('respondent', 'appeal', { ...body, items: [] }), 422);
	assertProblem(await c.tryParty('respondent', 'appeal', { ...body, grounds: ['unfair'] }), 422);
	assertProblem(await c.tryParty('respondent', 'appeal', { ...body, reasons: undefined }), 422);
	assert.equal(await rowsOf(c.id), before);
	await c.party_act('respondent', 'appeal', body);
	assertProblem(await c.tryParty('respondent', 'appeal', body), 409, 'conduct-guard-one-appeal');
	await c.party_act('respondent', 'withdraw_appeal');
	assertProblem(await c.tryParty('respondent', 'appeal', body), 409, 'conduct-guard-one-appeal');
	await c.party_act('respondent', 'appeal', { ...body, grounds: ['new_information'] });
	// Nobody is aggrieved by being found without fault.
	const { c: mild } = await matter.heard();
	await decide(mild, { met: 'not_met', sanction: null, disposition: 'no_violation' });
	assertProblem(
		await mild.tryParty('respondent', 'appeal', await appealBody(mild)),
		409,
		'conduct-guard-adversely-affected'
	);
	const late = (await matter.resolved()).c;
	const own = await appealBody(late);
	moveClock('30d');
	assertProblem(await late.tryParty('respondent', 'appeal', own), 409, 'conduct-guard-in-window');
	runTimers();
});

test('a decision remanded goes to new handlers, old votes do not count, and the second time the committee takes it up', async () => {
	const old = functionaries.slice(0, 3);
	const fresh = functionaries.slice(3);
	const { c, proceeding: first } = await matter.deliberationOfThree();
	const oldProposal = await carry(c, first, old);
	assertProblem(
		await c.tryAct('functionary', 'decide', await notices(c, oldProposal)),
		409,
		'conduct-guard-panel-named'
	);
	pass('4d');
	assertProblem(await c.tryAct('functionary5', 'decide', await notices(c, oldProposal)), 403, 'conduct-forbidden');
	await c.act('functionary', 'decide', await notices(c, oldProposal));
	const one = await appeal(c);
	await hear(c, one);
	assertProblem(await c.tryAct('arbitrator1', 'take_up', { reason: 'Ours.' }), 409, 'conduct-guard-remand-spent');
	pass('31d');
	assertProblem(await c.tryAct('arbitrator1', 'remand', { reason: 'Again.' }), 409, 'conduct-guard-tally');
	const motion = await moved(c, one, 'remand');
	await c.act('arbitrator1', 'remand', { reason: 'Look again.', proposal: motion });

	const second = await c.proceeding('matter');
	assert.notEqual(second, first);
	assert.deepEqual([await c.stateOf(first), await c.stateOf(second)], ['final', 'review']);
	const view = await c.show('functionary4');
	assert.equal(view.proceedings.find(p => p.id === second).round, 2);
	assert.equal(
		view.sanctions.every(s => s.standing === 'superseded'),
		true
	);
	assert.ok(
		view.allegations.some(a => a.proceeding === second),
		'the same allegations'
	);
	// Who took part in the first round does nothing in the second.
	const respondent = await c.party('respondent');
	const before = await rowsOf(c.id);
	for (const who of old) {
		assert.ok(!(await c.show(who)).proceedings.some(p => p.id === second), 'nor sees it');
		assertProblem(await c.tryAct(who, 'dismiss', turnDown()), 409, 'conduct-transition-illegal');
		assertProblem(
			await c.tryAct(who, 'form_panel', { members: await personsOf(old), proceedings: [second] }),
			422,
			'conduct-invalid-body'
		);
	}
	assert.equal(await rowsOf(c.id), before);
	await heard(c, respondent, 'respondent', 'functionary4');
	assertProblem(
		await c.tryAct('functionary4', 'form_panel', {
			members: await personsOf(['functionary', ...fresh.slice(1)]),
			proceedings: [second],
		}),
		409,
		'conduct-guard-no-prior-decider'
	);
	await c.act('functionary4', 'form_panel', { members: await personsOf(fresh), proceedings: [second] });
	await c.act('functionary4', 'propose', await proposed(c));
	const proposal = await c.proposal(second);
	assertProblem(
		await c.tryAct('functionary4', 'decide', await notices(c, oldProposal)),
		409,
		'conduct-transition-illegal'
	);
	assertProblem(
		await c.tryAct('functionary4', 'vote', { proposal: oldProposal, item: 1, vote: 'support' }),
		409,
		'conduct-transition-illegal'
	);
	assertProblem(
		await c.tryAct('functionary', 'vote', { proposal, item: 1, vote: 'support' }),
		409,
		'conduct-transition-illegal'
	);
	assertProblem(await c.tryAct('functionary4', 'close_vote', { proposal }), 409, 'conduct-guard-quorum');
	const open = (await c.show('functionary4')).proceedings.find(p => p.id === second).votes;
	assert.deepEqual([open.proposal, open.active, open.voted], [proposal, 3, 0], 'nobody has voted yet');
	await carry(c, second, fresh);
	pass('4d');
	await c.act('functionary4', 'decide', await notices(c, proposal));

	const two = await appeal(c);
	await hear(c, two);
	const again = await moved(c, two, 'remand');
	pass('31d');
	assertProblem(
		await c.tryAct('arbitrator1', 'remand', { reason: 'Once more.', proposal: again }),
		409,
		'conduct-guard-one-remand'
	);
	await c.act('arbitrator1', 'take_up', { reason: 'We go on ourselves.', proposal: again });
	const third = await c.proceeding('matter');
	const rows = (await c.state()).filter(row => row[0] === 'matter');
	assert.deepEqual(
		rows.map(row => [row[1], row[2], row[3]]).sort((a, b) => a[2] - b[2]),
		[
			['final', FUNCTIONARIES, '1'],
			['final', FUNCTIONARIES, '2'],
			['review', ARBCOM, '3'],
		]
	);
	assert.equal(await c.stateOf(two), 'appeal_decided');
	assert.ok((await c.show('arbitrator1')).proceedings.find(p => p.id === third).allowed_actions.includes('propose'));
});

test('a declined report: the reporter appeals, it is remanded, and somebody else takes it', async () => {
	const { c, proceeding: first } = await intake.declined();
	const own = await c.look('reporter');
	assert.equal(own.outcome, 'declined');
	assert.ok(own.allowed_actions.includes('appeal'));
	const proceeding = await appeal(c, 'reporter');
	await hear(c, proceeding);
	// What was declined is ratified here, or goes back.
	assertProblem(
		await c.tryAct('arbitrator1', 'put_to_vote', {
			motion: 'decide_appeal',
			reasons: 'r',
			items: await outcomes(c, proceeding, 'overturned'),
		}),
		422
	);
	const proposal = await moved(c, proceeding, 'remand');
	pass('31d');
	await c.act('arbitrator1', 'remand', { reason: 'There is enough.', proposal });
	const second = await c.proceeding('intake');
	assert.deepEqual([await c.stateOf(first), await c.stateOf(second)], ['declined', 'triage']);
	assertProblem(await c.tryAct('functionary', 'accept', await acceptance(c)), 409, 'conduct-transition-illegal');
	const view = await c.act('functionary2', 'accept', await acceptance(c));
	assert.equal(view.stage, 'review');
});

test('a dismissed matter: the reporter appeals, the committee ratifies, and it ends', async () => {
	const { c, proceeding: own } = await matter.dismissed();
	assert.equal((await c.look('reporter')).outcome, 'dismissed');
	assertProblem(
		await call('respondent', 'GET', `/v1/receipt?participation=${await c.party('respondent')}`),
		404,
		'conduct-not-found'
	);
	const proceeding = await appeal(c, 'reporter');
	await hear(c, proceeding);
	const proposal = await judged(c, proceeding);
	pass('31d');
	await c.act('arbitrator1', 'decide_appeal', await judgment(c, proposal));
	assert.equal(await c.stateOf(own), 'dismissed');
	pass('31d');
	assert.equal(await c.stateOf(own), 'final');
});

test('an appeal is declined, and there is nothing against that', async () => {
	const { c } = await appeals.appeal_declined();
	assertProblem(await c.tryParty('respondent', 'appeal', await appealBody(c)), 409, 'conduct-guard-one-appeal');
	const { body } = await expectCall(
		200,
		'respondent',
		'GET',
		`/v1/receipt/messages?participation=${await c.party('respondent')}`
	);
	assert.ok(
		body.items.some(item => item.text === 'Nothing new.'),
		'the appellant is told why'
	);
});

test('the last instance reconsiders once, with new members', async () => {
	await withGrants(
		[
			['mediator', 'arbitrator', ARBCOM],
			['outsider', 'arbitrator', ARBCOM],
		],
		async () => {
			const { c } = await appeals.appeal_review();
			const first = await c.proceeding('appeal');
			const items = await outcomes(c, first, 'ratified');
			await putToVote(c, 'arbitrator1', 'decide_appeal', first, items);
			const proposal = await carry(c, first, arbitrators);
			pass('31d');
			await c.act('arbitrator1', 'decide_appeal', await judgment(c, proposal));
			const second = await appeal(c);
			const [[isReconsideration, body]] = await query(
				`select is_reconsideration, body_id from conduct.proceeding where proceeding_id = '${second}'`
			);
			assert.deepEqual([isReconsideration, body], ['t', ARBCOM]);
			assertProblem(
				await c.tryAct('arbitrator1', 'form_panel', {
					members: await personsOf(arbitrators),
					proceedings: [second],
				}),
				409,
				'conduct-guard-no-prior-decider'
			);
			const panel = ['mediator', 'outsider', 'arbitrator1', 'arbitrator2', 'arbitrator3'];
			await hear(c, second, panel);
			const again = await judged(c, second, { panel });
			pass('61d');
			await c.act('mediator', 'decide_appeal', await judgment(c, again));
			assert.equal(await c.stateOf(second), 'appeal_decided');
			// Nothing against what was reconsidered.
			const last = (await c.look('respondent')).decisions.at(-1);
			assert.equal(last.appeal_until, null);
			assertProblem(
				await c.tryParty('respondent', 'appeal', {
					decision: last.id,
					items: last.items.map(i => i.item),
					grounds: ['factual_error'],
					reasons: 'r',
				}),
				409
			);
		}
	);
});

test('whoever decided never hears the appeal, whatever role they are given', async () => {
	const { c, proceeding } = await appeals.appeal_filed();
	await withGrants([['functionary', 'arbitrator', ARBCOM]], async () => {
		const members = await personsOf(['functionary', ...arbitrators.slice(0, 4)]);
		assertProblem(
			await c.tryAct('arbitrator1', 'form_panel', { members, proceedings: [proceeding] }),
			409,
			'conduct-guard-no-prior-decider'
		);
		assert.ok(!(await c.show('functionary')).proceedings.some(p => p.id === proceeding), 'nor sees it');
		const before = await rowsOf(c.id);
		assertProblem(
			await c.tryAct('functionary', 'decline_appeal', {
				reason_code: 'out_of_scope',
				reason: 'r',
				proceedings: [proceeding],
			}),
			403
		);
		assert.equal(await rowsOf(c.id), before);
	});
});

test('an appeal does not end without an outcome for each of its items', async () => {
	const { c, proceeding } = await appeals.appeal_review();
	const items = await outcomes(c, proceeding);
	for (const wrong of [[], items.slice(0, 1), [items[0], items[0]], [...items, { ...items[0], item: 9 }]]) {
		assertProblem(
			await c.tryAct('arbitrator1', 'put_to_vote', { motion: 'decide_appeal', reasons: 'r', items: wrong }),
			422
		);
	}
	await putToVote(c, 'arbitrator1', 'decide_appeal', proceeding, items);
	const proposal = await c.proposal(proceeding);
	pass('31d');
	assertProblem(
		await c.tryAct('arbitrator1', 'decide_appeal', await judgment(c, proposal)),
		409,
		'conduct-guard-tally'
	);
	assertProblem(await c.tryAct('arbitrator1', 'close_vote', { proposal }), 409, 'conduct-guard-quorum');
	assert.equal(await c.stateOf(proceeding), 'appeal_review');
});
