// Grants end by id, or by what they say: person, role and body.
import test from 'node:test';
import assert from 'node:assert/strict';
import { assertProblem, call, expectCall, people } from '../harness/api.mjs';

const until = '2098-01-01T00:00:00Z';
const clerk = { person: { user: people.witness.user }, role: 'clerk', body: 'enwiki-functionaries' };

async function roles() {
	return (await expectCall(200, 'witness', 'GET', '/v1/me')).body.roles.map(r => `${r.role} ${r.body}`);
}

test('a grant ends by person, role and body', async () => {
	await expectCall(201, 'admin', 'POST', '/v1/admin/grants', { body: { ...clerk, until } });
	assert.deepEqual(await roles(), ['clerk enwiki-functionaries']);
	const { text } = await expectCall(204, 'admin', 'DELETE', '/v1/admin/grants', { body: clerk });
	assert.equal(text, '');
	assert.deepEqual(await roles(), []);
});

test('ending what nobody holds is 404, and a key repeats its success', async () => {
	assertProblem(await call('admin', 'DELETE', '/v1/admin/grants', { body: clerk }), 404, 'conduct-not-found');
	await expectCall(201, 'admin', 'POST', '/v1/admin/grants', { body: { ...clerk, until } });
	const key = 'grants-end-by-name-0123456789';
	await expectCall(204, 'admin', 'DELETE', '/v1/admin/grants', { body: clerk, key });
	await expectCall(204, 'admin', 'DELETE', '/v1/admin/grants', { body: clerk, key });
});

test('only an admin ends grants, and only with a whole body', async () => {
	assertProblem(await call('functionary', 'DELETE', '/v1/admin/grants', { body: clerk }), 403, 'conduct-forbidden');
	assertProblem(await call('admin', 'DELETE', '/v1/admin/grants', { body: { role: 'clerk' } }), 422,
		'conduct-invalid-body');
	assertProblem(await call('admin', 'DELETE', '/v1/admin/grants', { body: { ...clerk, until } }), 422,
		'conduct-invalid-body');
});
