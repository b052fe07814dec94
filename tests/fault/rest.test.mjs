// What is at rest can be read by nobody: reports with a word of their own in every place, what is said about
// them and what is attached, then crashes with leave to dump cores; and the word is in no file of the
// database, its log, its dump, its server's log, the daemon's, nor in a bundle, a core or a temporary file, in no
// form that bytes are written in.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import test, { after, before } from 'node:test';
import { call, expectCall, hangUp, reportBody, sql } from '../harness/api.mjs';
import { acceptance, notice, reported, turnDown } from '../harness/cases.mjs';
import { Daemon, asked, conductctl, isFull, note, ownFile, postgres, run, stack, until, withCores,
	writeConfig } from './parts.mjs';

const COUNT = isFull ? 1000 : 40;
const TOGETHER = 8;
const LIMIT_MS = isFull ? 1800000 : 180000;
const PG = '/usr/lib/postgresql/15/bin';
const PIECE = 1 << 24;
const own = `${stack}/private`;
const cores = `${own}/cores`;
const dump = `${own}/rest.dump`;
const bundle = `${own}/rest.bundle`;
const started = Date.now();
const account = statSync(own);
let daemon;

// The search ----------------------------------------------------------------------------------------

const newWord = () => randomBytes(12).toString('hex');

/** The forms that a word takes when bytes are written down: name → bytes. */
function formsOf(word) {
	const bytes = Buffer.from(word, 'utf8');
	const utf16be = Buffer.from(word, 'utf16le').swap16();
	const forms = {
		'UTF-8': bytes,
		'UTF-8 in capitals': Buffer.from(word.toUpperCase()),
		'UTF-16 LE': Buffer.from(word, 'utf16le'),
		'UTF-16 BE': utf16be,
		hex: Buffer.from(bytes.toString('hex')),
		'hex in capitals': Buffer.from(bytes.toString('hex').toUpperCase()),
		percent: Buffer.from([...bytes].map(byte => `%${byte.toString(16)}`).join('')),
		'percent in capitals': Buffer.from([...bytes].map(byte => `%${byte.toString(16).toUpperCase()}`).join('')),
		'JSON escapes': Buffer.from([...word].map(c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')),
	};
	// Where a word begins within a group of three bytes decides how it looks in base64; its edges are its neighbours'.
	for (let shift = 0; shift < 3; shift++) {
		const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '');
		forms[`base64 at ${shift}`] = Buffer.from(text.slice(shift ? 4 : 0, text.length - 2));
	}
	return forms;
}

/** Which forms of a word a file has. */
function formsIn(file, forms) {
	const found = new Set();
	const overlap = Math.max(...Object.values(forms).map(form => form.length));
	const buffer = Buffer.alloc(PIECE + overlap);
	const fd = openSync(file, 'r');
	try {
		for (let kept = 0; ;) {
			const n = readSync(fd, buffer, kept, PIECE, null);
			const bytes = buffer.subarray(0, kept + n);
			for (const [name, form] of Object.entries(forms)) {
				if (bytes.includes(form)) {
					found.add(name);
				}
			}
			if (n === 0) {
				return [...found];
			}
			kept = Math.min(overlap, bytes.length);
			bytes.copy(buffer, 0, bytes.length - kept);
		}
	} finally {
		closeSync(fd);
	}
}

/** All files below a directory. */
function filesIn(dir) {
	return readdirSync(dir, { withFileTypes: true }).flatMap(entry => {
		const path = `${dir}/${entry.name}`;
		return entry.isDirectory() ? filesIn(path) : entry.isFile() ? [path] : [];
	});
}

/** What anybody left in the places for temporary files since this began, and may be of the daemon or its server. */
function temporaryFiles() {
	return [...new Set([tmpdir(), '/tmp', '/var/tmp', '/dev/shm'])].flatMap(dir => {
		try {
			return readdirSync(dir).map(name => `${dir}/${name}`);
		} catch {
			return [];
		}
	}).filter(path => {
		try {
			const stat = statSync(path);
			return stat.isFile() && stat.mtimeMs >= started && stat.uid === account.uid && path !== `${asked}.d`;
		} catch {
			return false;
		}
	});
}

/** Everything that is searched: the state with the server's directory, logs, cores, dumps and temporary files. */
const places = () => [...filesIn(stack), ...filesIn(`${asked}.d`), ...temporaryFiles()];

/** file: forms, of each file that has the word. */
function search(word) {
	const forms = formsOf(word);
	let n = 0;
	let size = 0;
	const hits = [];
	for (const file of places()) {
		try {
			size += statSync(file).size;
			n += 1;
			const found = formsIn(file, forms);
			if (found.length) {
				hits.push(`${file.replace(stack, '')}: ${found.join(', ')}`);
			}
		} catch (error) {
			// A server that runs takes files away.
			assert.equal(error.code, 'ENOENT', `${file}: ${error.message}`);
		}
	}
	return { hits, n, size };
}

const superuser = () => ['-d', `host=127.0.0.1 port=${/port=(\d+)/.exec(conninfo)[1]} dbname=conduct user=postgres`
	+ ` passfile=${own}/postgres.pass`];
let conninfo;

/** What is in memory and in the log reaches the files; then a dump of all and a bundle of the log. */
function writeDown() {
	for (const one of ['checkpoint', 'select pg_switch_wal()', 'checkpoint']) {
		sql(one);
	}
	rmSync(dump, { force: true });
	rmSync(bundle, { force: true });
	const dumped = run(`${PG}/pg_dump`, [...superuser(), '-f', dump]);
	assert.equal(dumped.status, 0, dumped.stderr);
	const exported = conductctl('-c', daemon.config, 'audit', 'export', '--out', bundle);
	assert.equal(exported.status, 0, exported.stdout + exported.stderr);
}

// What is said --------------------------------------------------------------------------------------

before(async () => {
	rmSync(cores, { recursive: true, force: true });
	assert.equal(run('mkdir', [cores]).status, 0);
	await postgres.start([], { cores: true });
	const config = writeConfig('rest', text => {
		conninfo = /migrate: "([^"]*)"/.exec(text)[1];
		return text;
	});
	daemon = new Daemon(config, { name: 'rest', cores,
		environment: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:disable_coredump=0` } }).start();
	await daemon.ready(30000);
}, { timeout: 60000 });

after(async () => {
	await daemon?.kill();
	postgres.stop();
	rmSync(cores, { recursive: true, force: true });
	rmSync(dump, { force: true });
	rmSync(bundle, { force: true });
});

let nth = 0;
/** A text with the word in it, never twice the same. */
const said = word => `${word} says ${nth += 1}`;

/** A report with the word in every place that takes one. */
function everywhere(word, i) {
	return {
		details: said(word), harmed: said(word), extra: said(word), contact: `${word}@example.org`,
		incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: `Talk:${said(word)}`, thread: said(word),
			url: `https://en.example.org/${word}${i}`, revision: 2000 + i }],
		respondents: [{ user: `${word} ${i}` }, { unknown: said(word) }, { url: `https://user.example.org/${word}${i}` }],
		targets: [{ self: true }, { user: `T${word} ${i}` }, { unknown: said(word) }],
		exclude_handlers: [{ user: `H${word} ${i}`, reason: said(word) }],
		filed_for: { unknown: said(word) },
	};
}

async function attach(c, word, i) {
	const answer = await call({ receipt: c.receipt }, 'POST', '/v1/receipt/attachments', { raw: Buffer.from(`${said(word)}\n`.repeat(i % 4 ? 40 : 4000)),
		headers: { 'Content-Type': 'application/octet-stream', 'Conduct-Filename': encodeURIComponent(`${word} ${i}.txt`) } });
	assert.equal(answer.status, 201, answer.text);
}

/** One report, what is said about it by both, and how it goes on. */
async function life(word, i) {
	const c = await reported(everywhere(word, i), i % 3 ? 'reporter' : null);
	const say = text => ({ body: { text } });
	await expectCall(201, { receipt: c.receipt }, 'POST', '/v1/receipt/messages', say(said(word)));
	await attach(c, word, i);
	await c.act('functionary', 'claim');
	const reporter = await c.party('reporter');
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${c.id}/messages?channel=reporter&party=${reporter}`, say(said(word)));
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${c.id}/messages?channel=internal`, say(said(word)));
	if (i % 2) {
		await c.act('functionary', 'decline', turnDown({ reason: said(word) }));
	} else {
		const respondents = [await c.party('respondent')];
		await c.act('functionary', 'accept', await acceptance(c, { reason: said(word), respondents }));
		await c.act('functionary', 'notify_respondent', { ...notice(respondents[0]), text: said(word) });
		await c.act('functionary', 'set_severity', { severity: 'S2', reason: said(word) });
		await c.act('functionary', 'recuse', { kind: 'vote_only', reason: said(word) });
	}
	const seen = await call({ receipt: c.receipt }, 'GET', '/v1/receipt/messages');
	assert.equal(seen.status, 200, seen.text);
	assert.ok(seen.text.includes(word), 'what was said is not told to who said it');
	return c;
}

/** Requests that go wrong in every layer, with the word in them. */
async function wrong(word, c) {
	const key = { 'Idempotency-Key': word };
	const bad = [
		[null, 'POST', '/v1/reports', { raw: Buffer.from(`{"details": "${word}`), headers: { 'Content-Type': 'application/json' } }],
		[null, 'POST', '/v1/reports', { raw: Buffer.from(`{"details": "${word}\\u0000"}`), headers: { 'Content-Type': 'application/json' } }],
		[null, 'POST', '/v1/reports', { body: { wiki: word, category: word, details: word, [word]: word } }],
		['functionary', 'POST', `/v1/cases/${c.id}/actions/accept`, { body: { severity: word, reason: word }, headers: key, revision: 1 }],
		['functionary', 'POST', `/v1/cases/${c.id}/actions/decline`, { body: turnDown({ reason: word }), revision: 999 }],
		['functionary', 'POST', `/v1/cases/${c.id}/actions/set_severity`, { body: { severity: 'S1', reason: word }, revision: 1 }],
		['functionary', 'GET', `/v1/cases/${word}`, {}],
		['functionary', 'GET', `/v1/cases?respondent=${word}`, {}],
		['functionary2', 'POST', `/v1/cases/${c.id}/messages?channel=${word}`, { body: { text: word } }],
		[{ receipt: word }, 'GET', '/v1/receipt', {}],
		[{ receipt: c.receipt }, 'POST', '/v1/receipt/actions/answer', { body: { text: word } }],
	];
	for (const [who, method, path, options] of bad) {
		const answer = await call(who, method, path, options);
		assert.ok(answer.status >= 200 && answer.status < 500, `${path}: ${answer.text}`);
	}
}

// -----------------------------------------------------------------------------------------------------

test('a word that is there is found, in each form and each place', { timeout: LIMIT_MS }, () => {
	for (const name of Object.keys(formsOf(newWord()))) {
		const word = newWord();
		const file = ownFile(`${stack}/planted`, Buffer.concat([randomBytes(PIECE - 10), formsOf(word)[name], randomBytes(100)]), 0o644);
		const { hits } = search(word);
		assert.equal(hits.length, 1, `${name} is not found`);
		assert.ok(hits[0].includes(name), hits[0]);
		rmSync(file);
	}
	const word = newWord();
	sql(`create table public.planted as select '${word}'::text as word`);
	sql(`do $$ begin raise warning '${word}'; end $$`);
	writeFileSync(`${asked}.d/planted.log`, Buffer.from(word).toString('base64'));
	writeDown();
	const { hits } = search(word);
	sql('drop table public.planted');
	rmSync(`${asked}.d/planted.log`);
	for (const place of [/\/pg\/base\//, /\/pg\/pg_wal\//, /\/rest\.dump/, /\/pg\/server\.log/, /planted\.log/]) {
		assert.ok(hits.some(hit => place.test(hit)), `${place}: ${hits.join('; ')}`);
	}
});

/** Core files of processes that crashed here. */
const coreFiles = () => [...filesIn(cores), ...filesIn(`${stack}/pg`)].filter(file => /\/core[^/]*$/.test(file));

async function crash(pid, isBack) {
	process.kill(pid, 'SIGABRT');
	await until('it is back', isBack, 30000);
	hangUp();
	await daemon.ready(30000);
}

test(`${COUNT} reports, what is said about them and what is attached leave no word anywhere`, { timeout: LIMIT_MS }, async () => {
	const word = newWord();
	let c;
	for (let i = 0; i < COUNT; i += TOGETHER) {
		[c] = await Promise.all(Array.from({ length: TOGETHER }, (_, j) => life(word, i + j)));
	}
	await wrong(word, c);
	// Whether a crash leaves a core here at all.
	const other = newWord();
	run(withCores[0], [...withCores.slice(1), 'sh', '-c', `word=${other}; kill -ABRT $$`], { cwd: cores });
	const isDumped = coreFiles().length > 0;
	assert.ok(!isDumped || search(other).hits.length > 0, 'what is in a core is not found');
	coreFiles().forEach(file => rmSync(file));
	for (const name of ['web', 'worker', 'vault']) {
		const [title, pid] = [...daemon.children()].find(([one]) => one.startsWith(name));
		await crash(pid, () => ![undefined, pid].includes(daemon.children().get(title)));
	}
	assert.deepEqual(coreFiles(), [], 'a process of the daemon left a core');
	const [[backend]] = sql(`select pid from pg_stat_activity where usename = 'conduct_web' order by 1 limit 1`);
	const recoveries = () => readFileSync(`${postgres.data}/server.log`, 'utf8').split('ready to accept connections').length;
	const before_ = recoveries();
	await crash(Number(backend), () => recoveries() > before_);
	assert.equal(coreFiles().length > 0, isDumped, 'whether a backend leaves a core');
	await expectCall(201, 'reporter', 'POST', '/v1/reports', { body: reportBody(everywhere(word, COUNT)) });
	writeDown();
	const { hits, n, size } = search(word);
	note(`rest: ${COUNT + 1} reports, ${nth} words; ${n} files of ${Math.round(size / 1048576)} MiB, `
		+ `${coreFiles().length} cores of a backend, ${Object.keys(formsOf(word)).length} forms: ${hits.length} hits`);
	assert.deepEqual(hits, []);
});

test('it ends in order', { timeout: LIMIT_MS }, () => daemon.stop());
