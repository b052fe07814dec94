// Who a hidden party is, and people who become a party by a word: opened by two, told to the party, proved
// once, and never a receipt in a handler's hands.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { assertProblem, call, expectCall, people, query } from '../harness/api.mjs';
import { acceptance, arbitrators, Case, functionaries, notice, pass, reported } from '../harness/cases.mjs';
import { seesNothing, withGrants } from '../harness/grants.mjs';

const RECEIPT = /^[0-9A-Z]{5}(-[0-9A-Z]{5}){4}-[0-9A-Z]{4}$/;
const reporterOf = view => view.parties.find(({ role }) => role === 'reporter');
const prove = (word, options = {}) => call(null, 'POST', '/v1/receipt/prove', { body: { word }, ...options });
/** A refusal without what names the request. */
const bytes = answer => answer.text.replace(/"instance":"[^"]*"/, '').trimEnd();

async function claimed(changes, who) {
	const c = await reported(changes, who);
	await c.act('functionary', 'claim');
	return c;
}

async function wish(c, more = {}) {
	return { party: await c.party('reporter'), reason: 'We have to reach them.', ...more };
}

test('an identity is opened by two people, to these two, and the reporter is told', async () => {
	const contact = 'rosa.opened@example.org';
	const c = await claimed({ contact });
	const told = async () => (await c.look('reporter')).identity_opened;
	const { pending } = await c.act('functionary', 'open_identity', await wish(c), { status: 202 });
	assert.deepEqual(await told(), [], 'nothing has been opened yet');
	assertProblem(await c.tryAct('functionary', 'open_identity', await wish(c, { confirm: pending })), 409, 'conduct-guard-second-person');
	await c.act('functionary3', 'recuse', { kind: 'full', reason: 'A friend.' }, { status: 204 });
	assertProblem(await c.tryAct('functionary3', 'open_identity', await wish(c, { confirm: pending })), 404, 'conduct-not-found');
	assert.equal(reporterOf(await c.show()).identity_opened, null);
	const view = await c.act('functionary2', 'open_identity', await wish(c, { confirm: pending }));
	const { at, ...opened } = reporterOf(view).identity_opened;
	assert.deepEqual(opened, { user: people.reporter.user, user_hidden: false, contact });
	assert.deepEqual(await told(), [{ at, role: 'functionary' }]);
	assert.equal(reporterOf(await c.show('functionary')).identity_opened.contact, contact);
	const other = await c.show('functionary4');
	assert.deepEqual(reporterOf(other).identity_opened, { at });
	for (const word of [people.reporter.user, contact]) {
		assert.ok(!JSON.stringify(other).includes(word), `${word} is nobody else's to read`);
	}
	const { body } = await expectCall(200, 'functionary2', 'GET', `/v1/cases/${c.id}/events?limit=100`);
	const act = body.items.find(({ action }) => action === 'open_identity');
	assert.equal(act.facts.party, await c.party('reporter'));
});

test('every handler calls a party by the same name, which is of no use elsewhere', async () => {
	const c = await claimed();
	const names = view => view.parties.map(({ id, pseudonym }) => [id, pseudonym]);
	const view = await c.show('functionary');
	assert.deepEqual(view.parties.map(({ pseudonym }) => pseudonym), ['reporter-1', 'target-1', 'respondent-1']);
	await c.act('functionary', 'invite_witness', { name: 'The neighbour', question: 'What did you hear?' });
	assert.deepEqual(names(await c.show('functionary2')).slice(0, 3), names(view));
	assert.ok(!names(view).flat().includes(reporterOf(await (await claimed()).show()).id));
});

test('a reporter without account, name and address has nothing to open', async () => {
	const c = await claimed({ targets: [] }, null);
	assertProblem(await c.tryAct('functionary', 'open_identity', await wish(c)), 409, 'conduct-guard-has-identity');
	const reached = await claimed({ targets: [], contact: 'somebody@example.org' }, null);
	const { pending } = await reached.act('functionary', 'open_identity', await wish(reached), { status: 202 });
	const view = await reached.act('functionary2', 'open_identity', await wish(reached, { confirm: pending }));
	assert.equal(reporterOf(view).identity_opened.contact, 'somebody@example.org');
	assert.equal(reporterOf(view).identity_opened.user, null);
});

test('in an emergency one opens at once; unconfirmed, the ombud is told', () => withGrants([['mediator', 'ts_staff', 'ts']], async () => {
	const c = await reported({ lane: 'emergency', harm_type: 'physical_harm', contact: 'now@example.org' });
	const { pending, ...view } = await c.act('ts', 'open_identity', await wish(c));
	assert.equal(reporterOf(view).identity_opened.contact, 'now@example.org');
	assert.ok(view.deadlines.some(({ what }) => what === 'confirm_identity'));
	assertProblem(await c.tryAct('ts', 'open_identity', await wish(c, { confirm: pending })), 409, 'conduct-guard-second-person');
	assert.deepEqual((await c.look('reporter')).identity_opened, [], 'the danger is not over');
	const ombud = () => query(`select facts ->> 'what' from conduct.outbox where case_id = '${c.id}' and kind = 'ombud'`);
	pass('23h');
	assert.deepEqual(await ombud(), []);
	pass('2h');
	assert.deepEqual(await ombud(), [['confirm_identity']]);
	// Late is better than never, and changes nothing about it.
	await c.act('mediator', 'open_identity', await wish(c, { confirm: pending }));
	assert.equal(reporterOf(await c.show('mediator')).identity_opened.contact, 'now@example.org');
	await c.act('ts', 'hand_back', { outcome: 'no_emergency', to_state: 'triage', reason: 'Nobody is in danger.' }, { status: 204 });
	const [{ role }] = (await c.look('reporter')).identity_opened;
	assert.equal(role, 'ts_staff');
	assert.equal((await c.show('functionary')).parties.some(({ identity_opened: o }) => o?.contact), false);
}));

// Words ---------------------------------------------------------------------------------------------

test('a witness from the invitation to the answer', async () => {
	const c = await claimed();
	const key = randomUUID();
	const body = { name: 'Walter of the help desk', question: 'What did you see that evening?' };
	const invited = await c.act('functionary', 'invite_witness', body, { key });
	assert.match(invited.word, RECEIPT);
	assert.ok(!('sealed_word' in invited));
	const again = await c.act('functionary', 'invite_witness', body, { key });
	assert.equal(again.word, invited.word, 'the same request has the same answer');
	assert.ok(!JSON.stringify(await c.show()).includes(invited.word), 'told once');
	assertProblem(await call({ receipt: invited.word }, 'GET', '/v1/receipt'), 404, 'conduct-not-found');

	const proofKey = randomUUID();
	const proved = await prove(invited.word.toLowerCase(), { key: proofKey });
	assert.equal(proved.status, 201, proved.text);
	assert.match(proved.body.receipt, RECEIPT);
	assert.equal(proved.body.role, 'witness');
	assert.equal((await prove(invited.word.toLowerCase(), { key: proofKey })).body.receipt, proved.body.receipt);
	const witness = { receipt: proved.body.receipt };
	const look = (await expectCall(200, witness, 'GET', '/v1/receipt')).body;
	assert.deepEqual([look.role, look.state, look.allegations, look.decisions, look.allowed_actions], ['witness', null, [], [], []]);

	const said = 'I saw all of it.';
	await expectCall(201, { receipt: c.receipt }, 'POST', '/v1/receipt/messages', { body: { text: 'Of the reporter alone.' } });
	await expectCall(201, witness, 'POST', '/v1/receipt/messages', { body: { text: said } });
	const channel = `/v1/cases/${c.id}/messages?channel=witness&party=${invited.party}`;
	await expectCall(201, 'functionary2', 'POST', channel, { body: { text: 'Thank you.' } });
	const own = (await expectCall(200, witness, 'GET', '/v1/receipt/messages')).body.items;
	assert.deepEqual(own.map(({ from, text }) => [from, text]),
		[['handlers', body.question], ['party', said], ['handlers', 'Thank you.']]);
	const sealed = await query(`select c.party_id is not null from conduct.message m join conduct.content c on c.content_id = m.text_content
		where m.party_id = '${invited.party}' order by m.at, m.message_id`);
	assert.deepEqual(sealed.flat(), ['f', 't', 't'], 'from the receipt on the channel has a key of its own');
	const theirs = (await expectCall(200, 'functionary', 'GET', channel)).body.items;
	assert.deepEqual(theirs.map(({ text }) => text), [body.question, said, 'Thank you.']);
	const others = (await expectCall(200, { receipt: c.receipt }, 'GET', '/v1/receipt/messages')).text;
	assert.ok(!others.includes(said) && !others.includes(body.question));
	for (const answer of [invited, again, await c.show(), theirs]) {
		assert.ok(!JSON.stringify(answer).includes(proved.body.receipt), 'no handler ever has a receipt');
	}
	const { body: history } = await expectCall(200, 'functionary2', 'GET', `/v1/cases/${c.id}/events?limit=100`);
	assert.deepEqual(history.items.filter(({ action }) => action === 'prove').map(({ party, role }) => [party, role]),
		[[invited.party, 'witness']]);
});

test('a word is good for one receipt: whoever comes second is refused like a stranger', async () => {
	const c = await claimed();
	const { word } = await c.act('functionary', 'invite_witness', { name: 'Somebody', question: 'Well?' });
	const unknown = await prove('ABCDE-ABCDE-ABCDE-ABCDE-ABCDE-ABCD');
	assertProblem(unknown, 404, 'conduct-not-found');
	const both = await Promise.all([prove(word), prove(word)]);
	assert.deepEqual(both.map(({ status }) => status).sort(), [201, 404]);
	const late = both.find(({ status }) => status === 404);
	for (const refused of [late, await prove(word), await prove('x')]) {
		assert.equal(bytes(refused), bytes(unknown));
		assert.equal(refused.text.length, unknown.text.length);
	}
	const [[count]] = await query(`select count(*) from conduct.receipt r join conduct.party y using (party_id)
		where y.case_id = '${c.id}' and y.role = 'witness'`);
	assert.equal(count, '1');
	assertProblem(await prove(7), 422, 'conduct-invalid-body');
	assertProblem(await call(null, 'POST', '/v1/receipt/prove', { body: { word, state: 'accepted' } }), 422, 'conduct-invalid-body');
	assertProblem(await prove(word, { key: null }), 400, 'conduct-idempotency-key-missing');
});

test('a word expires', async () => {
	const c = await claimed();
	const { word } = await c.act('functionary', 'invite_witness', { name: 'Somebody', question: 'Well?' });
	pass('29d');
	assertProblem(await prove(word), 404, 'conduct-not-found');
});

test('an account finds its invitation, and sees only as party from then on', async () => {
	const c = await claimed();
	await c.show('functionary5');
	const view = await c.act('functionary', 'invite_witness', { user: people.functionary5.user, question: 'Were you there?' });
	await seesNothing('functionary5', c);
	const { body } = await expectCall(200, 'functionary5', 'GET', '/v1/me/participations');
	assert.deepEqual(body.items.filter(({ id }) => id === view.party).map(({ role }) => role), ['witness']);
	const { items } = (await expectCall(200, 'functionary5', 'GET', `/v1/receipt/messages?participation=${view.party}`)).body;
	assert.deepEqual(items.map(({ text }) => text), ['Were you there?']);
	for (const wrong of [{ user: people.functionary5.user, question: 'Again?' }, { user: people.respondent.user, question: 'You?' },
		{ user: 'A', name: 'B', question: 'Two?' }, { question: 'Nobody?' }, { user: 'A' }]) {
		assertProblem(await c.tryAct('functionary', 'invite_witness', wrong), 422, 'conduct-invalid-body');
	}
	// That somebody reported is learnt by no invitation.
	await c.act('functionary', 'invite_witness', { user: people.reporter.user, question: 'Do you know anything?' });
});

test('nobody invites a committee away', async () => {
	const c = await claimed();
	const invite = who => c.tryAct('functionary', 'invite_witness', { user: people[who].user, question: 'Were you there?' });
	const tried = async names => {
		const statuses = [];
		for (const who of names) statuses.push((await invite(who)).status);
		return statuses;
	};
	// Of six and of five members, a third.
	assert.deepEqual(await tried(functionaries.slice(1)), [200, 200, 422, 422, 422]);
	assert.deepEqual(await tried(arbitrators), [200, 422, 422, 422, 422]);
	const { body } = await invite('functionary4');
	assert.deepEqual(body.errors, [{ pointer: '/user', detail: 'too-many-handlers' }]);
	await c.show('functionary4');
	assert.deepEqual(await tried(['mediator']), [200], 'who decides nothing here is asked as before');
});

test('nobody accuses a committee away', async () => {
	// Of nobody else: who is accused here has a conflict with later cases of the same people.
	const c = await claimed({ respondents: [{ user: 'Nobody Elsewhere' }] }, null);
	const accepted = await acceptance(c);
	const [{ rule, incident }] = accepted.allegations;
	await c.act('functionary', 'accept', accepted);
	const accuse = user => c.tryAct('functionary', 'add_respondent', { respondent: { user }, allegations: [{ rule, incident }] });
	const tried = async users => {
		const statuses = [];
		for (const user of users) statuses.push((await accuse(user)).status);
		return statuses;
	};
	// Of six members a third, whichever way they are taken out.
	assert.equal((await c.tryAct('functionary', 'invite_witness', { user: people.functionary2.user, question: 'Were you there?' })).status, 200);
	assert.deepEqual(await tried(functionaries.slice(2).map(who => people[who].user)), [200, 422, 422, 422]);
	const { body } = await accuse(people.functionary5.user);
	assert.deepEqual(body.errors, [{ pointer: '/respondent', detail: 'too-many-handlers' }]);
	await c.show('functionary5');
	assert.equal((await accuse(`${people.functionary5.user}.`)).status, 422, 'nor who is called alike');
	assert.deepEqual(await tried(['Nobody Here', 'Nobody There']), [200, 200], 'who decides nothing here is accused as before');
});

test('a respondent without an account proves a word, and answers', async () => {
	const c = await claimed({ respondents: [{ unknown: 'The one who calls himself K.' }] });
	await c.act('functionary', 'accept', await acceptance(c));
	const respondent = await c.party('respondent');
	const { word, party } = await c.act('functionary', 'notify_respondent', notice(respondent));
	assert.equal(party, respondent);
	const { body } = await prove(word);
	assert.equal(body.role, 'respondent');
	const me = new Case(c.id, c.report, body.receipt);
	await me.party_act('reporter', 'answer', { text: 'It was not me.' });
	assert.equal((await me.look('reporter')).role, 'respondent');
	const known = await claimed();
	await known.act('functionary', 'accept', await acceptance(known));
	const told = await known.act('functionary', 'notify_respondent', notice(await known.party('respondent')));
	assert.ok(!('word' in told), 'who has an account signs in');
});
