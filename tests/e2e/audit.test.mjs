// The audit log from outside: what is done leaves an entry, heads and proofs hold for a second verifier that
// shares no code, and whatever is changed behind the daemon's back is found by both.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import test, { after } from 'node:test';
import { promisify } from 'node:util';
import { call, expectCall, ops, report, showCase, sql, stack } from '../harness/api.mjs';
import { isConsistent, openNote, readKey, rootOfInclusion, verifyBundle } from '../harness/audit.mjs';
import { linesOf } from '../harness/lines.mjs';

const isFull = process.env.EFFORT === 'full';
const seed = Number(process.env.CONDUCTD_SEED ?? randomInt(2 ** 31));
const top = new URL('../../', import.meta.url).pathname;
const ctl = [`${top}build-asan/conductctl`, ['-c', `${stack}/conductd.yaml`]];
const head = `${stack}/private/log.head`;
const bundle = `${stack}/log.bundle`;
const changed = `${stack}/log.changed`;
const WAIT_MS = 30000;

// xorshift32: the same choices for the same seed.
let state = seed || 1;
const choose = below => {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % below;
};

after(() => {
	for (const file of [bundle, changed]) rmSync(file, { force: true });
	console.log(`note: audit: seed ${seed}`);
});

async function until(what, look) {
	const end = Date.now() + WAIT_MS;
	for (;;) {
		const found = await look();
		if (found) return found;
		assert.ok(Date.now() < end, `waited for: ${what}`);
	}
}

const conductctl = (...args) => execFileSync(ctl[0], [...ctl[1], ...args], { encoding: 'utf8', timeout: WAIT_MS });
const key = conductctl('audit', 'key').trim();

async function checkpoint() {
	const { body } = await expectCall(200, null, 'GET', '/v1/audit/checkpoint');
	return { ...openNote(body.note, [readKey(key)]), body };
}

/** A head that has everything written until now. */
async function signedHead() {
	await until('everything has its number', () => sql('select 1 from conduct.audit_pending limit 1').length === 0);
	const [[size]] = sql('select count(*) from conduct.audit_leaf');
	return until('a signed head', async () => {
		const now = await checkpoint();
		return now.size >= Number(size) && now;
	});
}

const hashes = list => list.map(text => Buffer.from(text, 'base64'));

function exportBundle() {
	rmSync(bundle, { force: true });
	conductctl('audit', 'export', '--out', bundle);
}

/** What each verifier finds in a file: faults, or none. */
async function findings(file) {
	const own = await promisify(execFile)(ctl[0], [...ctl[1], 'audit', 'verify', file], { timeout: WAIT_MS })
		.catch(error => error);
	assert.ok(own.code === undefined || own.code === 1, `conductctl ended with ${own.code}: ${own.stderr}`);
	return { own: own.code === 1 ? own.stdout.match(/^fault: .*$/gm) ?? [] : [], other: (await verifyBundle(file, [key])).faults };
}

test('a report, a read and an act are in the log, in their words only as hashes', async () => {
	const before = await signedHead();
	const { caseId: id } = await report('reporter', { details: 'canary-of-the-log' });
	await showCase('functionary', id);
	const now = await signedHead();
	assert.ok(now.size > before.size);
	const { text, body } = await expectCall(200, 'auditor', 'GET', '/v1/audit/log?limit=100');
	const events = body.items.filter(item => item.index >= before.size).map(item => item.event);
	for (const event of ['content.insert', 'case.submit', 'case.read']) assert.ok(events.includes(event), `${event} in ${events}`);
	assert.doesNotMatch(text, /canary/);
	assert.ok(!text.includes(id), 'no entry names the case itself');
	assert.ok(body.items.some(item => item.rows.length && /^[0-9a-f]{64}$/.test(item.rows[0].sha256)));
	assert.equal(sql("select count(*) from conduct.audit_payload where payload like '%canary%'")[0][0], '0');
});

test('the log goes on from page to page, and only for auditors and ombuds', async () => {
	const first = (await expectCall(200, 'auditor', 'GET', '/v1/audit/log?limit=3')).body;
	const second = (await expectCall(200, 'auditor', 'GET', `/v1/audit/log?limit=3&cursor=${first.next}`)).body;
	assert.deepEqual([...first.items, ...second.items].map((item, i, all) => all[0].index - item.index), [0, 1, 2, 3, 4, 5]);
	for (const who of ['functionary', 'admin', 'reporter']) await expectCall(403, who, 'GET', '/v1/audit/log');
	await expectCall(401, null, 'GET', '/v1/audit/log');
});

test('every proof the daemon gives holds', async () => {
	const now = await signedHead();
	for (let i = 0; i < (isFull ? 500 : 25); i++) {
		const index = i === 0 ? 0 : i === 1 ? now.size - 1 : choose(now.size);
		const { body } = await expectCall(200, null, 'GET', `/v1/audit/proof?size=${now.size}&index=${index}`);
		const root = rootOfInclusion(Buffer.from(body.leaf_hash, 'base64'), index, now.size, hashes(body.proof));
		assert.equal(root?.toString('base64'), now.body.root);
		const from = choose(now.size + 1);
		const older = (await expectCall(200, null, 'GET', `/v1/audit/consistency?from=${from}&to=${now.size}`)).body;
		const [[leaf]] = sql(`select encode(leaf, 'hex') from conduct.audit_leaf where leaf_index = ${index}`);
		assert.equal(body.leaf_hash, createHash('sha256').update('\0').update(Buffer.from(leaf, 'hex')).digest('base64'));
		assert.ok(from === 0 || from === now.size || older.proof.length > 0);
	}
	const heads = sql("select size, encode(root, 'base64') from conduct.audit_checkpoint order by size desc limit 40")
		.map(([size, root]) => [Number(size), Buffer.from(root, 'base64')]);
	for (const [size, root] of heads) {
		const { body } = await expectCall(200, null, 'GET', `/v1/audit/consistency?from=${size}&to=${now.size}`);
		assert.ok(isConsistent(size, root, now.size, now.root, hashes(body.proof)), `from ${size}`);
	}
});

test('no changed proof is taken by the second verifier', async () => {
	const now = await signedHead();
	const n = isFull ? 100000 : 5000;
	const index = choose(now.size);
	const { body } = await expectCall(200, null, 'GET', `/v1/audit/proof?size=${now.size}&index=${index}`);
	const leaf = Buffer.from(body.leaf_hash, 'base64');
	const [fromRoot] = await until('a checkpoint', () => sql(`select encode(root, 'base64'), size from conduct.audit_checkpoint
		where size < ${now.size} order by size desc limit 1`));
	const older = { size: Number(fromRoot[1]), root: Buffer.from(fromRoot[0], 'base64') };
	const growth = hashes((await expectCall(200, null, 'GET', `/v1/audit/consistency?from=${older.size}&to=${now.size}`)).body.proof);
	for (let i = 0; i < n; i++) {
		const proof = hashes(body.proof);
		const wrong = growth.map(hash => Buffer.from(hash));
		const list = i % 2 ? wrong : proof;
		list[choose(list.length)][choose(32)] ^= 1 << choose(8);
		if (i % 2) assert.ok(!isConsistent(older.size, older.root, now.size, now.root, wrong));
		else assert.notEqual(rootOfInclusion(leaf, index, now.size, proof)?.toString('base64'), now.body.root);
	}
});

test('numbers that are none are refused', async () => {
	for (const path of ['proof', 'proof?size=5', 'proof?size=5&index=-1', 'proof?size=05&index=1', 'proof?size=x&index=1',
		'proof?size=99999999999999999999&index=1', 'consistency?from=1', 'consistency?from=1&to=2&more=3', 'log?limit=0']) {
		await expectCall(400, 'auditor', 'GET', `/v1/audit/${path}`);
	}
	for (const path of ['proof?size=5&index=5', 'proof?size=900000000&index=5', 'consistency?from=6&to=5']) {
		await expectCall(404, null, 'GET', `/v1/audit/${path}`);
	}
});

test('both verifiers find a bundle of this database in order', async () => {
	await signedHead();
	exportBundle();
	assert.deepEqual(await findings(bundle), { own: [], other: [] });
	assert.match(conductctl('audit', 'verify', bundle, '--key', key), /^verified up to entry \d+ of conductd\//m);
});

test('both verifiers find every changed bit of entries, checkpoints, rows and words', async () => {
	const text = readFileSync(bundle);
	const lines = text.toString().split('\n');
	const starts = lines.reduce((at, line) => [...at, at.at(-1) + Buffer.byteLength(line) + 1], [0]);
	const marked = lines.flatMap((line, i) => /^(leaf|checkpoint|row|word|head) /.test(line) ? [i] : []);
	// Among many rows of other tables they would rarely be met.
	const bound = marked.filter(i => /^row (stanza|content_place|receipt) /.test(lines[i]));
	for (const kind of ['stanza', 'content_place', 'receipt']) assert.ok(bound.some(i => lines[i].startsWith(`row ${kind} `)), kind);
	for (let i = 0; i < (isFull ? 2000 : 40); i++) {
		const nth = i % 4 ? marked[choose(marked.length)] : bound[choose(bound.length)];
		const at = lines[nth].indexOf(' ') + 1;
		const bytes = Buffer.from(text);
		bytes[starts[nth] + at + choose(lines[nth].length - at)] ^= 1 << choose(8);
		writeFileSync(changed, bytes);
		const found = await findings(changed);
		assert.ok(found.own.length && found.other.length, `a bit of line ${nth + 1} (seed ${seed}): ${lines[nth].slice(0, 80)}`);
	}
});

test('a line taken out, doubled or moved is found', async () => {
	const lines = readFileSync(bundle, 'utf8').split('\n');
	const first = lines.findIndex(line => line.startsWith('leaf '));
	const without = n => lines.filter((_, i) => i !== n);
	const swapped = [...lines];
	[swapped[first + 1], swapped[first + 2]] = [swapped[first + 2], swapped[first + 1]];
	for (const list of [without(first + 3), without(lines.findIndex(line => line.startsWith('row event'))),
		without(lines.findIndex(line => line.startsWith('word '))), without(lines.findIndex(line => line.startsWith('head '))),
		swapped, lines.slice(0, -2), [...lines.slice(0, first), lines[first], ...lines.slice(first)]]) {
		writeFileSync(changed, list.join('\n'));
		const found = await findings(changed);
		assert.ok(found.own.length && found.other.length);
	}
});

/** Changes the database as its superuser, past every trigger, and undoes it after both have looked. */
async function tamper(how, undo) {
	sql(how);
	try {
		exportBundle();
		return await findings(bundle);
	} finally {
		sql(undo);
	}
}
const triggers = how => `do $$ declare v_row record; begin
	for v_row in select tgrelid::regclass as name, tgname from pg_trigger
		where tgrelid in ('conduct.content'::regclass, 'conduct.event'::regclass, 'conduct.proceeding'::regclass,
			'conduct.receipt'::regclass, 'conduct.principal'::regclass, 'conduct.unit'::regclass, 'keyring.stanza'::regclass)
	loop execute format('alter table %s ${how} trigger %I', v_row.name, v_row.tgname); end loop; end $$`;
const past = text => `begin; ${triggers('disable')}; ${text}; ${triggers('enable always')}; commit`;

test('what a superuser changes in the database is found', async () => {
	await signedHead();
	sql('create table kept as select distinct on (body) content_id, unit_id, kind, body, party_id from conduct.content where body <> \'\' order by body limit 2');
	const ids = sql('select content_id from kept order by 1').map(([id]) => id);
	const back = past(`delete from conduct.content where content_id in ('${ids.join("', '")}');
		insert into conduct.content (content_id, unit_id, kind, body, party_id) select * from kept`);
	const rolled = await tamper(past(`update conduct.content set body = body || '\\x00' where content_id = '${ids[0]}'`), back);
	assert.match(rolled.own.join(), new RegExp(`content ${ids[0]} is not what was logged`));
	assert.ok(rolled.other.length);
	const swapped = await tamper(past(`update conduct.content c set body = k.body from kept k
		where c.content_id in ('${ids.join("', '")}') and k.content_id <> c.content_id`), back);
	assert.ok(swapped.own.length >= 2 && swapped.other.length >= 2);
	const added = await tamper(past(`insert into conduct.content (content_id, unit_id, kind, body)
		select gen_random_uuid(), unit_id, kind, body from kept limit 1`),
		past(`delete from conduct.content c where body in (select body from kept) and content_id not in (select content_id from kept)
			and not exists (select from conduct.audit_leaf l where position(uuid_send(c.content_id) in l.leaf) > 0)`));
	assert.match(added.own.join(), /content \S+ is not in the log/);
	assert.ok(added.other.length);
	const [[proceeding, seq, action]] = sql('select proceeding_id, seq, action from conduct.event order by 1, 2 limit 1');
	const event = await tamper(past(`update conduct.event set at = at - interval '1 day' where proceeding_id = '${proceeding}'
		and seq = ${seq}`), past(`update conduct.event set at = at + interval '1 day' where proceeding_id = '${proceeding}' and seq = ${seq}`));
	assert.match(event.own.join(), new RegExp(`event ${proceeding}/${seq} is not what was logged`), action);
	assert.ok(event.other.length);
	// Whose case it is decides who sees it.
	const [[body, other]] = sql(`select p.body_id, (select min(b.body_id) from conduct.body b where b.body_id <> p.body_id)
		from conduct.proceeding p where p.proceeding_id = '${proceeding}'`);
	const moved = to => past(`update conduct.proceeding set body_id = '${to}' where proceeding_id = '${proceeding}'`);
	const given = await tamper(moved(other), moved(body));
	assert.match(given.own.join(), new RegExp(`proceeding ${proceeding} is not what was logged`));
	assert.ok(given.other.length);
	sql('drop table kept');
	assert.deepEqual(await tamper('select 1', 'select 1'), { own: [], other: [] });
});

/** Columns of a table that are not generated, as the database has them now; undoes whatever becomes of them. */
function keep(table, columns, where = 'true') {
	const name = `kept_${table.replace('.', '_')}`;
	sql(`create table ${name} as select ${columns} from ${table} where ${where}`);
	return { name, back: past(`delete from ${table} where ${where}; insert into ${table} (${columns}) select ${columns} from ${name}`) };
}

test('keys, receipts, and where words stand are not changed behind the log', async () => {
	// One word of a report, one of a channel, and one of a handler's that is sealed under a key of its own.
	const { caseId, receipt } = await report('reporter', { details: 'canary-of-the-keys' });
	await expectCall(201, { receipt }, 'POST', '/v1/receipt/messages', { body: { text: 'And one thing more.' } });
	await signedHead();
	const [[word, unit, party]] = sql(`select r.details_content, r.unit_id, r.reporter_id from conduct.report r where r.case_id = '${caseId}'`);
	const [[other]] = sql(`select unit_id from conduct.case_file where case_id <> '${caseId}' order by submitted_at desc limit 1`);
	const [[said]] = sql(`select text_content from conduct.message where case_id = '${caseId}' order by at desc limit 1`);
	const [[vault]] = sql(`select 'stanza ' || unit_id || '/1/vault/' || key_id from keyring.stanza where unit_id = '${unit}' and kind = 'vault'`);
	const channel = `stanza ${unit}/1/channel/${party}`;
	const kept = {
		stanza: keep('keyring.stanza', 'unit_id, generation, kind, party_id, key_id, blob'),
		receipt: keep('conduct.receipt', 'receipt_hash, case_id, party_id, made_at'),
		content: keep('conduct.content', 'content_id, unit_id, kind, body, party_id', `content_id in ('${word}', '${said}')`),
		unit: keep('conduct.unit', 'unit_id, kind, made_at', `unit_id = '${unit}'`),
		principal: keep('conduct.principal', 'principal_id'),
	};
	const bit = choose(88 * 8);
	const ofKey = `keyring.stanza set %s where unit_id = '${unit}' and kind = 'vault'`;
	const tries = [
		['stanza', `update ${ofKey.replace('%s', `blob = set_bit(blob, ${bit}, 1 - get_bit(blob, ${bit}))`)}`, `${vault} is not what was logged`],
		['stanza', `update ${ofKey.replace('%s', 'generation = 2')}`, `${vault} was logged, and is not there any more`],
		['stanza', `delete from keyring.stanza where unit_id = '${unit}' and kind = 'vault'`, `${vault} was logged, and is not there any more`],
		['stanza', `delete from keyring.stanza where party_id = '${party}'`, `${channel} was logged, and is not there any more`],
		['stanza', `update keyring.stanza set unit_id = '${other}' where party_id = '${party}'`, `stanza ${other}/1/channel/${party} is not in the log`],
		['stanza', `insert into keyring.stanza (unit_id, generation, kind, key_id, blob) select unit_id, 7, kind, key_id, blob
			from keyring.stanza where unit_id = '${unit}' and kind = 'vault'`, `stanza ${unit}/7/vault/\\d+ is not in the log`],
		['unit', `update conduct.unit set kind = 'person' where unit_id = '${unit}'`, `${vault} is not what was logged`],
		['content', `update conduct.content set unit_id = '${other}' where content_id = '${word}'`, `content_place ${word} is not what was logged`],
		['content', `update conduct.content set kind = 'reason' where content_id = '${word}'`, `content_place ${word} is not what was logged`],
		['content', `update conduct.content set party_id = '${party}' where content_id = '${word}'`, `content_place ${word} is not what was logged`],
		['content', `update conduct.content set party_id = null where content_id = '${said}'`, `content_place ${said} is not what was logged`],
		['receipt', `update conduct.receipt set receipt_hash = sha256('mine') where party_id = '${party}'`, `receipt ${party} is not what was logged`],
		['receipt', `insert into conduct.receipt select sha256('mine'), case_id, party_id, made_at from conduct.receipt
			where party_id = '${party}'`, `receipt ${party} is not what was logged`],
		['receipt', `delete from conduct.receipt where party_id = '${party}'`, `receipt ${party} was logged, and is not there any more`],
		['principal', `insert into conduct.principal values ('${unit}')`, `principal ${unit} is not in the log`],
	];
	for (const [table, how, named] of tries) {
		const found = await tamper(past(how), kept[table].back);
		assert.match(found.own.join('\n'), new RegExp(named), how);
		const [name] = named.match(/^\S+ \S+/);
		assert.match(found.other.join('\n'), new RegExp(name), how);
	}
	for (const { name } of Object.values(kept)) sql(`drop table ${name}`);
	assert.deepEqual(await tamper('select 1', 'select 1'), { own: [], other: [] });
});

test('a database that is not built as it is shipped is found', async () => {
	for (const [how, undo] of [
		['alter table conduct.vote disable trigger vote_is_append_only', 'alter table conduct.vote enable always trigger vote_is_append_only'],
		['create policy open on conduct.vote to conduct_stats using (true)', 'drop policy open on conduct.vote'],
		['alter table conduct.vote no force row level security', 'alter table conduct.vote force row level security'],
		["create function conduct_gate.more() returns int language sql return 1", 'drop function conduct_gate.more()'],
	]) {
		const found = await tamper(how, undo);
		assert.match(found.own.join(), /of the database|shipped are missing/, how);
	}
});

test('a worker whose head file knows more than the database stops, says so, and goes on when it is right', async () => {
	const log = async () => (await call(null, 'GET', '/readyz', { url: ops })).body.checks?.find(check => check.name === 'log');
	const good = await signedHead();
	const file = readFileSync(head, 'utf8');
	const [title, origin, size, root] = file.split('\n');
	assert.equal(title, 'conductd audit head 1');
	assert.ok(Number(size) >= good.size - 1);
	const write = lines => {
		const text = `${lines.join('\n')}\n`;
		writeFileSync(head, `${text}${createHash('sha256').update(text).digest('hex')}\n`);
	};
	const restartWorker = () => {
		const leaders = linesOf(`${stack}/conductd.log`).filter(line => line.includes('this worker leads'));
		process.kill(JSON.parse(leaders.at(-1))['process.pid'], 'SIGKILL');
	};
	for (const [lines, words] of [[[title, origin, Number(size) + 100000, root], /data was lost/],
		[[title, origin, size, 'A'.repeat(43) + '='], /was changed/], [[title, 'conductd/other', size, root], /another log/]]) {
		write(lines);
		restartWorker();
		const check = await until('the worker says what is wrong', async () => {
			const now = await log().catch(() => undefined);
			return now && !now.ok && now;
		});
		assert.match(check.detail, words);
		writeFileSync(head, file);
		await until('the worker goes on', async () => (await log().catch(() => undefined))?.ok);
	}
	await report('reporter');
	assert.ok((await signedHead()).size > good.size);
});

test('a host without a head file joins a log only when it is told to', () => {
	const file = readFileSync(head, 'utf8');
	assert.throws(() => conductctl('audit', 'adopt'), /follows the log already/);
	rmSync(head);
	assert.match(conductctl('audit', 'adopt'), /adopted the first \d+ entries of conductd\//);
	assert.match(readFileSync(head, 'utf8'), /^conductd audit head 1\n/);
	assert.ok(file.length > 0);
});
