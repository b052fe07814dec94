// What somebody can read who has taken over a functionary's account, or a web process: as many cases an hour
// as the vault's quotas allow, and an alarm. Who is refused reads nothing; others, and reporting, go on.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { assertProblem, call, expectCall, report, sql } from '../harness/api.mjs';
import { Daemon, postgres, readMetrics, until, writeConfig } from './parts.mjs';

const limit = { timeout: 180000 };
const PERSON = 3;
const HOST = 5;
let daemon;
let cases;

before(async () => {
	await postgres.start();
	daemon = new Daemon(writeConfig('quota', text =>
		text.replace(/cases_person: \d+/, `cases_person: ${PERSON}`).replace(/cases_host: \d+/, `cases_host: ${HOST}`))).start();
	await daemon.ready();
	cases = [];
	for (let i = 0; i < HOST + 1; i++) cases.push((await report('reporter')).caseId);
});

after(async () => {
	await daemon.stop();
	postgres.stop();
});

const refusals = async quota => (await readMetrics()).get(`conductd_vault_refused_total{quota="${quota}"}`);
const alarms = () => sql("select count(*) from conduct.outbox where kind = 'alarm'").map(([n]) => Number(n))[0];

function assertRefused(answer) {
	assertProblem(answer, 429, 'conduct-case-quota');
	const wait = Number(answer.headers['retry-after']);
	assert.ok(wait > 0 && wait <= 3600, `Retry-After: ${wait}`);
	assert.doesNotMatch(answer.text, /Talk:|letters/, 'nothing of the case');
}

test('a person reads so many cases an hour, the same ones as often as they want', limit, async () => {
	for (let round = 0; round < 2; round++) {
		for (const id of cases.slice(0, PERSON)) await expectCall(200, 'functionary', 'GET', `/v1/cases/${id}`);
	}
	assertRefused(await call('functionary', 'GET', `/v1/cases/${cases[PERSON]}`));
	assertRefused(await call('functionary', 'GET', `/v1/cases/${cases[PERSON]}`));
	await expectCall(200, 'functionary', 'GET', `/v1/cases/${cases[0]}`);
	await expectCall(200, 'functionary', 'GET', '/v1/cases');
	assert.ok(await refusals('person') > 0);
});

test('another person reads on, until the host has opened what it may', limit, async () => {
	for (const id of cases.slice(PERSON, HOST)) await expectCall(200, 'functionary2', 'GET', `/v1/cases/${id}`);
	assertRefused(await call('functionary2', 'GET', `/v1/cases/${cases[HOST]}`));
	assert.ok(await refusals('host') > 0);
	// Who reports is not held up by it.
	assert.ok((await report('reporter')).caseId);
});

test('both are an alarm: in the log, in the metrics, and for who has to be told', limit, async () => {
	await daemon.heard(/quota/);
	await until('a row in the outbox', () => alarms() > 0, 20000);
	assert.ok((await readMetrics()).get('conductd_vault_alarms_total') > 0);
});
