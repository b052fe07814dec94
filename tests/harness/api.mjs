// What every suite over HTTP stands on: the demo people, requests, case walks, and the database seen
// from outside. The stack is the one tests/harness/stack started (CONDUCTD_STACK).
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { createHmac, randomUUID } from 'node:crypto';
import http from 'node:http';

export const stack = process.env.CONDUCTD_STACK;
if (!stack) {
	throw new Error('CONDUCTD_STACK is not set: run this through tests/run');
}
const file = JSON.parse(readFileSync(`${stack}/people.json`, 'utf8'));
export const people = file.people;
export const base = new URL(file.base);
export const ops = new URL(file.ops);

const ANSWER_MS = 90000;
// The suite `contract` puts a validating proxy in front of the API and has every call written down.
const proxy = process.env.CONDUCTD_PROXY && new URL(process.env.CONDUCTD_PROXY);
const callsFile = process.env.CONDUCTD_CALLS;

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

/** Ends the connections that are kept, before a daemon does so in the middle of a request. */
export const hangUp = () => agent.destroy();

/** Takes down a call, with what the proxy found wrong in it. */
function writeDown(method, path, sent, answer) {
	const found = answer.headers['sl-violations'] ?? '[]';
	// Where there are too many for a header, the proxy says only that.
	const violations = found.startsWith('[') ? JSON.parse(found) : [{ location: ['request'], message: found }];
	appendFileSync(callsFile, `${JSON.stringify({ method, path, sent, status: answer.status, violations })}\n`);
}

/**
 * Until the loop has looked at every socket: after a synchronous query it does not know yet that the server
 * has ended a connection that idled meanwhile, and a request on that one would be lost.
 */
async function lookAround() {
	for (let turn = 0; turn < 2; turn++) {
		await new Promise(resolve => setImmediate(resolve));
	}
}

/** One request. who: a demo person's name, {receipt}, {authorization}, or null for nobody. */
export async function call(who, method, path, { body, headers = {}, key, revision, url = base, raw } = {}) {
	const all = { ...headers };
	if (who && typeof who === 'string') {
		all.Authorization = `Bearer ${people[who].token}`;
	} else if (who?.receipt) {
		all.Authorization = `Receipt ${who.receipt}`;
	} else if (who?.authorization) {
		all.Authorization = who.authorization;
	}
	let bytes = raw;
	if (body !== undefined) {
		bytes = Buffer.from(JSON.stringify(body));
		all['Content-Type'] ??= 'application/json';
	}
	if (bytes !== undefined) {
		all['Content-Length'] = bytes.length;
	}
	if (method === 'POST' || method === 'DELETE') {
		if (key !== null) {
			all['Idempotency-Key'] ??= key ?? randomUUID();
		}
	}
	if (revision !== undefined && revision !== null) {
		all['If-Match'] = `"${revision}"`;
	}
	const to = proxy && url === base ? proxy : url;
	await lookAround();
	return new Promise((resolve, reject) => {
		const request = http.request(
			{ agent, host: to.hostname, port: to.port, method, path, headers: all },
			response => {
				const chunks = [];
				response.on('data', chunk => chunks.push(chunk));
				response.on('end', () => {
					const text = Buffer.concat(chunks).toString('utf8');
					let parsed;
					try {
						parsed = text ? JSON.parse(text) : undefined;
					} catch {
						parsed = undefined;
					}
					const answer = { status: response.statusCode, headers: response.headers, text, body: parsed };
					if (callsFile && url === base) {
						writeDown(method, path, body, answer);
					}
					resolve(answer);
				});
				response.on('error', reject);
			}
		);
		request.setTimeout(ANSWER_MS, () => request.destroy(new Error(`no answer to ${method} ${path} in ${ANSWER_MS} ms`)));
		request.on('error', reject);
		request.end(bytes);
	});
}

/** The same, and an error that shows the answer when the status is another. */
export async function expectCall(status, who, method, path, options = {}) {
	const answer = await call(who, method, path, options);
	if (answer.status !== status) {
		throw new Error(
			`${method} ${path} as ${JSON.stringify(who)}: ${answer.status} instead of ${status}: ` +
				`${answer.text.slice(0, 600)} for ${JSON.stringify(options.body)}`
		);
	}
	return answer;
}

const PROBLEM = [
	'type',
	'title',
	'status',
	'detail',
	'instance',
	'errorKey',
	'messageTranslations',
	'httpCode',
	'httpReason',
];

/** The answer is a refusal with this status and errorKey, and its body is whole. Returns the body. */
export function assertProblem(answer, status, key) {
	assert.equal(answer.status, status, answer.text);
	assert.equal(answer.headers['content-type'], 'application/problem+json');
	assert.equal(answer.headers['cache-control'], 'no-store');
	assert.ok(answer.headers['x-request-id']);
	for (const member of PROBLEM) {
		assert.ok(member in answer.body, `${member} is missing in ${answer.text}`);
	}
	assert.equal(answer.body.status, status);
	assert.equal(answer.body.httpCode, status);
	assert.equal(answer.body.title, answer.body.httpReason);
	assert.equal(answer.body.detail, answer.body.messageTranslations.en);
	assert.ok(answer.body.detail.length > 0);
	assert.match(answer.body.errorKey, /^conduct-[a-z0-9-]+$/);
	if (key) {
		assert.equal(answer.body.errorKey, key, answer.text);
	}
	if (status === 422 && answer.body.errorKey === 'conduct-invalid-body') {
		assert.ok(answer.body.errors.length > 0, answer.text);
		for (const error of answer.body.errors) {
			assert.match(error.pointer, /^(\/|$)/);
			assert.ok(error.detail.length > 0);
		}
	}
	// Nothing of the database's own words reaches a client.
	assert.doesNotMatch(answer.text, /constraint|violates|relation|plpgsql|conduct_api|SQLSTATE/i);
	return answer.body;
}

export function conninfo(database) {
	const info = /migrate: "([^"]*)"/.exec(readFileSync(`${stack}/conductd.yaml`, 'utf8'))[1];
	return info
		.replace(/user=\S+/, 'user=postgres')
		.replace(/dbname=\S+/, `dbname=${database}`)
		.replace('conduct_migrate.pass', 'postgres.pass');
}

/** The hex by which the database knows a demo person's name, which it never reads. */
export function nameIndex(user) {
	const key = Buffer.from(readFileSync(`${stack}/private/index.key`, 'utf8').trim(), 'hex');
	return createHmac('sha256', key).update(`name\x1fdemo\x1f${user}`).digest('hex');
}

// Nothing asked here takes long; what hangs must not hold the tests' own timers up.
const SQL_MS = 120000;
const PSQL = '/usr/lib/postgresql/15/bin/psql';
const PSQL_OPTIONS = ['-X', '-q', '-A', '-t', '-F', '\u001f', '-v', 'ON_ERROR_STOP=1'];

/** SQL as the superuser of the private cluster; rows as arrays of text. */
export function sql(text, database = 'conduct') {
	const out = execFileSync(PSQL, [...PSQL_OPTIONS, '-d', conninfo(database)], { input: text, encoding: 'utf8', timeout: SQL_MS,
		killSignal: 'SIGKILL', maxBuffer: 2 ** 28 });
	return out
		.split('\n')
		.filter(line => line !== '')
		.map(line => line.split('\u001f'));
}

/** Takes the keys of units away; returns what gives them back. */
export function takeKeys(units) {
	const kept = `kept_${randomUUID().replaceAll('-', '')}`;
	sql(`create table ${kept} as select unit_id, generation, kind, party_id, key_id, blob from keyring.stanza where unit_id in (${units});
		delete from keyring.stanza where unit_id in (select unit_id from ${kept})`);
	return () => sql(`insert into keyring.stanza (unit_id, generation, kind, party_id, key_id, blob) select * from ${kept}; drop table ${kept}`);
}

const END = '--end-of-query--';
let session;
let last = Promise.resolve();

function openSession() {
	session = spawn(PSQL, [...PSQL_OPTIONS, '-d', conninfo('conduct')], { stdio: ['pipe', 'pipe', 'inherit'] });
	session.unref();
	session.stdin.unref();
	session.stdout.setEncoding('utf8');
	session.once('exit', () => {
		session = undefined;
	});
}

function ask(text) {
	if (!session) {
		openSession();
	}
	const { stdin, stdout } = session;
	return new Promise((resolve, reject) => {
		let out = '';
		const finish = () => {
			stdout.off('data', take);
			stdout.off('end', fail);
			stdout.unref();
		};
		const take = piece => {
			out += piece;
			if (out.endsWith(`${END}\n`)) {
				finish();
				resolve(
					out
						.slice(0, -END.length - 1)
						.split('\n')
						.filter(line => line !== '')
						.map(line => line.split('\u001f'))
				);
			}
		};
		const fail = () => {
			finish();
			reject(new Error(`psql ended at: ${text}`));
		};
		stdout.ref();
		stdout.on('data', take);
		stdout.on('end', fail);
		stdin.write(`${text};\n\\echo ${END}\n`);
	});
}

/** The same on one session that stays open: for suites that look after every request. */
export function query(text) {
	const answer = last.then(() => ask(text));
	last = answer.catch(() => {});
	return answer;
}

let rowsStatement;
/**
 * Every row that belongs to a case, as one text to compare; with the number of words and key units that are
 * new, which carry no case, and of new rows of `idempotency`: old ones may be erased meanwhile; without the
 * log, which looking changes.
 */
export async function rowsOf(caseId) {
	if (!rowsStatement) {
		const tables = await query(`select c.relname from pg_class c
			where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r' and c.relname <> 'idempotency'
			and c.relname not like 'audit%'
			and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'case_id'
				and a.attnum > 0) order by 1`);
		rowsStatement = [
			...tables.map(
				([table]) => `select '${table}', count(*),
				coalesce(md5(string_agg(r::text, ',' order by r::text)), '')
				from conduct.${table} r where r.case_id = '@'`
			),
			`select 'content', count(*), '' from conduct.content c join conduct.unit u on u.unit_id = c.unit_id
				where u.made_at > conduct.clock() - interval '12 hours' or u.unit_id = (select f.unit_id from conduct.case_file f
					where f.case_id = '@')`,
			"select 'unit', count(*), '' from conduct.unit where made_at > conduct.clock() - interval '12 hours'",
			"select 'idempotency', count(*), '' from conduct.idempotency where at > conduct.clock() - interval '12 hours'",
		].join(' union all ');
	}
	return (await query(rowsStatement.replaceAll('@', caseId))).map(row => row.join(' ')).join('\n');
}

/** A hash of every row of a case (or of the whole schema), idempotency rows and the log aside. */
export function snapshot(caseId) {
	const tables = sql(`select c.relname, exists (select from pg_attribute a where a.attrelid = c.oid
		and a.attname = 'case_id' and a.attnum > 0) from pg_class c
		where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r' and c.relname <> 'idempotency'
		and c.relname not like 'audit%' order by 1`);
	const parts = tables
		.filter(([, has]) => !caseId || has === 't')
		.map(
			([table]) =>
				`select '${table}' as t, count(*) as n, coalesce(md5(string_agg(r::text, ',' order by r::text)), '') as h
		from conduct.${table} r ${caseId ? `where r.case_id = '${caseId}'` : ''}`
		);
	return sql(parts.join(' union all '))
		.map(row => row.join(' '))
		.join('\n');
}

let moved = false;

function present() {
	try {
		sql('update conduct.clock_offset set shift_seconds = 0');
	} catch { /* a stack of the file's own, which has ended before it */ }
}

/**
 * Moves the demo clock, e.g. '31d' or '-3600s', straight in the database. The file that moves it leaves the
 * present behind: a daemon without the demo is not ready beside a clock that is shifted.
 */
export function moveClock(text) {
	const [, n, unit] = /^(-?\d+)(s|min|h|d)$/.exec(text);
	const seconds = Number(n) * { s: 1, min: 60, h: 3600, d: 86400 }[unit];
	if (!moved) process.once('exit', present);
	moved = true;
	sql(`update conduct.clock_offset set shift_seconds = shift_seconds + ${seconds}`);
}

/** The demo clock's time in so many days, as requests name it. */
export async function inDays(n) {
	const [[at]] = await query(`select to_char((conduct.clock() + interval '${n} days') at time zone 'UTC',
		'YYYY-MM-DD"T"HH24:MI:SS"Z"')`);
	return at;
}

/** Runs the timers now, as the worker does every few seconds, until nothing is due any more. */
export function runTimers() {
	for (let run = 0; run < 200; run++) {
		const [[failed]] = sql("select (body ->> 'failed')::int from conduct_api_1.timer_run(100)");
		assert.equal(failed, '0', 'a timer fails');
		// What the worker has under way is left out above.
		const [[due]] = sql('select count(*) from conduct_gate.due_cases(100)');
		if (due === '0') {
			return;
		}
	}
	assert.fail('something stays due for ever');
}

let counter = 0;
/** A valid S2 report on enwiki against the demo respondent. */
export function reportBody(changes = {}) {
	counter += 1;
	return {
		wiki: 'enwiki',
		lang: 'en',
		category: 'trolling',
		incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: `Talk:Page ${counter}`, revision: 1000 + counter }],
		respondents: [{ user: people.respondent.user }],
		targets: [{ self: true }],
		details: `What happened, the ${counter}th time.`,
		...changes,
	};
}

export async function report(who = 'reporter', changes = {}) {
	const answer = await expectCall(201, who, 'POST', '/v1/reports', { body: reportBody(changes) });
	const [[caseId]] = sql(`select case_id from conduct.report where report_id = '${answer.body.report}'`);
	return { ...answer.body, caseId };
}

export async function showCase(who, caseId, status = 200) {
	return (await expectCall(status, who, 'GET', `/v1/cases/${caseId}`)).body;
}

/** One action with the present revision; returns the answer. */
export async function act(who, caseId, action, body = {}, { status = 200, revision, key } = {}) {
	const at =
		revision === undefined
			? sql(`select revision from conduct.case_file where case_id = '${caseId}'`)[0][0]
			: revision;
	return expectCall(status, who, 'POST', `/v1/cases/${caseId}/actions/${action}`, { body, revision: at, key });
}
