// The operations listener: what a supervisor and a scraper read, and nothing else.
import test from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { call, expectCall, ops, people } from '../harness/api.mjs';

const get = path => call(null, 'GET', path, { url: ops });

/** The sum of a counter over its labels. */
async function counter(name, label) {
	const { text } = await get('/metrics');
	const line = text.split('\n').find(l => l.startsWith(`${name}{${label}}`));
	return Number(line.split(' ')[1]);
}

test('healthz and readyz answer 200 and name each check', async () => {
	assert.equal((await get('/healthz')).status, 200);
	const ready = await get('/readyz');
	assert.equal(ready.status, 200);
	assert.deepEqual(ready.body.checks.map(check => check.name).sort(),
		['clock', 'database', 'deployment', 'index_key', 'keys', 'log', 'migrations', 'policy', 'triggers', 'vault', 'web']);
	assert.ok(ready.body.checks.every(check => check.ok));
});

test('metrics count answers by class, refusals before a route included', async () => {
	const name = 'conductd_http_requests_total';
	const good = await counter(name, 'status="2xx"');
	const refused = await counter(name, 'status="4xx"');
	await expectCall(200, 'functionary', 'GET', '/v1/me');
	await expectCall(404, null, 'GET', '/v1/nowhere');
	assert.ok(await counter(name, 'status="2xx"') > good);
	assert.ok(await counter(name, 'status="4xx"') > refused);
});

test('every metric has a HELP and a TYPE', async () => {
	const { text } = await get('/metrics');
	const histograms = new RegExp(`^(${[...text.matchAll(/^# TYPE (\S+) histogram$/gm)].map(([, name]) => name).join('|')})_(bucket|sum|count)$`);
	const names = text.split('\n').filter(l => l && !l.startsWith('#')).map(l => /^[a-z_]+/.exec(l)[0].replace(histograms, '$1'));
	for (const name of new Set(names)) {
		assert.match(text, new RegExp(`^# HELP ${name} \\S`, 'm'), name);
		assert.match(text, new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`, 'm'), name);
	}
});

/** What promtool says of metrics, with its exit status. */
function promtool(input) {
	const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8', timeout: 30000 });
	assert.equal(error, undefined);
	return { status, said: stdout + stderr };
}

test('promtool finds nothing wrong in the metrics', async () => {
	const { text } = await get('/metrics');
	assert.deepEqual(promtool(text), { status: 0, said: '' });
	assert.notEqual(promtool(text.replace('conductd_http_requests_total counter', 'conductd_http_requests_total gauge')).status, 0);
});

test('_info names version, contract and policy', async () => {
	const { body } = await get('/_info');
	const { body: policy } = await expectCall(200, null, 'GET', '/v1/policy');
	assert.equal(body.contract, 1);
	assert.equal(body.policy_version, policy.version);
	assert.equal(body.policy_revision, policy.revision);
});

test('the operations listener serves no case and the public one no operations', async () => {
	const cases = await call('functionary', 'GET', '/v1/cases', { url: ops });
	assert.equal(cases.status, 404);
	for (const path of ['/metrics', '/readyz', '/healthz', '/_info']) {
		assert.equal((await call(null, 'GET', path)).status, 404, path);
	}
	assert.ok(!(await get('/metrics')).text.includes(people.functionary.user));
});
