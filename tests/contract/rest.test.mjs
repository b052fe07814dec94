// The answers that no file of tests/e2e asks for, so that the proxy sees every operation succeed.
import test from 'node:test';
import assert from 'node:assert/strict';
import { call, expectCall, inDays } from '../harness/api.mjs';
import { reported } from '../harness/cases.mjs';
import { Browser, redeem } from '../e2e/browser.mjs';

test('a body shows its members to one of them', async () => {
	const { body } = await expectCall(200, 'functionary', 'GET', '/v1/bodies/enwiki-functionaries');
	assert.ok(body.members.length > 1);
});

// The proxy follows redirections itself, so the page's way in ends at a page that is not there.
test('people sign in by popup, and out', async () => {
	const { code } = await new Browser().popup('reporter');
	assert.equal((await redeem(code)).status, 200);
	assert.equal((await call(null, 'POST', '/v1/auth/logout')).status, 204);
});

test('the demo people are there to choose from, and whoever has left may leave again', async () => {
	assert.match((await expectCall(200, null, 'GET', '/v1/auth/start')).text, /<html/);
	await expectCall(204, null, 'POST', '/v1/auth/logout');
});

test('files are brought, listed and read', async () => {
	const c = await reported();
	const raw = Buffer.from('What was said to me.');
	const headers = { 'Content-Type': 'application/octet-stream', 'Conduct-Filename': 'said.txt' };
	const { body } = await expectCall(201, { receipt: c.receipt }, 'POST', '/v1/receipt/attachments', { raw, headers });
	await expectCall(201, 'functionary', 'POST', `/v1/cases/${c.id}/attachments`, { raw, headers });
	assert.equal((await expectCall(200, 'functionary', 'GET', `/v1/cases/${c.id}/attachments`)).body.items.length, 2);
	const { body: arrived } = await expectCall(200, { receipt: c.receipt }, 'GET', '/v1/receipt/attachments');
	assert.deepEqual(arrived.items.map(item => item.id), [body.id]);
	const path = `/v1/cases/${c.id}/attachments/${body.id}`;
	assert.equal((await expectCall(200, 'functionary', 'GET', path)).text, 'What was said to me.');
	assert.equal((await expectCall(206, 'functionary', 'GET', path, { headers: { Range: 'bytes=5-7' } })).text, 'was');
	await expectCall(416, 'functionary', 'GET', path, { headers: { Range: 'bytes=99-' } });
	const { body: { items } } = await expectCall(200, 'functionary', 'GET', `/v1/cases/${c.id}/events`);
	assert.deepEqual(items.map(item => item.action), ['submit', 'add', 'add', 'open']);
});

test('what was said is asked to be erased, and held until it may be', async () => {
	const c = await reported();
	assert.equal((await expectCall(202, { receipt: c.receipt }, 'POST', '/v1/receipt/erasure')).body.state, 'asked');
	const body = { case: c.id, ground: 'court_order', until: await inDays(30) };
	const { body: hold } = await expectCall(201, 'admin', 'POST', '/v1/admin/holds', { body });
	assert.ok((await expectCall(200, 'admin', 'GET', '/v1/admin/holds')).body.items.some(item => item.id === hold.id));
	await expectCall(204, 'admin', 'DELETE', `/v1/admin/holds/${hold.id}`);
});
