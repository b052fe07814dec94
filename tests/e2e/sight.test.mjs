// Who sees what: conflicts of interest, hidden reporters, grants; and what other systems get wrong there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem, call, expectCall, nameIndex, people, query, reportBody, rowsOf } from '../harness/api.mjs';
import {
	acceptance, appeal, ARBCOM, Case, decide, FUNCTIONARIES, functionaries, heard, intake, matter,
	notice, pass, personOf, personsOf, reported, turnDown, unknownId,
} from '../harness/cases.mjs';
import { endGrant, grant, queueOf, seesNothing, UNTIL, withGrants } from '../harness/grants.mjs';

// Who sees what -----------------------------------------------------------------------------------

test('a handler whom the reporter names sees and does nothing; more than a third stay until somebody rules', async () => {
	const exclude = names => names.map(who => ({ user: people[who].user, reason: 'A friend of his.' }));
	const c = await reported({ exclude_handlers: exclude(['functionary5']) });
	await seesNothing('functionary5', c);
	await c.act('functionary', 'claim');
	assertProblem(
		await c.tryAct('functionary', 'assign', { person: await personOf('functionary5') }),
		409,
		'conduct-guard-not-recused'
	);
	await c.act('functionary', 'accept', await acceptance(c));
	const own = await c.proceeding('matter');
	assertProblem(
		await c.tryAct('functionary', 'form_panel', {
			members: await personsOf(['functionary', 'functionary2', 'functionary5']),
			proceedings: [own],
		}),
		409,
		'conduct-guard-not-recused'
	);
	await heard(c);
	await decide(c);
	await seesNothing('functionary5', c);
	const many = await reported({ exclude_handlers: exclude(['functionary4', 'functionary5', 'functionary6']) });
	await seesNothing('functionary4', many);
	await seesNothing('functionary5', many);
	await many.show('functionary6');
	const [[pending]] = await query(
		`select count(*) from conduct.recusal where case_id = '${many.id}' and standing = 'pending'`
	);
	assert.equal(pending, '1');
	assert.ok((await many.show('functionary')).deadlines.some(d => d.what === 'rule_on_conflict'));
	const all = await reported({ exclude_handlers: exclude(functionaries) });
	const sees = [];
	for (const who of functionaries) {
		sees.push((await call(who, 'GET', `/v1/cases/${all.id}`)).status);
	}
	assert.deepEqual(sees.sort(), [200, 200, 200, 200, 404, 404], 'a committee is not disabled by naming it');
});

test('cases that are read together are shown, hidden and logged as if each were read alone', async () => {
	const open = await reported();
	const closed = await reported({ exclude_handlers: [{ user: people.functionary5.user, reason: 'A friend.' }] });
	const alone = { functionary: [200, 200], functionary5: [200, 404], arbitrator1: [404, 404] };
	const reads = c => query(`select count(*) from (
		select case_id, convert_to(event, 'UTF8') as entry from conduct.audit_pending
		union all select p.case_id, l.leaf from conduct.audit_payload p join conduct.audit_leaf l using (leaf_index)) e
		where case_id = '${c.id}' and position('case.read'::bytea in entry) > 0`).then(([[n]]) => Number(n));
	const before = await Promise.all([open, closed].map(reads));
	const asked = Array.from({ length: 8 }, () => Object.keys(alone).flatMap(who => [open, closed].map((c, i) => ({ who, c, i })))).flat();
	const answers = await Promise.all(asked.map(({ who, c }) => call(who, 'GET', `/v1/cases/${c.id}`)));
	for (const [n, { who, c, i }] of asked.entries()) {
		assert.equal(answers[n].status, alone[who][i], `${who} reads ${i}`);
		assert.deepEqual(answers[n].body, answers[asked.findIndex(a => a.who === who && a.i === i)].body);
		assert.equal(answers[n].body.id, alone[who][i] === 200 ? c.id : undefined);
	}
	const after = await Promise.all([open, closed].map(reads));
	assert.deepEqual(after.map((n, i) => n - before[i]), [16, 8]);
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
	for (const name of [
		people.functionary6.user,
		people.functionary6.user.replace(' ', '_'),
		people.functionary6.user.toUpperCase(),
		'Fеlіx  Functionary',
		'Félix Functionary.',
	]) {
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
	const { body } = await expectCall(201, null, 'POST', '/v1/reports', {
		body: reportBody({ contact: 'somebody@example.org' }),
	});
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
	assert.ok(!JSON.stringify(view).includes('somebody@example.org'), "the contact is nobody's to read");
	await expectCall(201, me, 'POST', '/v1/receipt/messages', { body: { text: 'It goes on.' } });
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${id}/messages?channel=reporter`, {
		body: { text: 'We look at it.' },
	});
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${id}/messages?channel=internal`, {
		body: { text: 'Credible.' },
	});
	const talk = await get('/v1/receipt/messages');
	assert.deepEqual(
		talk.items.map(item => [item.from, item.text]),
		[
			['party', 'It goes on.'],
			['handlers', 'We look at it.'],
		]
	);
	assert.ok(!JSON.stringify(talk).includes(await personOf('functionary')), 'a body speaks with one voice');
	const { body: theirs } = await expectCall(200, 'functionary', 'GET', `/v1/cases/${id}/messages?channel=reporter`);
	assert.deepEqual(
		theirs.items.map(item => item.text),
		['It goes on.', 'We look at it.']
	);
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
	await expectCall(201, { receipt: c.receipt }, 'POST', '/v1/receipt/messages', {
		body: { text: 'Please reopen: state=review.' },
	});
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${c.id}/messages?channel=internal`, {
		body: { text: 'Closed?' },
	});
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
			for (const [who, path] of [
				['functionary', `/v1/cases/${c.id}`],
				['functionary', `/v1/cases/${c.id}/events?limit=100`],
				['functionary', `/v1/cases/${c.id}/messages?channel=reporter`],
				['functionary', `/v1/cases/${c.id}/messages?channel=internal`],
				['functionary', '/v1/cases?limit=100'],
				['arbitrator1', `/v1/cases/${c.id}`],
				['arbitrator1', `/v1/cases/${c.id}/events?limit=100`],
				['respondent', `/v1/receipt?participation=${respondent}`],
				['respondent', `/v1/receipt/messages?participation=${respondent}`],
				['respondent', '/v1/me/participations'],
				['ts', `/v1/cases/${c.id}`],
			]) {
				answers.push((await call(who, 'GET', path)).text);
			}
		};
		await look();
		answers.push((await c.tryAct('functionary', 'claim')).text);
		const [[claims]] = await query(
			`select count(*) from conduct.event where case_id = '${c.id}' and action = 'claim'`
		);
		assert.equal(claims, '1');
		answers.push(JSON.stringify(await c.act('functionary', 'accept', await acceptance(c))));
		await heard(c);
		await look();
		await decide(c);
		await appeal(c);
		await look();
		const index = (
			await query(`select encode(id_ix, 'hex') || ' ' || encode(name_ix, 'hex') from conduct.person_account a
			where a.name_ix = '\\x${nameIndex(secret.user)}'`)
		)
			.flat()
			.join(' ')
			.split(' ');
		for (const text of answers) {
			assert.ok(!text.includes(secret.user), 'the name');
			assert.ok(!text.includes('Rosa'), 'part of the name');
			assert.ok(!text.includes(`"${secret.sub}"`), 'the central id');
			for (const one of index.filter(Boolean)) {
				assert.ok(!text.includes(one), 'an index');
			}
		}
		// Nor in what leaves for others to be told.
		const facts = (await query(`select facts::text from conduct.outbox where case_id = '${c.id}'`))
			.flat()
			.join('\n');
		assert.ok(
			!facts.includes(secret.user) && !facts.includes(people.respondent.user),
			'notifications carry ids and states only'
		);
		const reporter = await c.party('reporter');
		assert.ok(
			!(await expectCall(200, 'reporter', 'GET', '/v1/me/participations')).body.items.some(
				item => item.id === reporter
			),
			'no list tells of it'
		);
		assert.equal(
			(await call('reporter', 'GET', `/v1/receipt?participation=${reporter}`)).status,
			identity === 'anonymous' ? 404 : 200
		);
		assertProblem(
			await call('functionary', 'GET', `/v1/receipt?participation=${reporter}`),
			404,
			'conduct-not-found'
		);
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
	const made = await expectCall(201, 'admin', 'POST', '/v1/admin/grants', {
		body: {
			person: { user: people.mediator.user },
			role: 'functionary',
			body: FUNCTIONARIES,
			from: at(1),
			until: at(3),
		},
	});
	await c.show('mediator', 404);
	pass('2d');
	await c.show('mediator');
	pass('2d');
	await c.show('mediator', 404);
	assertProblem(
		await call('admin', 'POST', '/v1/admin/grants', {
			body: {
				person: await personOf('mediator'),
				role: 'functionary',
				body: FUNCTIONARIES,
				from: at(3),
				until: at(2),
			},
		}),
		422
	);
	await endGrant(made.body.id);
});

test('grants are made by administrators alone, of roles that the body has', async () => {
	const body = { person: { user: people.mediator.user }, role: 'functionary', body: FUNCTIONARIES, until: UNTIL };
	for (const who of ['functionary', 'ts', 'auditor', 'policy_maintainer', 'reporter']) {
		assertProblem(await call(who, 'POST', '/v1/admin/grants', { body }), 403, 'conduct-forbidden');
	}
	for (const [changes, pointer] of [
		[{ role: 'arbitrator' }, '/role'],
		[{ body: 'nowhere' }, '/body'],
		[{ body: undefined }, '/body'],
		[{ role: 'admin' }, '/body'],
		[{ person: { user: 'Nobody At All' } }, '/person'],
		[{ person: unknownId() }, '/person'],
		[{ role: 'king' }, '/role'],
		[{ until: 'never' }, '/until'],
	]) {
		const problem = assertProblem(
			await call('admin', 'POST', '/v1/admin/grants', { body: { ...body, ...changes } }),
			422,
			'conduct-invalid-body'
		);
		assert.deepEqual(
			problem.errors.map(error => error.pointer),
			[pointer]
		);
	}
});

test('auditors and administrators read no case; nobody audits the body they work in', async () => {
	const { c } = await matter.review();
	for (const who of ['auditor', 'admin', 'policy_maintainer']) {
		await seesNothing(who, c);
		assertProblem(await call(who, 'GET', '/v1/cases'), 403, 'conduct-forbidden');
	}
	const answer = await call('admin', 'POST', '/v1/admin/grants', {
		body: { person: { user: people.auditor.user }, role: 'functionary', body: FUNCTIONARIES, until: UNTIL },
	});
	assertProblem(answer, 409, 'conduct-guard-auditor-is-no-functionary');
});

test("what counts is the case's own jurisdiction, not what a request says", async () => {
	const { c } = await intake.triage();
	const dewiki = await reported({ wiki: 'dewiki', incidents: [{ venue: 'on_wiki', wiki: 'dewiki' }] });
	assert.equal((await dewiki.show('outsider')).body, 'dewiki-functionaries');
	await dewiki.show('functionary', 404);
	await seesNothing('outsider', c);
	const before = await rowsOf(c.id);
	// The ids of a case one sees do not open one that is hidden.
	const [[own]] = await query(`select proceeding_id from conduct.proceeding where case_id = '${c.id}'`);
	assertProblem(await dewiki.tryAct('outsider', 'claim', { proceedings: [own] }), 422, 'conduct-invalid-body');
	assertProblem(
		await call(
			'outsider',
			'GET',
			`/v1/cases/${dewiki.id}/messages?channel=reporter&party=${await c.party('reporter')}`
		),
		422
	);
	assert.ok(!(await queueOf('outsider', `&body=${FUNCTIONARIES}`)).includes(c.id));
	assert.ok(!(await queueOf('outsider', '&wiki=enwiki')).includes(c.id));
	assert.equal(await rowsOf(c.id), before);
});

test('who is told nothing finds nothing: the respondent before the notice', async () => {
	const { c } = await matter.review();
	const respondent = await c.party('respondent');
	assertProblem(await call('respondent', 'GET', `/v1/receipt?participation=${respondent}`), 404, 'conduct-not-found');
	assert.ok(
		!(await expectCall(200, 'respondent', 'GET', '/v1/me/participations')).body.items.some(
			item => item.id === respondent
		)
	);
	assertProblem(
		await call('respondent', 'POST', `/v1/receipt/actions/answer?participation=${respondent}`, {
			body: { text: 'x' },
		}),
		404,
		'conduct-not-found'
	);
	assertProblem(
		await call('functionary', 'POST', `/v1/cases/${c.id}/messages?channel=respondent&party=${respondent}`, {
			body: { text: 'Hello.' },
		}),
		422
	);
	assertProblem(await call('witness', 'GET', `/v1/receipt?participation=${respondent}`), 404, 'conduct-not-found');
	await c.act('functionary', 'notify_respondent', notice(respondent));
	await c.look('respondent');
	assertProblem(await call('witness', 'GET', `/v1/receipt?participation=${respondent}`), 404, 'conduct-not-found');
});
