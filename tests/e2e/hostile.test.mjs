// Every parameter and every member of every body that the description names, with what breaks statements
// elsewhere: a refusal or a success, never an error of ours, and nothing of the database in the answer.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import test, { before } from 'node:test';
import { call, expectCall, query, report, stack } from '../harness/api.mjs';

/** What sqlmap and its like begin with, and what readers of text trip over. */
const HOSTILE = [
	'\'', '"', '\\', '`', '$$', '%', '_', ';',
	'\' or \'1\'=\'1', '1 or 1=1 --', '") or ("1"="1', '\'; drop table conduct.report; --', '\'||(select pg_sleep(5))||\'',
	'1; select pg_sleep(5)', '1 and 1=cast((select version()) as int)', '\' union select null, null, null -- ',
	'$1', '%s%n%x', '{{7*7}}', '${jndi:ldap://127.0.0.1/a}', '../../../../etc/passwd', 'a\u0001b', 'a\r\nX-A: b',
	'null', 'true', '-1', '0', '1e309', '9223372036854775808', '0x41', '{}', '[]', '\u202e', '\ufeff',
	'\u{1f600}'.repeat(300), '00000000-0000-0000-0000-000000000000', '2026-02-30T25:61:61Z', '-infinity', 'epoch',
];
/** And what is no text. */
const SHAPES = [null, true, -1, 0, 1.5, 1e308, [], {}, [null], [[]], [{}], { $word: 'x' }, { user: '\'' }, ['\'']];

const METHODS = ['get', 'post', 'delete'];
const FEW = HOSTILE.filter((_, i) => process.env.EFFORT === 'full' || i % 4 === 0);
let description;
let place; // a case, and the ways to it
let since;

const logs = [`${stack}/conductd.log`, ...readdirSync(`${stack}/pg`).filter(name => name.endsWith('.log')).map(name => `${stack}/pg/${name}`)];
const follow = node => (node?.$ref ? node.$ref.slice(2).split('/').reduce((at, key) => at[key], description) : node);
const operations = () => Object.entries(description.paths).flatMap(([path, item]) =>
	METHODS.filter(method => item[method]).map(method => ({ path, method: method.toUpperCase(), ...item[method],
		parameters: [...item.parameters ?? [], ...item[method].parameters ?? []].map(follow) })));

before(async () => {
	description = (await expectCall(200, null, 'GET', '/v1/openapi.json')).body;
	const { report: id, receipt } = await report('reporter');
	const [[case_id]] = await query(`select case_id from conduct.report where report_id = '${id}'`);
	const [[party]] = await query(`select party_id from conduct.party where case_id = '${case_id}' and role = 'reporter'`);
	place = { case: case_id, receipt, party };
	since = new Map(logs.map(file => [file, statSync(file).size]));
});

/** Who may ask, as far as one is needed to reach the database. */
function whoOf({ path }) {
	if (path.startsWith('/v1/receipt')) {
		return { receipt: place.receipt };
	}
	return path.startsWith('/v1/admin') ? 'admin' : path.startsWith('/v1/me') ? 'reporter' : 'functionary';
}

/** The path with its parameters filled in, all but one as they should be. */
function pathOf({ path, parameters }, named = {}) {
	const values = { id: path.startsWith('/v1/bodies') ? 'enwiki-functionaries' : path.startsWith('/v1/policy') ? 'ucoc/3.1/doxing' : place.case,
		action: path.startsWith('/v1/receipt') ? 'withdraw' : 'claim', sha256: 'a'.repeat(64), ...named };
	const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(values[name]));
	const pairs = parameters.filter(one => one.in === 'query' && one.name in named).map(one =>
		`${one.name}=${encodeURIComponent(named[one.name])}`);
	return pairs.length ? `${filled}?${pairs.join('&')}` : filled;
}

async function ask(operation, path, options, what) {
	const answer = await call(whoOf(operation), operation.method, path, options);
	const name = `${operation.method} ${operation.path} ${what}: ${answer.status} ${answer.text.slice(0, 300)}`;
	assert.ok(answer.status < 500 && answer.status !== 429, name);
	if (answer.status >= 400) {
		assert.equal(answer.body?.status, answer.status, name);
		assert.doesNotMatch(answer.text, /syntax error|invalid input|violates|relation|conduct_api|pg_|SQLSTATE|PL\/pgSQL/i, name);
	}
	return answer.status;
}

/** Asks for all, a few at a time: they act on one case, and who waits for it too long gets 503. Says how many. */
async function askAll(all) {
	for (let i = 0; i < all.length; i += 4) {
		await Promise.all(all.slice(i, i + 4).map(one => ask(...one)));
	}
	return all.length;
}

test('every parameter of every path and query', { timeout: 300000 }, async context => {
	const all = [];
	for (const operation of operations()) {
		for (const parameter of operation.parameters.filter(one => one.in === 'query' || one.in === 'path')) {
			for (const value of HOSTILE) {
				all.push([operation, pathOf(operation, { [parameter.name]: value }), {}, `${parameter.name} ${JSON.stringify(value)}`]);
			}
		}
	}
	assert.ok(all.length > 1000, `${all.length}`);
	context.diagnostic(`note: ${await askAll(all)} requests`);
});

test('every header that is read', { timeout: 300000 }, async () => {
	const names = ['Idempotency-Key', 'If-Match', 'If-None-Match', 'Accept-Language', 'Origin', 'X-Request-Id', 'Cookie', 'Authorization'];
	const values = HOSTILE.filter(value => /^[\x20-\x7e]+$/.test(value));
	const all = [];
	for (const operation of operations().filter(one => ['/v1/policy', '/v1/cases/{id}', '/v1/reports', '/v1/admin/grants'].includes(one.path))) {
		for (const name of names) {
			for (const value of values) {
				const headers = { [name]: name === 'Cookie' ? `__Host-conductd=${value}` : name === 'Authorization' ? `Receipt ${value}` : value };
				all.push([operation, pathOf(operation), { headers, ...operation.method === 'POST' && { body: {} } }, `${name} ${JSON.stringify(value)}`]);
			}
		}
	}
	await askAll(all);
});

/** The bodies of an operation: for actions, one for each, with the path's name for it. */
function* bodiesOf(operation) {
	const examples = operation.requestBody?.content['application/json']?.examples ?? {};
	const isAction = operation.path.endsWith('{action}');
	for (const [name, example] of Object.entries(examples)) {
		yield [follow(example).value, isAction ? { action: name } : {}];
	}
}

/** The body with one place changed, for each place in it: members, items, members of items. */
function* changes(value, set, at = '') {
	yield [at, set];
	if (value && typeof value === 'object') {
		for (const [key, child] of Object.entries(value)) {
			yield* changes(child, replacement => set(Array.isArray(value)
				? value.map((one, i) => (i === Number(key) ? replacement : one)) : { ...value, [key]: replacement }), `${at}/${key}`);
		}
	}
}

test('every member of every body', { timeout: 500000 }, async context => {
	const all = [];
	for (const operation of operations().filter(one => one.requestBody)) {
		for (const [body, named] of bodiesOf(operation)) {
			for (const [at, set] of changes(body, replacement => replacement)) {
				for (const value of [...FEW, ...SHAPES]) {
					all.push([operation, pathOf(operation, named), { body: set(value), revision: operation.path.startsWith('/v1/cases') ? 1 : null },
						`${JSON.stringify(named)} ${at} ${JSON.stringify(value)}`]);
				}
			}
		}
	}
	assert.ok(all.length > 3000, `${all.length}`);
	context.diagnostic(`note: ${await askAll(all)} requests`);
});

test('no statement was broken, and the case is where it was', async () => {
	const written = logs.map(file => readFileSync(file).subarray(since.get(file)).toString('utf8')).join('\n');
	assert.doesNotMatch(written, /syntax error|unterminated|invalid input syntax|invalid byte sequence|a call failed|a request failed/i);
	const { status } = await call('functionary', 'GET', `/v1/cases/${place.case}`);
	assert.ok([200, 404].includes(status), `${status}`);
	assert.equal((await query('select count(*) from conduct.report'))[0].length, 1);
});
