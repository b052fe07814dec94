// The matrix: actor × case × operation, each cell one HTTP request, each answer foretold by the oracle.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { call, reportBody } from '../harness/api.mjs';
import { Oracle, actions, rules } from './oracle.mjs';
import { actors, build, world } from './world.mjs';

const LEAST_CELLS = 2000;
const WIDTH = 16;
const everybody = actors();
/** One for each cell: what was asked and what came, to hold against other oracles as well. */
const cells = [];
let oracle;

before(async () => {
	await build();
	oracle = new Oracle(world);
});

after(() => console.log(`note: ${cells.length} cells, ${world.cases.length} cases, ${everybody.length} actors`));

let free = WIDTH;
const waiting = [];

/** Runs work on a list, at most WIDTH at a time over all tests. */
async function pool(list, work) {
	await Promise.all(list.map(async item => {
		if (free === 0) {
			await new Promise(resolve => { waiting.push(resolve); });
		} else {
			free -= 1;
		}
		try {
			await work(item);
		} finally {
			const next = waiting.shift();
			if (next) {
				next();
			} else {
				free += 1;
			}
		}
	}));
}

// What is right about an answer -------------------------------------------------------------------------

/** The bytes of a refusal, without what names the request; answers to parties end in padding. */
const refusal = answer => answer.text.trimEnd().replace(/"instance":"[^"]*"/, '');
const absent = {};

/** Every difference between what was foretold and what came. */
function differences(expected, answer) {
	const wrong = [];
	if (answer.status !== expected.status) {
		return [`status ${answer.status} ${answer.body?.errorKey ?? ''} instead of ${expected.status}`];
	}
	for (const word of expected.has ?? []) {
		if (!answer.text.includes(word)) {
			wrong.push(`"${word}" is missing`);
		}
	}
	for (const word of expected.hasNot ?? []) {
		if (answer.text.includes(word)) {
			wrong.push(`"${word}" is told`);
		}
	}
	const members = Object.entries(expected).filter(([name]) => !['status', 'has', 'hasNot'].includes(name));
	for (const [member, value] of members) {
		const came = JSON.stringify(answer.seen?.[member]);
		if (came !== JSON.stringify(value)) {
			wrong.push(`${member} ${came} instead of ${JSON.stringify(value)}`);
		}
	}
	return wrong;
}

/** Refusals that must not tell the hidden from the absent, and those that say what else is possible. */
function refusals(answer, c) {
	if (answer.status === 404 && (refusal(answer) !== absent.body || answer.text.includes(c.id))) {
		return ['not the bytes of an absent case (api.md)'];
	}
	return answer.status === 409 && !('allowed_actions' in answer.body) && answer.body.errorKey !== 'conduct-forbidden'
		? ['409 without allowed_actions (api.md)'] : [];
}

/**
 * One test: many cells of one operation. Each is { actor, c?, ask(), foretell(oracle), read?(answer) };
 * foretell returns null where the act would be carried out, and is then no cell.
 */
async function check(list) {
	const faults = [];
	await pool(list, async cell => {
		const expected = cell.foretell(oracle);
		if (expected === null) {
			return;
		}
		const answer = await cell.ask();
		answer.seen = answer.status < 300 && cell.read ? cell.read(answer) : {};
		cells.push({ ...cell, answer });
		const wrong = [...differences(expected, answer), ...(cell.isCase ? refusals(answer, cell.c) : [])];
		faults.push(...wrong.map(text => `${cell.actor.name}: ${text}`));
	});
	assert.deepEqual(faults, [], `\n${faults.join('\n')}\n`);
}

// Operations on a case ----------------------------------------------------------------------------------

const get = (actor, path) => call(actor.who, 'GET', path);
/** As a client does: where too many want one case at once, it comes again with the same key. */
async function post(actor, path, body, revision) {
	const key = randomUUID();
	for (let n = 0; ; n++) {
		const answer = await call(actor.who, 'POST', path, { body, revision, key });
		if (answer.status !== 503 || n === 10) {
			return answer;
		}
	}
}
const sorted = list => [...new Set(list)].sort();

const operations = {
	'GET the case': {
		section: 'domain 5, 6', ask: (actor, c) => get(actor, `/v1/cases/${c.id}`),
		foretell: (o, actor, c) => o.show(actor, c),
		read: ({ body }) => ({ stage: body.stage, state: body.state,
			proceedings: body.proceedings.map(p => `${p.kind} ${p.state}`).sort() }),
	},
	'the queue': {
		section: 'domain 6: one predicate serves reads and lists',
		ask: async (actor, c) => {
			// Asked for what it is in to whoever sees everything, and to this viewer.
			const filters = new Set([c.proceedings, oracle.visible(actor.person, c)].map(seen => oracle.derive(seen))
				.filter(({ stage }) => stage).map(({ stage, state }) => (state ? `state=${state}` : `stage=${stage}`)));
			const answers = await Promise.all([...filters].map(filter => pages(actor, `/v1/cases?limit=100&${filter}`)));
			const all = answers.flatMap(({ items }) => items ?? []);
			return { ...answers[0].first, found: all.find(item => item.id === c.id) };
		},
		foretell: (o, actor, c) => o.queue(actor, c),
		read: ({ found }) => ({ listed: Boolean(found), ...(found ? { stage: found.stage, state: found.state } : {}) }),
	},
	events: {
		section: 'domain 6: no appeal proceedings for prior deciders', ask: (actor, c) => get(actor, `/v1/cases/${c.id}/events?limit=100`),
		foretell: (o, actor, c) => o.events(actor, c), read: ({ body }) => ({ kinds: sorted(body.items.map(e => e.kind)) }),
	},
	files: {
		section: 'api: one predicate for all that hangs on a case', ask: (actor, c) => get(actor, `/v1/cases/${c.id}/attachments?limit=100`),
		foretell: (o, actor, c) => o.files(actor, c),
	},
	'a note': {
		section: 'domain 3: notes never change state', foretell: (o, actor, c) => o.note(actor, c),
		ask: (actor, c) => post(actor, `/v1/cases/${c.id}/messages?channel=internal`, { text: 'A note.' }),
	},
	'a claim of another revision': {
		section: 'api: stale 412, hidden 404', foretell: (o, actor, c) => o.stale(actor, c),
		ask: (actor, c) => post(actor, `/v1/cases/${c.id}/actions/claim`, {}, c.revisionThen + 7),
	},
};
for (const channel of ['internal', 'reporter', 'respondent', 'witness']) {
	operations[`messages: ${channel}`] = {
		section: 'domain 5, 6', isFor: c => channel !== 'witness' || c.parties.some(({ role }) => role === channel), foretell: (o, actor, c) => o.messages(actor, c, channel),
		ask: (actor, c) => get(actor, `/v1/cases/${c.id}/messages?limit=100&channel=${channel}${partyOf(c, channel)}`),
	};
}

/** Names the party where several have that role. */
function partyOf(c, role) {
	const those = c.parties.filter(party => party.role === role);
	return those.length > 1 ? `&party=${those[0].id}` : '';
}

/** A whole list, page after page: { items, first answer }. */
async function pages(actor, path) {
	const first = await get(actor, path);
	const items = [...first.body?.items ?? []];
	for (let next = first.body?.next; next;) {
		const { body } = await get(actor, `${path}&cursor=${encodeURIComponent(next)}`);
		items.push(...body.items);
		({ next } = body);
	}
	return { items, first };
}

const noProposal = randomUUID();
const bodiesOfActions = {
	claim: {}, hand_back: { outcome: 'no_emergency', to_state: 'triage', reason: 'No.' }, resume: {},
	dismiss: { reason_code: 'insufficient', reason: 'No.', refer_to: 'talk-page' },
	decline_appeal: { reason_code: 'out_of_scope', reason: 'No.' }, escalate: { to: 'ts', reason: 'No.' },
	open_identity: { party: noProposal, reason: 'No.' }, invite_witness: { user: 'A', name: 'B', question: 'No?' },
};
/** Where they would be carried out, these are tried with something that is not there. */
const idle = new Set(['open_identity', 'invite_witness']);
const bodyOf = (action, c) => (action === 'vote'
	? { proposal: c.ballot ?? noProposal, item: c.ballot ? 0 : 1, vote: 'support' } : bodiesOfActions[action]);
for (const action of actions) {
	operations[action] = {
		section: 'domain 3: role, then state',
		foretell: (o, actor, c) => o.act(actor, c, action) ?? (idle.has(action) ? { status: 422 } : null),
		ask: (actor, c) => post(actor, `/v1/cases/${c.id}/actions/${action}`, bodyOf(action, c),
			action === 'vote' ? null : c.revisionThen),
	};
}

test('what does not exist is refused with the same bytes everywhere (api.md)', async () => {
	const answer = await call('functionary', 'GET', `/v1/cases/${randomUUID()}`);
	assert.equal(answer.status, 404);
	absent.body = refusal(answer);
	const party = await call('functionary', 'GET', `/v1/receipt?participation=${randomUUID()}`);
	assert.equal(party.status, 404);
	assert.equal(refusal(party), absent.body);
});

for (const [name, operation] of Object.entries(operations)) {
	test(`${name} (${operation.section})`, { concurrency: 8 }, async t => {
		await Promise.all(world.cases.filter(operation.isFor ?? Boolean).map(c =>
			t.test(`${c.label}: ${name}`, () => check(everybody.map(actor => ({
				name, actor, c, isCase: true, read: operation.read,
				ask: () => operation.ask(actor, c), foretell: o => operation.foretell(o, actor, c),
			}))))));
	});
}

// Parties -------------------------------------------------------------------------------------------------

const asParty = {
	'GET the receipt': {
		foretell: (o, actor, c, party) => o.participation(actor, c, party), read: ({ body }) => ({ role: body.role }),
		ask: (actor, party) => get(actor, `/v1/receipt?participation=${party.id}`),
	},
	'withdrawing an appeal': {
		foretell: (o, actor, c, party) => o.withdrawal(actor, c, party),
		ask: (actor, party) => post(actor, `/v1/receipt/actions/withdraw_appeal?participation=${party.id}`, {}),
		isFor: ({ role }) => role !== 'target',
	},
	'messages of the party': {
		isFor: ({ role }) => role !== 'target',
		foretell: (o, actor, c, party) => o.participationMessages(actor, c, party),
		ask: (actor, party) => get(actor, `/v1/receipt/messages?limit=100&participation=${party.id}`),
	},
	'files of the party': {
		foretell: (o, actor, c, party) => o.participationFiles(actor, c, party),
		read: ({ body }) => ({ ids: body.items.map(({ id }) => id) }),
		ask: (actor, party) => get(actor, `/v1/receipt/attachments?limit=100&participation=${party.id}`),
	},
};

/** A broken receipt is looked up like any other and not found; a broken bearer is refused before. */
const isReceipt = actor => actor.who?.authorization?.startsWith('Receipt');
const partyAnswer = (actor, expected) => (isReceipt(actor) ? { status: 404 } : expected);

for (const [name, operation] of Object.entries(asParty)) {
	test(`${name} (domain 5: what a party sees)`, { concurrency: 8 }, async t => {
		await Promise.all(world.cases.map(c =>
			t.test(`${c.label}: ${name}`, () => check(c.parties.filter(operation.isFor ?? Boolean)
				.flatMap(party => everybody.map(actor => ({
					name, actor, c, isCase: true, read: operation.read, ask: () => operation.ask(actor, party),
					foretell: o => partyAnswer(actor, operation.foretell(o, actor, c, party)),
				})))))));
	});
}

test('a receipt opens its own case and no other (domain 5)', async t => {
	const holder = c => ({ name: `receipt of ${c.label}`, who: { receipt: c.receipt }, person: null });
	for (const c of world.cases) {
		const others = world.cases.filter(other => other !== c).slice(0, 4);
		await t.test(c.label, () => check([
			{ name: 'receipt', actor: holder(c), c, ask: () => get(holder(c), '/v1/receipt'),
				read: ({ body }) => ({ role: body.role, own: true }), foretell: o => o.receipt(c, c) },
			...others.map(other => ({ name: 'receipt with a participation', actor: holder(c), c,
				ask: () => get(holder(c), `/v1/receipt?participation=${other.parties.at(-1).id}`),
				read: ({ body }) => ({ role: body.role, own: false }), foretell: o => o.receipt(other, c) })),
			...['', '/events', '/messages?channel=internal'].map(tail => ({ name: 'receipt as a handler', actor: holder(c), c,
				ask: () => get(holder(c), `/v1/cases/${c.id}${tail}`), foretell: o => o.show(holder(c), c) })),
		]));
	}
});

test('the list of participations (domain 5)', () => {
	const mine = new Set(world.cases.flatMap(c => c.parties.map(party => party.id)));
	return check(everybody.map(actor => ({
		name: 'participations', actor, ask: () => get(actor, '/v1/me/participations'), foretell: o => o.participations(actor),
		read: ({ body }) => ({ ids: body.items.map(item => item.id).filter(id => mine.has(id)).sort() }),
	})));
});

// Everything else -----------------------------------------------------------------------------------------

test('the whole queue shows what may be opened, and nothing else (domain 6)', async () => {
	const faults = [];
	await pool(everybody.filter(actor => actor.person && oracle.isHandler(actor.person)), async actor => {
		const { items } = await pages(actor, '/v1/cases?limit=100');
		for (const item of items) {
			const c = world.cases.find(known => known.id === item.id);
			if (c && !oracle.visible(actor.person, c).length) {
				faults.push(`${actor.name} has ${c.label} in the queue and may not open it`);
			}
		}
		const ids = new Set(items.map(item => item.id));
		for (const c of world.cases.filter(known => oracle.queueHolds(actor.person, known) && !ids.has(known.id))) {
			faults.push(`${actor.name} does not have ${c.label} in the queue`);
		}
	});
	assert.deepEqual(faults, []);
});

test('oneself (domain 5)', () => check(everybody.map(actor => ({
	name: 'me', actor, ask: () => get(actor, '/v1/me'), foretell: o => o.me(actor),
	read: ({ body }) => ({ roles: body.roles.map(g => `${g.role} ${g.body ?? ''}`).sort() }),
}))));

test('bodies (api: functionaries, committees)', async t => {
	for (const id of ['enwiki-functionaries', 'enwiki-arbcom', 'dewiki-functionaries', 'stewards', 'ts', 'u4c', 'oversight']) {
		await t.test(id, () => check(everybody.map(actor => ({
			name: 'body', actor, ask: () => get(actor, `/v1/bodies/${id}`), foretell: o => o.body(actor),
		}))));
	}
});

test('grants (domain 5: admin)', async t => {
	const someone = randomUUID();
	const wish = { person: someone, role: 'functionary', body: 'enwiki-functionaries', from: '2020-01-01T00:00:00Z',
		until: '2099-01-01T00:00:00Z' };
	const but = (o, actor) => (o.grantList(actor).status === 200 ? null : o.grantList(actor));
	await t.test('list', () => check(everybody.map(actor => ({
		name: 'grants', actor, ask: () => get(actor, '/v1/admin/grants?limit=1'), foretell: o => o.grantList(actor) }))));
	await t.test('add', () => check(everybody.map(actor => ({
		name: 'grant', actor, ask: () => post(actor, '/v1/admin/grants', wish), foretell: o => but(o, actor) }))));
	await t.test('end', () => check(everybody.map(actor => ({
		name: 'end a grant', actor, ask: () => call(actor.who, 'DELETE', `/v1/admin/grants/${someone}`),
		foretell: o => but(o, actor) }))));
});

test('holds (domain 5: admin)', async t => {
	const wish = { case: randomUUID(), ground: 'dispute', until: '2099-01-01T00:00:00Z' };
	const but = (o, actor) => (o.grantList(actor).status === 200 ? null : o.grantList(actor));
	await t.test('list', () => check(everybody.map(actor => ({
		name: 'holds', actor, ask: () => get(actor, '/v1/admin/holds?limit=1'), foretell: o => o.grantList(actor) }))));
	await t.test('add', () => check(everybody.map(actor => ({
		name: 'hold', actor, ask: () => post(actor, '/v1/admin/holds', wish), foretell: o => but(o, actor) }))));
	await t.test('end', () => check(everybody.map(actor => ({
		name: 'end a hold', actor, ask: () => call(actor.who, 'DELETE', `/v1/admin/holds/${randomUUID()}`),
		foretell: o => but(o, actor) }))));
});

test('what is public (api: Public)', async t => {
	for (const path of ['/v1/openapi.json', '/v1/policy?wiki=enwiki', '/v1/policy/versions',
		'/v1/policy/rules/ucoc/3.1/doxing?wiki=enwiki']) {
		await t.test(path, () => check(everybody.map(actor => ({
			name: 'public', actor, ask: () => get(actor, path), foretell: o => o.public() }))));
	}
});

test('nothing of all this moved a case (domain 3: notes never change state)', async () => {
	for (const c of world.cases) {
		assert.equal(await c.revision(), c.revisionThen, c.label);
	}
});

test('everybody may report, an emergency with whatever credential (domain 9)', async t => {
	for (const lane of ['standard', 'emergency']) {
		const body = () => reportBody({ lane, targets: [], ...(lane === 'emergency' ? { harm_type: 'public_harm' } : {}) });
		await t.test(lane, () => check(everybody.filter(actor => !isReceipt(actor)).map(actor => ({
			name: 'report', actor, ask: () => post(actor, '/v1/reports', body()), foretell: o => o.report(actor, lane) }))));
	}
});

// The matrix itself ---------------------------------------------------------------------------------------

test(`the matrix has at least ${LEAST_CELLS} cells`, () => {
	assert.ok(cells.length >= LEAST_CELLS, `${cells.length} cells`);
});

test('an oracle without one of its rules disagrees with the daemon', async t => {
	for (const [rule, text] of Object.entries(rules)) {
		await t.test(`${rule} (${text})`, () => {
			const mutant = new Oracle(world, [rule]);
			const found = cells.find(cell => {
				const expected = cell.foretell(mutant);
				return expected === null || differences(expected, cell.answer).length > 0;
			});
			assert.ok(found, 'no cell of the matrix notices that the rule is gone');
		});
	}
});
