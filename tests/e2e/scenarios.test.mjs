// Whole cases, as people would live them, and what other systems are known to get wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem, call, expectCall, moveClock, people, query, reportBody, rowsOf, runTimers } from '../harness/api.mjs';
import { acceptance, appeal, appealBody, appeals, arbitrators, ARBCOM, carry, Case, decide, decisionOf, functionaries,
	FUNCTIONARIES, hear, heard, intake, judged, judgment, matter, moved, notice, notices, outcomes, pass, personOf,
	personsOf, proposed, putToVote, reported, turnDown, unknownId } from '../harness/cases.mjs';

const UNTIL = '2098-01-01T00:00:00Z';
const both = [{ user: people.respondent.user }, { user: people.witness.user }];

/** Gives a demo person a role through the API; returns the grant's id. */
async function grant(who, role, body) {
	const answer = await expectCall(201, 'admin', 'POST', '/v1/admin/grants', { body: { person: { user: people[who].user }, role, body, until: UNTIL } });
	assert.equal(answer.body.role, role);
	return answer.body.id;
}

const endGrant = id => expectCall(204, 'admin', 'DELETE', `/v1/admin/grants/${id}`);

/** Runs with some more grants, which end afterwards. */
async function withGrants(list, work) {
	const ids = [];
	try {
		for (const [who, role, body] of list) {
			ids.push(await grant(who, role, body));
		}
		await work();
	} finally {
		for (const id of ids) {
			await endGrant(id);
		}
	}
}

async function queueOf(who, filter = '') {
	const ids = [];
	let cursor;
	do {
		const { body } = await expectCall(200, who, 'GET', `/v1/cases?limit=100${filter}${cursor ? `&cursor=${cursor}` : ''}`);
		ids.push(...body.items.map(item => item.id));
		cursor = body.next;
	} while (cursor);
	return ids;
}

/** Nothing of the case is there for somebody: no read, list, history, conversation, act. */
async function seesNothing(who, c) {
	for (const path of ['', '/events', '/messages?channel=internal', '/messages?channel=reporter']) {
		assertProblem(await call(who, 'GET', `/v1/cases/${c.id}${path}`), 404, 'conduct-not-found');
	}
	for (const action of ['claim', 'acknowledge', 'recuse']) {
		const answer = await c.tryAct(who, action, action === 'recuse' ? { kind: 'full' } : {});
		assertProblem(answer, 404, 'conduct-not-found');
	}
	assertProblem(await call(who, 'POST', `/v1/cases/${c.id}/messages?channel=internal`, { body: { text: 'x' } }), 404, 'conduct-not-found');
	const queue = await call(who, 'GET', '/v1/cases?limit=1');
	if (queue.status === 200) {
		for (const filter of ['', '&state=received', '&state=triage', '&state=escalated', '&assigned=none', `&respondent=${encodeURIComponent(people.respondent.user)}`]) {
			assert.ok(!(await queueOf(who, filter)).includes(c.id), `${who} finds the case in the queue ${filter}`);
		}
	} else {
		assertProblem(queue, 403, 'conduct-forbidden');
	}
}

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
	assert.deepEqual([view.kind, view.lane, view.body, view.wiki, view.revision], ['conduct', 'standard', FUNCTIONARIES, 'enwiki', 1]);
	assert.deepEqual([view.reports[0].details, view.reports[0].harmed, view.reports[0].extra], [body.details, body.harmed, body.extra]);
	assert.equal(view.parties.find(p => p.role === 'respondent').user, people.respondent.user);
	assert.deepEqual(view.allowed_actions, ['acknowledge', 'claim', 'escalate', 'recuse']);

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
	assert.deepEqual(told.allegations.map(a => a.rule), ['ucoc/3.1/trolling']);
	assert.ok(told.allowed_actions.includes('answer') && told.allowed_actions.includes('extend'));
	const { body: mine } = await expectCall(200, 'respondent', 'GET', '/v1/me/participations');
	assert.deepEqual(mine.items.find(item => item.id === respondent), { id: respondent, role: 'respondent', state: 'review' });
	await c.party_act('respondent', 'answer', { text: 'It was a joke.' });
	const { body: heardTalk } = await expectCall(200, 'functionary', 'GET', `/v1/cases/${c.id}/messages?channel=respondent&party=${respondent}`);
	assert.ok(heardTalk.items.some(item => item.text === 'It was a joke.' && item.author_party === respondent));

	view = await c.act('functionary', 'propose', await proposed(c));
	assert.deepEqual(stateAndStage(view), ['deliberation', 'resolution']);
	const first = await c.proceeding('matter');
	assertProblem(await c.tryAct('functionary', 'decide', { ...await notices(c, await c.proposal(first)), notices: [{ party: respondent, text: 't', lang: 'en' }] }), 422);
	view = await c.act('functionary', 'decide', await notices(c, await c.proposal(first)));
	assert.deepEqual(stateAndStage(view), ['resolved', 'resolution']);
	assert.deepEqual(view.sanctions.map(s => [s.kind, s.standing]), [['warning', 'active']]);
	const decision = await decisionOf(c);
	assert.deepEqual(decision.items.map(item => [item.kind, item.met ?? item.sanction]), [['finding', 'met'], ['sanction', 'warning']]);
	assert.ok(Date.parse(decision.appeal_until) - Date.parse(decision.served_at) === 30 * 86400e3);
	assert.equal((await c.look('reporter')).outcome, 'sanction');

	assertProblem(await call('arbitrator1', 'GET', `/v1/cases/${c.id}`), 404);
	const proceeding = await appeal(c);
	view = await c.show('arbitrator1');
	assert.deepEqual([...stateAndStage(view), view.body], ['appeal_filed', 'appeal', ARBCOM]);
	assert.deepEqual(view.proceedings.find(p => p.id === proceeding).claim.grounds, ['disproportionate']);
	assert.deepEqual(stateAndStage(await c.show('functionary')), ['resolved', 'resolution'], 'whoever decided sees no appeal');
	assert.ok(!(await c.show('functionary')).proceedings.some(p => p.kind === 'appeal'));

	assertProblem(await c.tryAct('arbitrator1', 'accept_appeal', { proceedings: [proceeding] }), 409, 'conduct-guard-acceptance-vote');
	await hear(c, proceeding);
	const items = await outcomes(c, proceeding);
	items[1].outcome = 'overturned';
	await putToVote(c, 'arbitrator1', 'decide_appeal', proceeding, items);
	const proposal = await carry(c, proceeding, arbitrators.slice(0, 4));
	assertProblem(await c.tryAct('arbitrator1', 'decide_appeal', await judgment(c, proposal)), 409, 'conduct-guard-panel-named');
	pass('4d');
	assertProblem(await c.tryAct('arbitrator1', 'decide_appeal', await judgment(c, proposal)), 409, 'conduct-guard-joined-appeals');
	pass('27d');
	view = await c.act('arbitrator1', 'decide_appeal', await judgment(c, proposal));
	assert.deepEqual(view.decisions.find(d => d.kind === 'decide_appeal').items.map(item => item.outcome), ['ratified', 'overturned']);
	assert.deepEqual(view.sanctions.map(s => s.standing), ['lifted']);
	assert.equal((await c.look('respondent')).outcome, 'no_sanction');
	pass('31d');
	view = await c.show('arbitrator1');
	assert.deepEqual([view.stage, view.proceedings.find(p => p.kind === 'matter').state], ['closed', 'final']);
	assert.ok(view.closed_at);
	assert.equal((await c.look('reporter')).stage, 'closed');
	const { body: history } = await expectCall(200, 'arbitrator1', 'GET', `/v1/cases/${c.id}/events?limit=100`);
	assert.equal(history.next, null);
	const acts = history.items.map(event => event.action);
	for (const action of ['submit', 'claim', 'accept', 'notify_respondent', 'answer', 'propose', 'decide', 'appeal', 'form_panel', 'vote', 'decide_appeal', 'close']) {
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
	await c.act('functionary', 'propose', await proposed(c, { respondent: wanda, met: 'not_met', sanction: null, disposition: 'no_violation' }));
	await c.act('functionary', 'decide', await notices(c, await c.proposal(second), wanda));
	const view = await c.show('functionary');
	const dispositions = Object.fromEntries(view.proceedings.filter(p => p.kind === 'matter').map(p => [p.respondent, p.disposition]));
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
	const states = view.proceedings.filter(p => p.kind === 'matter').map(p => p.state).sort();
	assert.deepEqual(states, ['dismissed', 'review']);
	assert.equal(view.revision, 3, 'one act');
	const decision = (await c.look('reporter')).decisions.at(-1);
	assert.deepEqual([decision.kind, decision.reason_code], ['dismiss', 'not_accepted']);
	await c.party_act('reporter', 'appeal', await appealBody(c, 'reporter'));
	assertProblem(await call('witness', 'GET', `/v1/receipt?participation=${await c.party('respondent', 'witness')}`), 404, 'conduct-not-found');
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
	assertProblem(await c.tryAct('arbitrator1', 'decide_appeal', await judgment(c, proposal)), 409, 'conduct-guard-joined-appeals');
	await c.act('arbitrator1', 'accept_appeal', { proceedings: [second] });
	const revision = await c.revision();
	const view = await c.act('arbitrator1', 'decide_appeal', await judgment(c, proposal));
	assert.equal(view.revision, revision + 1, 'one act');
	assert.deepEqual([await c.stateOf(first), await c.stateOf(second)], ['appeal_decided', 'appeal_decided']);
	const acts = await query(`select count(distinct act_id), count(*) from conduct.event where case_id = '${c.id}' and action = 'decide_appeal'`);
	assert.deepEqual(acts, [['1', '2']]);
	assert.equal(view.decisions.filter(d => d.kind === 'decide_appeal').length, 2);
	for (const role of ['reporter', 'respondent']) {
		assert.ok((await c.look(role)).decisions.some(d => d.kind === 'decide_appeal' && d.outcome === 'ratified'), role);
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
	assertProblem(await mild.tryParty('respondent', 'appeal', await appealBody(mild)), 409, 'conduct-guard-adversely-affected');
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
	assertProblem(await c.tryAct('functionary', 'decide', await notices(c, oldProposal)), 409, 'conduct-guard-panel-named');
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
	assert.equal(view.sanctions.every(s => s.standing === 'superseded'), true);
	assert.ok(view.allegations.some(a => a.proceeding === second), 'the same allegations');
	// Who took part in the first round does nothing in the second.
	const respondent = await c.party('respondent');
	const before = await rowsOf(c.id);
	for (const who of old) {
		assert.ok(!(await c.show(who)).proceedings.some(p => p.id === second), 'nor sees it');
		assertProblem(await c.tryAct(who, 'dismiss', turnDown()), 409, 'conduct-transition-illegal');
		assertProblem(await c.tryAct(who, 'form_panel', { members: await personsOf(old), proceedings: [second] }), 422, 'conduct-invalid-body');
	}
	assert.equal(await rowsOf(c.id), before);
	await heard(c, respondent, 'respondent', 'functionary4');
	assertProblem(await c.tryAct('functionary4', 'form_panel', { members: await personsOf(['functionary', ...fresh.slice(1)]), proceedings: [second] }),
		409, 'conduct-guard-no-prior-decider');
	await c.act('functionary4', 'form_panel', { members: await personsOf(fresh), proceedings: [second] });
	await c.act('functionary4', 'propose', await proposed(c));
	const proposal = await c.proposal(second);
	assertProblem(await c.tryAct('functionary4', 'decide', await notices(c, oldProposal)), 409, 'conduct-transition-illegal');
	assertProblem(await c.tryAct('functionary4', 'vote', { proposal: oldProposal, item: 1, vote: 'support' }), 409, 'conduct-transition-illegal');
	assertProblem(await c.tryAct('functionary', 'vote', { proposal, item: 1, vote: 'support' }), 409, 'conduct-transition-illegal');
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
	assertProblem(await c.tryAct('arbitrator1', 'remand', { reason: 'Once more.', proposal: again }), 409, 'conduct-guard-one-remand');
	await c.act('arbitrator1', 'take_up', { reason: 'We go on ourselves.', proposal: again });
	const third = await c.proceeding('matter');
	const rows = (await c.state()).filter(row => row[0] === 'matter');
	assert.deepEqual(rows.map(row => [row[1], row[2], row[3]]).sort((a, b) => a[2] - b[2]),
		[['final', FUNCTIONARIES, '1'], ['final', FUNCTIONARIES, '2'], ['review', ARBCOM, '3']]);
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
	assertProblem(await c.tryAct('arbitrator1', 'put_to_vote', { motion: 'decide_appeal', reasons: 'r', items: await outcomes(c, proceeding, 'overturned') }), 422);
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
	assertProblem(await call('respondent', 'GET', `/v1/receipt?participation=${await c.party('respondent')}`), 404, 'conduct-not-found');
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
	const { body } = await expectCall(200, 'respondent', 'GET', `/v1/receipt/messages?participation=${await c.party('respondent')}`);
	assert.ok(body.items.some(item => item.text === 'Nothing new.'), 'the appellant is told why');
});

test('the last instance reconsiders once, with new members', async () => {
	await withGrants([['mediator', 'arbitrator', ARBCOM], ['outsider', 'arbitrator', ARBCOM]], async () => {
		const { c } = await appeals.appeal_review();
		const first = await c.proceeding('appeal');
		const items = await outcomes(c, first, 'ratified');
		await putToVote(c, 'arbitrator1', 'decide_appeal', first, items);
		const proposal = await carry(c, first, arbitrators);
		pass('31d');
		await c.act('arbitrator1', 'decide_appeal', await judgment(c, proposal));
		const second = await appeal(c);
		const [[isReconsideration, body]] = await query(`select is_reconsideration, body_id from conduct.proceeding where proceeding_id = '${second}'`);
		assert.deepEqual([isReconsideration, body], ['t', ARBCOM]);
		assertProblem(await c.tryAct('arbitrator1', 'form_panel', { members: await personsOf(arbitrators), proceedings: [second] }), 409, 'conduct-guard-no-prior-decider');
		const panel = ['mediator', 'outsider', 'arbitrator1', 'arbitrator2', 'arbitrator3'];
		await hear(c, second, panel);
		const again = await judged(c, second, { panel });
		pass('61d');
		await c.act('mediator', 'decide_appeal', await judgment(c, again));
		assert.equal(await c.stateOf(second), 'appeal_decided');
		// Nothing against what was reconsidered.
		const last = (await c.look('respondent')).decisions.at(-1);
		assert.equal(last.appeal_until, null);
		assertProblem(await c.tryParty('respondent', 'appeal', { decision: last.id, items: last.items.map(i => i.item), grounds: ['factual_error'], reasons: 'r' }), 409);
	});
});

test('whoever decided never hears the appeal, whatever role they are given', async () => {
	const { c, proceeding } = await appeals.appeal_filed();
	await withGrants([['functionary', 'arbitrator', ARBCOM]], async () => {
		const members = await personsOf(['functionary', ...arbitrators.slice(0, 4)]);
		assertProblem(await c.tryAct('arbitrator1', 'form_panel', { members, proceedings: [proceeding] }), 409, 'conduct-guard-no-prior-decider');
		assert.ok(!(await c.show('functionary')).proceedings.some(p => p.id === proceeding), 'nor sees it');
		const before = await rowsOf(c.id);
		assertProblem(await c.tryAct('functionary', 'decline_appeal', { reason_code: 'out_of_scope', reason: 'r', proceedings: [proceeding] }), 403);
		assert.equal(await rowsOf(c.id), before);
	});
});

test('an appeal does not end without an outcome for each of its items', async () => {
	const { c, proceeding } = await appeals.appeal_review();
	const items = await outcomes(c, proceeding);
	for (const wrong of [[], items.slice(0, 1), [items[0], items[0]], [...items, { ...items[0], item: 9 }]]) {
		assertProblem(await c.tryAct('arbitrator1', 'put_to_vote', { motion: 'decide_appeal', reasons: 'r', items: wrong }), 422);
	}
	await putToVote(c, 'arbitrator1', 'decide_appeal', proceeding, items);
	const proposal = await c.proposal(proceeding);
	pass('31d');
	assertProblem(await c.tryAct('arbitrator1', 'decide_appeal', await judgment(c, proposal)), 409, 'conduct-guard-tally');
	assertProblem(await c.tryAct('arbitrator1', 'close_vote', { proposal }), 409, 'conduct-guard-quorum');
	assert.equal(await c.stateOf(proceeding), 'appeal_review');
});

// Two people, hearing, caps -----------------------------------------------------------------------

for (const [title, prepare, action] of [
	['declining what is S3', async () => {
		const { c } = await intake.triage();
		await c.act('functionary', 'set_severity', { severity: 'S3', reason: 'Grave.' });
		return { c, body: turnDown() };
	}, 'decline'],
	['dismissing what is S3', async () => ({ c: (await matter.review({ severity: 'S3' })).c, body: turnDown() }), 'dismiss'],
	['dismissing a report as made in bad faith', async () => ({ c: (await matter.review()).c, body: turnDown({ reason_code: 'bad_faith' }) }), 'dismiss'],
	['no hearing at all', async () => {
		const { c } = await matter.review({ severity: 'S3' });
		return { c, body: { respondent: await c.party('respondent'), kind: 'none', reason: 'It would put somebody in danger.' } };
	}, 'waive_hearing'],
]) {
	test(`${title} takes two people`, async () => {
		const { c, body } = await prepare();
		const revision = await c.revision();
		const state = await c.state();
		const { pending } = await c.act('functionary', action, body, { status: 202 });
		assert.deepEqual(await c.state(), state, 'the first alone moves nothing');
		assert.equal(await c.revision(), revision);
		assertProblem(await c.tryAct('functionary', action, { ...body, confirm: pending }), 409, 'conduct-guard-second-person');
		assertProblem(await c.tryAct('functionary2', action, { ...body, confirm: unknownId() }), 422);
		const other = action === 'waive_hearing' ? { kind: 'unserved' } : { refer_to: 'elsewhere' };
		assert.notEqual((await c.tryAct('functionary2', action, { ...body, ...other, confirm: pending })).status, 200, 'what is confirmed is what was proposed');
		await c.act('functionary2', action, { ...body, confirm: pending });
		assertProblem(await c.tryAct('functionary3', action, { ...body, confirm: pending }), action === 'waive_hearing' ? 422 : 409);
		const [[first, second]] = action === 'waive_hearing'
			? await query(`select first_person, second_person from conduct.waiver where case_id = '${c.id}'`)
			: await query(`select second_person, decider from conduct.decision where case_id = '${c.id}'`);
		assert.deepEqual([first, second], await personsOf(['functionary', 'functionary2']));
	});
}

test('a decision beyond what one person may do needs a panel', async () => {
	const { c } = await matter.heard();
	const now = Date.parse((await query('select to_char(conduct.clock() at time zone \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS"Z"\')'))[0][0]);
	const until = new Date(now + 60 * 86400e3).toISOString();
	await c.act('functionary', 'propose', await proposed(c, { sanction: 'block', until, scope: { wiki: 'enwiki' } }));
	const proceeding = await c.proceeding('matter');
	const body = await notices(c, await c.proposal(proceeding));
	assertProblem(await c.tryAct('functionary', 'decide', body), 409, 'conduct-guard-single-decider');
	await c.act('functionary', 'send_back', { reason: 'Too long for one.' });
	await c.act('functionary', 'propose', await proposed(c, { sanction: 'block', until: new Date(now + 20 * 86400e3).toISOString(), scope: { wiki: 'enwiki' } }));
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
	assertProblem(await c.tryAct('functionary', 'accept', await acceptance(c, { severity: 'S2', rule: 'ucoc/3.1/doxing' })), 409, 'conduct-guard-severity-floor');
	await c.act('functionary', 'accept', await acceptance(c, { severity: 'S3', rule: 'ucoc/3.1/doxing' }));
	assertProblem(await c.tryAct('functionary', 'set_severity', { severity: 'S1', reason: 'r' }), 409, 'conduct-guard-severity-floor');
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
	assertProblem(await grave.tryAct('functionary', 'resolve_informally', { advice: 'No.' }), 409, 'conduct-guard-advice-only');
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
	const urgent = { lane: 'emergency', harm_type: 'physical_harm', details: 'He says that he comes to my house tonight.' };
	for (const [who, body, isUnverified] of [
		[{ authorization: 'Bearer x.y.z' }, urgent, 't'], [{ authorization: 'Basic eDp5' }, urgent, 't'], [null, urgent, 'f'],
		['reporter', { ...urgent, wiki: 'zzwiki' }, 't'], ['reporter', { ...urgent, category: 'no-such', state: 'x', respondents: [{ body: 'none' }] }, 't'],
		['reporter', { details: 'A child is in danger.', minor_at_risk: true }, 'f'],
		['reporter', { wiki: 'enwiki', category: 'physical-harm', details: 'A threat.' }, 'f']])
	{
		const answer = await expectCall(201, who, 'POST', '/v1/reports', { body, key: null });
		const { report, state, deadlines, notice: help, receipt } = answer.body;
		assert.equal(state, 'escalated');
		assert.deepEqual(Object.keys(answer.body).slice(0, 2), ['resources', 'notice'], 'help comes first');
		assert.match(help.text, /emergency/i);
		assert.ok(deadlines.some(d => d.what === 'acknowledge'));
		const [[wiki, unverified, lane]] = await query(`select coalesce(wiki, 'none'), is_unverified, lane from conduct.report where report_id = '${report}'`);
		assert.deepEqual([unverified, lane], [isUnverified, 'emergency']);
		assert.equal(wiki === 'none', !body.wiki || body.wiki === 'zzwiki');
		assert.equal((await expectCall(200, { receipt }, 'GET', '/v1/receipt')).body.state, 'escalated');
	}
	assertProblem(await call(null, 'POST', '/v1/reports', { body: { lane: 'emergency', harm_type: 'physical_harm' }, key: null }), 422);
	assertProblem(await call(null, 'POST', '/v1/reports', { body: { lane: 'emergency', details: 'Help.' }, key: null }), 422);
	const german = await expectCall(201, null, 'POST', '/v1/reports', { body: { ...urgent, lang: 'de' }, key: null });
	assert.equal(german.body.notice.lang, 'de');
});

test('an emergency is never counted against anybody: sixty of them, all taken', async () => {
	const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => call('reporter2', 'POST', '/v1/reports',
		{ body: { lane: 'emergency', harm_type: 'public_harm', details: `Threat ${i}` } })));
	assert.deepEqual(new Set(answers.map(answer => answer.status)), new Set([201]));
	for (const answer of answers) {
		assert.equal(answer.body.state, 'escalated');
	}
});

test('an emergency is seen by Trust and Safety alone, first in its queue, and restricted to who took it', async () => {
	const c = await reported({ lane: 'emergency', harm_type: 'physical_harm' });
	const view = await c.show('ts');
	assert.deepEqual([view.lane, view.state, view.body, view.privacy], ['emergency', 'escalated', 'ts', 'restricted']);
	for (const who of ['functionary', 'functionary2', 'arbitrator1', 'steward', 'u4c1', 'oversighter', 'outsider', 'admin', 'auditor', 'mediator', 'respondent', 'reporter']) {
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
	await c.act('ts', 'hand_back', { outcome: 'no_emergency', to_state: 'triage', reason: 'A quarrel.' }, { status: 204 });
	const view = await c.show('functionary');
	assert.deepEqual([view.state, view.body, view.lane, view.privacy], ['triage', FUNCTIONARIES, 'standard', 'restricted']);
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

test('who may harm themselves is nobody\'s respondent', async () => {
	const c = await reported({ lane: 'emergency', harm_type: 'self_harm' });
	const view = await c.show('ts');
	assert.equal(view.kind, 'welfare');
	assert.deepEqual(view.parties.map(p => p.role).filter(role => role === 'respondent'), []);
	assert.ok(view.parties.some(p => p.role === 'person_at_risk'));
	assertProblem(await c.tryAct('ts', 'hand_back', { outcome: 'acted', to_state: 'handed_over', reason: 'r' }), 422);
	moveClock('29d');
	runTimers();
	assert.deepEqual((await c.state()).map(row => row.slice(0, 3)), [['intake', 'escalated', 'ts']], 'a welfare case is never handed back by a timer');
	await c.act('ts', 'hand_back', { outcome: 'welfare_handled', to_state: 'handed_over', reason: 'Somebody is with them.' });
	assert.equal(await c.proceeding('matter'), undefined);
});

// Panels ------------------------------------------------------------------------------------------

test('a body of panels: accepts by vote, decides by vote, and never below quorum', async () => {
	const members = ['functionary4', 'functionary5', 'functionary6', 'mediator', 'outsider'];
	await withGrants(members.map(who => [who, 'functionary', 'frwiki-panel']), async () => {
		const c = await reported({ wiki: 'frwiki', incidents: [{ venue: 'on_wiki', wiki: 'frwiki' }] });
		assert.equal((await c.show('functionary4')).body, 'frwiki-panel');
		await c.show('functionary', 404);
		await c.act('functionary4', 'claim');
		const accepting = await acceptance(c);
		assertProblem(await c.tryAct('functionary4', 'accept', accepting), 409, 'conduct-guard-acceptance-vote');
		const first = await c.proceeding('intake');
		assertProblem(await c.tryAct('functionary4', 'form_panel', { members: await personsOf(members.slice(0, 2)) }), 409, 'conduct-guard-panel-size');
		assertProblem(await c.tryAct('functionary4', 'form_panel', { members: await personsOf(['functionary', ...members.slice(0, 2)]) }), 422);
		await c.act('functionary4', 'form_panel', { members: await personsOf(members.slice(0, 3)) });
		let proposal = await putToVote(c, 'functionary4', 'accept', first);
		assertProblem(await c.tryAct('functionary4', 'put_to_vote', { motion: 'accept', reasons: 'r' }), 409, 'conduct-guard-open-ballot');
		// A member who is not seated: not from this state, as long as that is so.
		assertProblem(await c.tryAct('mediator', 'vote', { proposal, item: 0, vote: 'support' }), 409, 'conduct-transition-illegal');
		await c.act('functionary4', 'vote', { proposal, item: 0, vote: 'oppose' });
		await c.act('functionary4', 'vote', { proposal, item: 0, vote: 'support', reason: 'I changed my mind.' });
		await c.act('functionary5', 'vote', { proposal, item: 0, vote: 'oppose' });
		await c.act('functionary6', 'vote', { proposal, item: 0, vote: 'oppose' });
		await c.act('functionary4', 'close_vote', { proposal });
		assertProblem(await c.tryAct('functionary4', 'accept', { ...accepting, proposal }), 409, 'conduct-guard-acceptance-vote');
		assertProblem(await c.tryAct('functionary4', 'vote', { proposal, item: 0, vote: 'support' }), 409);
		proposal = await putToVote(c, 'functionary4', 'accept', first);
		await c.act('functionary4', 'vote', { proposal, item: 0, vote: 'support' });
		await c.act('functionary5', 'vote', { proposal, item: 0, vote: 'support' });
		await c.act('functionary4', 'close_vote', { proposal });
		await c.act('functionary4', 'accept', { ...accepting, proposal });

		const respondent = await c.party('respondent');
		await heard(c, respondent, 'respondent', 'functionary4');
		const own = await c.proceeding('matter');
		await c.act('functionary4', 'form_panel', { members: await personsOf(members.slice(0, 3)), proceedings: [own] });
		await c.act('functionary4', 'propose', await proposed(c));
		proposal = await c.proposal(own);
		for (const who of members.slice(0, 2)) {
			await c.act(who, 'vote', { proposal, item: 1, vote: 'support' });
			await c.act(who, 'vote', { proposal, item: 2, vote: 'support' });
		}
		assertProblem(await c.tryAct('functionary4', 'close_vote', { proposal }), 409, 'conduct-guard-quorum');
		await c.act('functionary6', 'recuse', { kind: 'full', reason: 'I know him.', proceedings: [own] }, { status: 204 });
		await seesNothing('functionary6', c);
		// Two are left of three: never a lower quorum.
		await c.act('functionary4', 'close_vote', { proposal });
		const lapsed = (await c.show('functionary4')).ballots.find(b => b.id === proposal);
		assert.deepEqual([lapsed.outcome, lapsed.quorum, lapsed.items[0].tally.voters], ['lapsed', 3, 2]);
		pass('6d');
		assertProblem(await c.tryAct('functionary4', 'decide', await notices(c, proposal)), 409, 'conduct-guard-tally');
		await c.act('functionary4', 'send_back', { reason: 'Below quorum.' });
		assertProblem(await c.tryAct('functionary4', 'form_panel', { members: await personsOf(members.slice(0, 3)), proceedings: [own] }), 409, 'conduct-guard-not-recused');
		const panel = ['functionary4', 'functionary5', 'outsider'];
		await c.act('functionary4', 'form_panel', { members: await personsOf(panel), proceedings: [own] });
		await c.act('functionary4', 'propose', await proposed(c));
		proposal = await carry(c, own, panel);
		assertProblem(await c.tryAct('functionary4', 'decide', await notices(c, proposal)), 409, 'conduct-guard-panel-named');
		pass('4d');
		assertProblem(await c.tryAct('functionary4', 'decide', await notices(c, proposal)), 409, 'conduct-guard-panel-named', 'five days there');
		pass('2d');
		await c.act('functionary4', 'decide', await notices(c, proposal));
		assert.equal(await c.stateOf(own), 'resolved');
		const { decisions } = await c.show('functionary4');
		assert.deepEqual([decisions[0].voters, decisions[0].quorum], [3, 3]);
	});
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
	assert.deepEqual(ballot.items.map(item => item.tally.passed), [true, false]);
	assert.equal(ballot.outcome, 'failed', 'a sanction was promised');
	pass('4d');
	assertProblem(await c.tryAct('functionary', 'decide', await notices(c, proposal)), 409, 'conduct-guard-tally');
});

// Who sees what -----------------------------------------------------------------------------------

test('a handler whom the reporter names sees and does nothing; more than a third stay until somebody rules', async () => {
	const exclude = names => names.map(who => ({ user: people[who].user, reason: 'A friend of his.' }));
	const c = await reported({ exclude_handlers: exclude(['functionary5']) });
	await seesNothing('functionary5', c);
	await c.act('functionary', 'claim');
	assertProblem(await c.tryAct('functionary', 'assign', { person: await personOf('functionary5') }), 409, 'conduct-guard-not-recused');
	await c.act('functionary', 'accept', await acceptance(c));
	const own = await c.proceeding('matter');
	assertProblem(await c.tryAct('functionary', 'form_panel', { members: await personsOf(['functionary', 'functionary2', 'functionary5']), proceedings: [own] }),
		409, 'conduct-guard-not-recused');
	await heard(c);
	await decide(c);
	await seesNothing('functionary5', c);
	const many = await reported({ exclude_handlers: exclude(['functionary4', 'functionary5', 'functionary6']) });
	await seesNothing('functionary4', many);
	await seesNothing('functionary5', many);
	await many.show('functionary6');
	const [[pending]] = await query(`select count(*) from conduct.recusal where case_id = '${many.id}' and standing = 'pending'`);
	assert.equal(pending, '1');
	assert.ok((await many.show('functionary')).deadlines.some(d => d.what === 'rule_on_conflict'));
	const all = await reported({ exclude_handlers: exclude(functionaries) });
	const sees = [];
	for (const who of functionaries) {
		sees.push((await call(who, 'GET', `/v1/cases/${all.id}`)).status);
	}
	assert.deepEqual(sees.sort(), [200, 200, 200, 200, 404, 404], 'a committee is not disabled by naming it');
});

test('what may be about a functionary is triaged one level up, and the local body sees nothing', async () => {
	for (const about of ['yes', 'unsure']) {
		const c = await reported({ about_functionary: about });
		assert.equal((await c.show('arbitrator1')).body, ARBCOM);
		for (const who of ['functionary', 'functionary3']) {
			await seesNothing(who, c);
		}
	}
});

test('a functionary who is the respondent sees nothing, however the name is spelled', async () => {
	for (const name of [people.functionary6.user, people.functionary6.user.replace(' ', '_'), people.functionary6.user.toUpperCase(), 'Fеlіx  Functionary', 'Félix Functionary.']) {
		const c = await reported({ respondents: [{ user: name }] }, 'reporter2');
		await c.show('functionary');
		await seesNothing('functionary6', c);
	}
});

test('who reports all members of a body does not disable it: it goes up', async () => {
	const c = await reported({ respondents: functionaries.map(who => ({ user: people[who].user })) }, 'reporter2');
	assert.equal((await c.show('arbitrator1')).body, ARBCOM);
	for (const who of functionaries) {
		await seesNothing(who, c);
	}
});

test('the only functionary of a wiki never gets the report about himself', async () => {
	await withGrants([['mediator', 'functionary', 'itwiki-functionaries']], async () => {
		const itwiki = { wiki: 'itwiki', incidents: [{ venue: 'on_wiki', wiki: 'itwiki' }] };
		const other = await reported(itwiki, 'reporter2');
		assert.equal((await other.show('mediator')).body, 'itwiki-functionaries');
		const c = await reported({ ...itwiki, respondents: [{ user: people.mediator.user }] }, 'reporter2');
		await seesNothing('mediator', c);
		const [[body]] = await query(`select body_id from conduct.proceeding where case_id = '${c.id}'`);
		assert.notEqual(body, 'itwiki-functionaries');
		await c.show('u4c1');
	});
});

test('a report without account: its receipt shows, talks, withdraws, resumes and appeals', async () => {
	const { body } = await expectCall(201, null, 'POST', '/v1/reports', { body: reportBody({ contact: 'somebody@example.org' }) });
	const me = { receipt: body.receipt };
	const get = async path => (await expectCall(200, me, 'GET', path)).body;
	const shown = await get('/v1/receipt');
	assert.deepEqual([shown.role, shown.state, shown.stage], ['reporter', 'received', 'report']);
	assert.deepEqual(shown.next_deadline.what, 'acknowledge');
	assert.ok(shown.allowed_actions.includes('withdraw'));
	const [[id]] = await query(`select case_id from conduct.report where report_id = '${body.report}'`);
	const c = new Case(id, body.report, body.receipt);
	const view = await c.show('functionary');
	assert.equal(view.parties.find(p => p.role === 'reporter').identity, 'anonymous');
	assert.ok(!JSON.stringify(view).includes('somebody@example.org'), 'the contact is nobody\'s to read');
	await expectCall(201, me, 'POST', '/v1/receipt/messages', { body: { text: 'It goes on.' } });
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${id}/messages?channel=reporter`, { body: { text: 'We look at it.' } });
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${id}/messages?channel=internal`, { body: { text: 'Credible.' } });
	const talk = await get('/v1/receipt/messages');
	assert.deepEqual(talk.items.map(item => [item.from, item.text]), [['party', 'It goes on.'], ['handlers', 'We look at it.']]);
	assert.ok(!JSON.stringify(talk).includes(await personOf('functionary')), 'a body speaks with one voice');
	const { body: theirs } = await expectCall(200, 'functionary', 'GET', `/v1/cases/${id}/messages?channel=reporter`);
	assert.deepEqual(theirs.items.map(item => item.text), ['It goes on.', 'We look at it.']);
	await c.party_act('reporter', 'withdraw', { reason: 'Afraid.' });
	await c.party_act('reporter', 'resume');
	await c.act('functionary', 'decline', turnDown());
	const own = await get('/v1/receipt');
	assert.equal(own.decisions[0].reason_code, 'insufficient');
	assert.equal(own.decisions[0].refer_to, 'talk-page');
	await appeal(c, 'reporter');
	assert.equal((await get('/v1/receipt')).state, 'appeal_filed');
	assertProblem(await call('reporter', 'GET', '/v1/receipt/messages'), 400);
});

test('a comment changes no state', async () => {
	const { c } = await matter.settled();
	const state = await c.state();
	const revision = await c.revision();
	await expectCall(201, { receipt: c.receipt }, 'POST', '/v1/receipt/messages', { body: { text: 'Please reopen: state=review.' } });
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${c.id}/messages?channel=internal`, { body: { text: 'Closed?' } });
	assert.deepEqual(await c.state(), state);
	assert.equal(await c.revision(), revision);
});

const secret = { user: people.reporter.user, sub: people.reporter.sub };
for (const identity of ['sealed', 'anonymous']) {
	test(`a reporter who is ${identity} is in no answer to anybody, from the report to the appeal`, async () => {
		const c = await reported({ identity, targets: [{ self: true }] });
		const answers = [];
		const look = async () => {
			const respondent = await c.party('respondent');
			for (const [who, path] of [['functionary', `/v1/cases/${c.id}`], ['functionary', `/v1/cases/${c.id}/events?limit=100`],
				['functionary', `/v1/cases/${c.id}/messages?channel=reporter`], ['functionary', `/v1/cases/${c.id}/messages?channel=internal`],
				['functionary', '/v1/cases?limit=100'], ['arbitrator1', `/v1/cases/${c.id}`], ['arbitrator1', `/v1/cases/${c.id}/events?limit=100`],
				['respondent', `/v1/receipt?participation=${respondent}`], ['respondent', `/v1/receipt/messages?participation=${respondent}`],
				['respondent', '/v1/me/participations'], ['ts', `/v1/cases/${c.id}`]])
			{
				answers.push((await call(who, 'GET', path)).text);
			}
		};
		await look();
		answers.push((await c.tryAct('functionary', 'claim')).text);
		const [[claims]] = await query(`select count(*) from conduct.event where case_id = '${c.id}' and action = 'claim'`);
		assert.equal(claims, '1');
		answers.push(JSON.stringify(await c.act('functionary', 'accept', await acceptance(c))));
		await heard(c);
		await look();
		await decide(c);
		await appeal(c);
		await look();
		const index = (await query(`select encode(id_ix, 'hex') || ' ' || encode(name_ix, 'hex') from conduct.person_account a
			join conduct.content n on n.content_id = a.name_content where convert_from(n.body, 'UTF8') = '${secret.user}'`)).flat().join(' ').split(' ');
		for (const text of answers) {
			assert.ok(!text.includes(secret.user), 'the name');
			assert.ok(!text.includes('Rosa'), 'part of the name');
			assert.ok(!text.includes(`"${secret.sub}"`), 'the central id');
			for (const one of index.filter(Boolean)) {
				assert.ok(!text.includes(one), 'an index');
			}
		}
		// Nor in what leaves for others to be told.
		const facts = (await query(`select facts::text from conduct.outbox where case_id = '${c.id}'`)).flat().join('\n');
		assert.ok(!facts.includes(secret.user) && !facts.includes(people.respondent.user), 'notifications carry ids and states only');
		const reporter = await c.party('reporter');
		assert.ok(!(await expectCall(200, 'reporter', 'GET', '/v1/me/participations')).body.items.some(item => item.id === reporter), 'no list tells of it');
		assert.equal((await call('reporter', 'GET', `/v1/receipt?participation=${reporter}`)).status, identity === 'anonymous' ? 404 : 200);
		assertProblem(await call('functionary', 'GET', `/v1/receipt?participation=${reporter}`), 404, 'conduct-not-found');
	});
}

test('a reporter who wants to be named is, to handlers, and never to the respondent', async () => {
	const c = await reported({ identity: 'named' });
	await c.act('functionary', 'claim');
	await c.act('functionary', 'accept', await acceptance(c));
	await heard(c);
	assert.equal((await c.show('functionary')).parties.find(p => p.role === 'reporter').user, secret.user);
	const his = JSON.stringify(await c.look('respondent'));
	assert.ok(!his.includes(secret.user) && !his.includes('reporter'));
	const { body } = await expectCall(200, 'reporter', 'GET', '/v1/me/participations');
	assert.ok(body.items.some(item => item.role === 'reporter'));
});

test('a party with a role sees only as party', async () => {
	const c = await reported({ identity: 'named' }, 'functionary3');
	await seesNothing('functionary3', c);
	const reporter = await c.party('reporter');
	const { body } = await expectCall(200, 'functionary3', 'GET', `/v1/receipt?participation=${reporter}`);
	assert.equal(body.role, 'reporter');
});

test('access ends with the grant, at once, and begins with another', async () => {
	const { c } = await intake.received();
	await c.show('mediator', 404);
	const id = await grant('mediator', 'functionary', FUNCTIONARIES);
	await c.act('mediator', 'claim');
	assert.ok((await queueOf('mediator', '&assigned=me')).includes(c.id));
	await endGrant(id);
	await seesNothing('mediator', c);
	await endGrant(id);
	assertProblem(await call('admin', 'DELETE', `/v1/admin/grants/${unknownId()}`), 404, 'conduct-not-found');
	const { body } = await expectCall(200, 'admin', 'GET', '/v1/admin/grants?limit=100');
	assert.ok(body.items.find(item => item.id === id).ended_at);
	// A grant counts from its beginning to its end.
	const [[now]] = await query(`select extract(epoch from conduct.clock())::bigint`);
	const at = days => new Date((Number(now) + days * 86400) * 1000).toISOString().replace(/\.\d+Z/, 'Z');
	const made = await expectCall(201, 'admin', 'POST', '/v1/admin/grants',
		{ body: { person: { user: people.mediator.user }, role: 'functionary', body: FUNCTIONARIES, from: at(1), until: at(3) } });
	await c.show('mediator', 404);
	pass('2d');
	await c.show('mediator');
	pass('2d');
	await c.show('mediator', 404);
	assertProblem(await call('admin', 'POST', '/v1/admin/grants', { body: { person: await personOf('mediator'), role: 'functionary', body: FUNCTIONARIES, from: at(3), until: at(2) } }), 422);
	await endGrant(made.body.id);
});

test('grants are made by administrators alone, of roles that the body has', async () => {
	const body = { person: { user: people.mediator.user }, role: 'functionary', body: FUNCTIONARIES, until: UNTIL };
	for (const who of ['functionary', 'ts', 'auditor', 'policy_maintainer', 'reporter']) {
		assertProblem(await call(who, 'POST', '/v1/admin/grants', { body }), 403, 'conduct-forbidden');
	}
	for (const [changes, pointer] of [[{ role: 'arbitrator' }, '/role'], [{ body: 'nowhere' }, '/body'], [{ body: undefined }, '/body'],
		[{ role: 'admin' }, '/body'], [{ person: { user: 'Nobody At All' } }, '/person'], [{ person: unknownId() }, '/person'], [{ role: 'king' }, '/role'], [{ until: 'never' }, '/until']])
	{
		const problem = assertProblem(await call('admin', 'POST', '/v1/admin/grants', { body: { ...body, ...changes } }), 422, 'conduct-invalid-body');
		assert.deepEqual(problem.errors.map(error => error.pointer), [pointer]);
	}
});

test('auditors and administrators read no case; nobody audits the body they work in', async () => {
	const { c } = await matter.review();
	for (const who of ['auditor', 'admin', 'policy_maintainer']) {
		await seesNothing(who, c);
		assertProblem(await call(who, 'GET', '/v1/cases'), 403, 'conduct-forbidden');
	}
	const answer = await call('admin', 'POST', '/v1/admin/grants', { body: { person: { user: people.auditor.user }, role: 'functionary', body: FUNCTIONARIES, until: UNTIL } });
	assertProblem(answer, 409, 'conduct-guard-auditor-is-no-functionary');
});

test('what counts is the case\'s own jurisdiction, not what a request says', async () => {
	const { c } = await intake.triage();
	const dewiki = await reported({ wiki: 'dewiki', incidents: [{ venue: 'on_wiki', wiki: 'dewiki' }] });
	assert.equal((await dewiki.show('outsider')).body, 'dewiki-functionaries');
	await dewiki.show('functionary', 404);
	await seesNothing('outsider', c);
	const before = await rowsOf(c.id);
	// The ids of a case one sees do not open one that is hidden.
	const [[own]] = await query(`select proceeding_id from conduct.proceeding where case_id = '${c.id}'`);
	assertProblem(await dewiki.tryAct('outsider', 'claim', { proceedings: [own] }), 422, 'conduct-invalid-body');
	assertProblem(await call('outsider', 'GET', `/v1/cases/${dewiki.id}/messages?channel=reporter&party=${await c.party('reporter')}`), 422);
	assert.ok(!(await queueOf('outsider', `&body=${FUNCTIONARIES}`)).includes(c.id));
	assert.ok(!(await queueOf('outsider', '&wiki=enwiki')).includes(c.id));
	assert.equal(await rowsOf(c.id), before);
});

test('who is told nothing finds nothing: the respondent before the notice', async () => {
	const { c } = await matter.review();
	const respondent = await c.party('respondent');
	assertProblem(await call('respondent', 'GET', `/v1/receipt?participation=${respondent}`), 404, 'conduct-not-found');
	assert.ok(!(await expectCall(200, 'respondent', 'GET', '/v1/me/participations')).body.items.some(item => item.id === respondent));
	assertProblem(await call('respondent', 'POST', `/v1/receipt/actions/answer?participation=${respondent}`, { body: { text: 'x' } }), 404, 'conduct-not-found');
	assertProblem(await call('functionary', 'POST', `/v1/cases/${c.id}/messages?channel=respondent&party=${respondent}`, { body: { text: 'Hello.' } }), 422);
	assertProblem(await call('witness', 'GET', `/v1/receipt?participation=${respondent}`), 404, 'conduct-not-found');
	await c.act('functionary', 'notify_respondent', notice(respondent));
	await c.look('respondent');
	assertProblem(await call('witness', 'GET', `/v1/receipt?participation=${respondent}`), 404, 'conduct-not-found');
});
