// The rows of the table: what each measures, its contenders (the first is conductd), and the bar of each.
import assert from 'node:assert/strict';
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { pgbench, say, startTls, top, wrk } from './parts.mjs';

const details = 'What happened, told in a thousand letters. '.repeat(24).slice(0, 1000);

function reportBody(stack) {
	return {
		wiki: 'enwiki', lang: 'en', category: 'trolling', details,
		incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: 'Talk:Page', revision: 1001 }],
		respondents: [{ user: stack.people.respondent.user }], targets: [{ self: true }],
	};
}

/** A wrk script: each request has a key of its own. */
function submitScript({ work, stack }) {
	const path = `${work}/submit.lua`;
	writeFileSync(path, `
local thread = 0
function setup(t) t:set("id", thread); thread = thread + 1 end
function init(args) math.randomseed(os.time() * 1000 + id + tonumber(string.sub(tostring({}), 8)) % 1000003) end
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer ${stack.people.reporter.token}"
local body = [[${JSON.stringify(reportBody(stack))}]]
local random = math.random
function request()
	wrk.headers["Idempotency-Key"] = string.format("%08x%08x%08x%08x", random(0, 0x7fffffff), random(0, 0x7fffffff),
		random(0, 0x7fffffff), random(0, 0x7fffffff))
	return wrk.format("POST", "/v1/reports", nil, body)
end
`);
	return path;
}

function nameIndex(stack, user) {
	const key = Buffer.from(readFileSync(`${stack.dir}/private/index.key`, 'utf8').trim(), 'hex');
	return createHmac('sha256', key).update(`name\x1fdemo\x1f${user}`).digest('hex');
}

function indexesOf(stack, user) {
	const [[id, name, skeleton]] = stack.sql(`select encode(a.id_ix, 'hex'), encode(a.name_ix, 'hex'), encode(a.skeleton_ix, 'hex')
		from conduct.person_account a where a.name_ix = '\\x${nameIndex(stack, user)}'`);
	return { id, name, skeleton };
}

/** Bytes as long and as random as an envelope of conductd's for a text (daemon/keys/envelope.c). */
function envelope(length) {
	const padded = [256, 1024, 4096].find(size => 4 + length <= size);
	return `\\xc5d1010100000001${randomBytes(12 + padded + 16).toString('hex')}`;
}

/** The same call of the same function, with words and stanzas of the same lengths, as a pgbench script. */
function submitSql({ work, stack }) {
	const path = `${work}/submit.sql`;
	const reporter = indexesOf(stack, stack.people.reporter.user);
	const respondent = indexesOf(stack, stack.people.respondent.user);
	const report = { wiki: 'enwiki', lang: 'en', lane: 'standard', category: 'trolling', details: '%1$s',
		incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: '%2$s', revision: '%9$s' }],
		respondents: [{ user: '%3$s', name_ix: respondent.name, skeleton_ix: respondent.skeleton, id_ix: respondent.id }],
		targets: [{ self: true }], minor_at_risk: false, about_functionary: 'no', privacy: 'handlers', identity: 'sealed',
		publish_after: false, contain: [], unverified: false, units: { report: '%4$s', case_file: '%8$s', identity: '%6$s' },
		report: '%7$s', case: '%8$s', reporter: '%5$s' };
	const words = [[details, 'details', 'g.u1'], ['Talk-Page', 'page', 'g.u2'], [stack.people.respondent.user, 'name', 'g.u3'],
		['1001', 'revision', 'g.u9']];
	const vault = () => `'\\x0000000100000001${randomBytes(88).toString('hex')}'::bytea`;
	const receipt = `uuid_send(g.u5) || '\\x00000001${randomBytes(60).toString('hex')}'::bytea`;
	writeFileSync(path, `select a.status from (select ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map(i => `gen_random_uuid() as u${i}`).join(', ')} offset 0) g,
	lateral conduct_api_1.submit_report('\\x${reporter.id}', sha256(uuid_send(g.u7)), sha256(uuid_send(g.u8)), sha256(uuid_send(g.u1)),
	'\\x${'5a'.repeat(44)}', format('${JSON.stringify(report).replaceAll('":', '": ')}', g.u1, g.u2, g.u3, g.u4, g.u5, g.u6, g.u7, g.u8, g.u9)::jsonb,
	array[${words.map(([, , id]) => id).join(', ')}, g.u4, g.u4, g.u8],
	array[${words.map(([, kind]) => `'${kind}'`).join(', ')}, '$vault', '$receipt', '$vault'],
	array[${words.map(([text]) => `'${envelope(Buffer.byteLength(text))}'::bytea`).join(', ')}, ${vault()}, ${receipt}, ${vault()}]) a;
`.replace(/\n\t/g, ' '));
	return path;
}

async function ask(stack, port, who, method, path, body, revision) {
	const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: JSON.stringify(body), headers: {
		'Authorization': `Bearer ${stack.people[who].token}`, 'Content-Type': 'application/json',
		'Idempotency-Key': randomUUID(), ...revision && { 'If-Match': `"${revision}"` } } });
	if (!answer.ok) {
		throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
	}
	return answer.json();
}

/** A case of a report sent to `to`, that the functionary has taken up. */
async function makeCase({ stack, port }, to = port) {
	const { report } = await ask(stack, to, 'reporter', 'POST', '/v1/reports', reportBody(stack));
	const [[id]] = stack.sql(`select case_id from conduct.report where report_id = '${report}'`);
	await ask(stack, port, 'functionary', 'POST', `/v1/cases/${id}/actions/claim`, {}, 1);
	await ask(stack, port, 'functionary', 'POST', `/v1/cases/${id}/actions/acknowledge`, {});
	return id;
}

/** conductd and the peer open what either has sealed, and show the same. */
async function assertAlike(setup) {
	for (const from of [setup.port, setup.peer]) {
		const id = await makeCase(setup, from);
		const [own, other] = await Promise.all([setup.port, setup.peer].map(port =>
			ask(setup.stack, port, 'functionary', 'GET', `/v1/cases/${id}`)));
		assert.deepEqual(other, own);
		assert.ok(JSON.stringify(own).includes(details), 'what was told is not shown');
	}
}

async function submit(setup) {
	const { port, peer, stack, seconds } = setup;
	const script = submitScript(setup);
	const file = submitSql(setup);
	let most = 0;
	return {
		comparisons: [{ name: 'submit a report, durable', contenders: [
			{ label: 'conductd, 64 connections', bar: 'p99 ≤ 50 ms', run: async () => {
				const measured = wrk(`http://127.0.0.1:${port}`, { script, seconds });
				await new Promise(resolve => setTimeout(resolve, seconds * 700));
				most = Math.max(most, stack.memory());
				return measured;
			} },
			{ label: 'pgbench, the same function, one commit each, 16 clients', bar: '≥ 0.9',
				run: () => pgbench(stack, [file], { clients: 16, seconds }) },
			{ label: 'Fastify + pg, sealed with node:crypto', bar: '≥ 1.7', run: () => wrk(`http://127.0.0.1:${peer}`, { script, seconds }) },
		] }],
		after: () => [`Memory of the whole daemon while it takes reports: ${most.toFixed(1)} MB PSS (bar ≤ 48).`],
	};
}

async function read(setup) {
	const { work, port, peer, stack, seconds } = setup;
	await assertAlike(setup);
	const ids = [];
	for (let i = 0; i < 32; i++) {
		ids.push(await makeCase(setup));
	}
	const script = `${work}/read.lua`;
	writeFileSync(script, `local ids = { ${ids.map(id => `"${id}"`).join(', ')} }
wrk.headers["Authorization"] = "Bearer ${stack.people.functionary.token}"
local n = 0
function request()
	n = n % #ids + 1
	return wrk.format("GET", "/v1/cases/" .. ids[n])
end
`);
	const { id } = indexesOf(stack, stack.people.functionary.user);
	const files = ids.map((one, i) => {
		const path = `${work}/read-${i}.sql`;
		writeFileSync(path, `select * from conduct_api_1.case_show('\\x${id}'::bytea, '${one}'::uuid);\n`);
		return path;
	});
	return { comparisons: [{ name: 'read one case, opened and logged', contenders: [
		{ label: 'conductd, 64 connections', run: () => wrk(`http://127.0.0.1:${port}`, { script, seconds }) },
		{ label: 'pgbench, the same function, 4 clients', bar: '≥ 0.8', run: () => pgbench(stack, files, { clients: 4, seconds }) },
		{ label: 'Fastify + pg, opened with node:crypto', bar: '≥ 2.5', run: () => wrk(`http://127.0.0.1:${peer}`, { script, seconds }) },
	] }] };
}

/** Queue pages of 50 while the number of cases grows: the rate at each size beside that at the smallest. */
async function queue({ port, stack, seconds, sizes }) {
	const headers = { Authorization: `Bearer ${stack.people.functionary.token}` };
	const url = `http://127.0.0.1:${port}/v1/cases?limit=50`;
	const notes = [];
	let first;
	for (const size of sizes) {
		say(`queue: filling up to ${size} cases`);
		const began = performance.now();
		stack.file(`${top}/tests/bench/fill.sql`, { n: size });
		const filled = (performance.now() - began) / 1000;
		const cold = performance.now();
		const { items } = await (await fetch(url, { headers })).json();
		const took = performance.now() - cold;
		const runs = [];
		for (let i = 0; i < 3; i++) {
			runs.push(await wrk(url, { headers, seconds, connections: 8 }));
		}
		const { rate, p50 } = runs.sort((a, b) => a.rate - b.rate)[1];
		first ??= rate;
		notes.push(`Queue of the functionary's own bodies, page of ${items.length}, at ${size.toLocaleString('en')} cases: ${Math.round(rate)}/s, `
			+ `p50 ${p50.toFixed(1)} ms, first page ${took.toFixed(1)} ms; time per page × ${(first / rate).toFixed(2)} of the smallest (bar ≤ 1.3). `
			+ `Filled in ${filled.toFixed(0)} s.`);
		say(notes.at(-1));
	}
	return { after: () => notes };
}

const path = '/v1/policy?wiki=enwiki&lang=en';

async function policy({ port, nginx, seconds }) {
	return { comparisons: [{ name: 'policy GET', contenders: [
		{ label: 'conductd, 64 connections', run: () => wrk(`http://127.0.0.1:${port}${path}`, { seconds }) },
		{ label: 'nginx, the same bytes', bar: '≥ 0.7', run: () => wrk(`http://127.0.0.1:${nginx}/policy.json`, { seconds }) },
	] }] };
}

/** Over connections that stay open, as before. */
async function policyTls({ work, port, nginx, stack, seconds }) {
	const tls = port + 20;
	await startTls(work, stack, tls);
	return { comparisons: [{ name: 'policy GET over TLS', contenders: [
		{ label: 'conductd, 64 connections', run: () => wrk(`https://127.0.0.1:${tls}${path}`, { seconds }) },
		{ label: 'nginx, the same bytes and certificate', bar: '≥ 0.7',
			run: () => wrk(`https://127.0.0.1:${nginx + 1}/policy.json`, { seconds }) },
	] }] };
}

async function notModified({ port, nginx, seconds }) {
	const own = (await fetch(`http://127.0.0.1:${port}${path}`)).headers.get('etag');
	const other = (await fetch(`http://127.0.0.1:${nginx}/policy.json`)).headers.get('etag');
	return { comparisons: [{ name: 'policy GET, 304', contenders: [
		{ label: 'conductd, 64 connections', run: () => wrk(`http://127.0.0.1:${port}${path}`, { seconds, headers: { 'If-None-Match': own } }) },
		{ label: 'nginx', bar: '≥ 0.7', run: () => wrk(`http://127.0.0.1:${nginx}/policy.json`, { seconds, headers: { 'If-None-Match': other } }) },
	] }] };
}

/** 200 reports a second, one in 20 an emergency, for a minute: how long each kind takes to be committed. */
async function burst({ port, stack, seconds }) {
	const limit = Math.max(10, seconds * 10);
	const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
	const body = JSON.stringify(reportBody(stack));
	const danger = JSON.stringify({ lane: 'emergency', harm_type: 'physical_harm', wiki: 'enwiki', category: 'trolling', details });
	const times = { standard: [], emergency: [] };
	const statuses = new Map();
	const send = (lane, bytes) => new Promise(resolve => {
		const started = performance.now();
		const done = status => {
			statuses.set(`${lane} ${status}`, (statuses.get(`${lane} ${status}`) ?? 0) + 1);
			times[lane].push(performance.now() - started);
			resolve();
		};
		const request = http.request({ agent, host: '127.0.0.1', port, method: 'POST', path: '/v1/reports', headers: {
			'Content-Type': 'application/json', 'Content-Length': bytes.length, 'Idempotency-Key': randomUUID(),
			...lane === 'standard' && { Authorization: `Bearer ${stack.people.reporter.token}` } } }, answer => {
			answer.resume();
			answer.on('end', () => done(answer.statusCode));
		});
		request.on('error', error => done(error.code));
		request.end(bytes);
	});
	const flood = [];
	const began = performance.now();
	for (let n = 0; n < 200 * limit; n++) {
		const wait = began + n * 5 - performance.now();
		if (wait > 1) {
			await new Promise(resolve => setTimeout(resolve, wait));
		}
		flood.push(n % 20 === 0 ? send('emergency', danger) : send('standard', body));
	}
	await Promise.all(flood);
	agent.destroy();
	const at = (list, share) => list.sort((a, b) => a - b)[Math.ceil(list.length * share) - 1];
	return { after: () => [`Burst of 200 reports a second for ${limit} s: emergencies committed in p50 ${at(times.emergency, 0.5).toFixed(1)} ms, `
		+ `p99 ${at(times.emergency, 0.99).toFixed(1)} ms (bar ≤ 5,000), others p50 ${at(times.standard, 0.5).toFixed(1)} ms, p99 ${at(times.standard, 0.99).toFixed(1)} ms; `
		+ `answers: ${[...statuses].map(([what, n]) => `${what}: ${n}`).join(', ')}.`] };
}

export const rows = { submit, read, queue, policy, 'policy-tls': policyTls, 'not-modified': notModified, burst };
