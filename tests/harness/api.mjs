// What every suite over HTTP stands on: the demo people, requests, case walks, and the database seen
// from outside. The stack is the one tests/harness/stack started (CONDUCTD_STACK).
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import http from 'node:http';

export const stack = process.env.CONDUCTD_STACK;
if (!stack) {
	throw new Error('CONDUCTD_STACK is not set: run this through tests/run');
}
const file = JSON.parse(readFileSync(`${stack}/people.json`, 'utf8'));
export const people = file.people;
export const base = new URL(file.base);
export const ops = new URL(file.ops);

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

/** One request. who: a demo person's name, {receipt}, {authorization}, or null for nobody. */
export function call(who, method, path, { body, headers = {}, key, revision, url = base, raw } = {}) {
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
	return new Promise((resolve, reject) => {
		const request = http.request({ agent, host: url.hostname, port: url.port, method, path, headers: all },
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
					resolve({ status: response.statusCode, headers: response.headers, text, body: parsed });
				});
				response.on('error', reject);
			});
		request.on('error', reject);
		request.end(bytes);
	});
}

/** The same, and an error that shows the answer when the status is another. */
export async function expectCall(status, who, method, path, options = {}) {
	const answer = await call(who, method, path, options);
	if (answer.status !== status) {
		throw new Error(`${method} ${path} as ${JSON.stringify(who)}: ${answer.status} instead of ${status}: `
			+ `${answer.text.slice(0, 600)} for ${JSON.stringify(options.body)}`);
	}
	return answer;
}

/** SQL as the superuser of the private cluster; rows as arrays of text. */
export function sql(text, database = 'conduct') {
	const info = /migrate: "([^"]*)"/.exec(readFileSync(`${stack}/conductd.yaml`, 'utf8'))[1];
	const conninfo = info.replace(/user=\S+/, 'user=postgres').replace(/dbname=\S+/, `dbname=${database}`)
		.replace('conduct_migrate.pass', 'postgres.pass');
	const out = execFileSync('/usr/lib/postgresql/15/bin/psql',
		['-X', '-q', '-A', '-t', '-F', '\u001f', '-v', 'ON_ERROR_STOP=1', '-d', conninfo], { input: text, encoding: 'utf8' });
	return out.split('\n').filter(line => line !== '').map(line => line.split('\u001f'));
}

/** A hash of every row of a case (or of the whole schema), idempotency rows aside. */
export function snapshot(caseId) {
	const tables = sql(`select c.relname, exists (select from pg_attribute a where a.attrelid = c.oid
		and a.attname = 'case_id' and a.attnum > 0) from pg_class c
		where c.relnamespace = 'conduct'::regnamespace and c.relkind = 'r' and c.relname <> 'idempotency' order by 1`);
	const parts = tables.filter(([, has]) => !caseId || has === 't').map(([table]) =>
		`select '${table}' as t, count(*) as n, coalesce(md5(string_agg(r::text, ',' order by r::text)), '') as h
		from conduct.${table} r ${caseId ? `where r.case_id = '${caseId}'` : ''}`);
	return sql(parts.join(' union all ')).map(row => row.join(' ')).join('\n');
}

/** Moves the demo clock, e.g. '31d' or '-3600s', straight in the database. */
export function moveClock(text) {
	const [, n, unit] = /^(-?\d+)(s|min|h|d)$/.exec(text);
	const seconds = Number(n) * { s: 1, min: 60, h: 3600, d: 86400 }[unit];
	sql(`update conduct.clock_offset set shift_seconds = shift_seconds + ${seconds}`);
}

/** Runs the timers now, as the worker does every few seconds. */
export function runTimers() {
	let done;
	do {
		done = Number(sql("select (body ->> 'done')::int from conduct_api_1.timer_run(100)").at(-1)[0]);
	} while (done > 0);
}

let counter = 0;
/** A valid S2 report on enwiki against the demo respondent. */
export function reportBody(changes = {}) {
	counter += 1;
	return {
		wiki: 'enwiki', lang: 'en', category: 'trolling',
		incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: `Talk:Page ${counter}`, revision: 1000 + counter }],
		respondents: [{ user: people.respondent.user }], targets: [{ self: true }],
		details: `What happened, the ${counter}th time.`, ...changes,
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
	const at = revision === undefined
		? sql(`select revision from conduct.case_file where case_id = '${caseId}'`)[0][0] : revision;
	return expectCall(status, who, 'POST', `/v1/cases/${caseId}/actions/${action}`, { body, revision: at, key });
}
