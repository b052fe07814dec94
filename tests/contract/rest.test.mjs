// The answers that no file of tests/e2e asks for, so that the proxy sees every operation succeed.
import test from 'node:test';
import assert from 'node:assert/strict';
import { expectCall } from '../harness/api.mjs';

test('a body shows its members to one of them', async () => {
	const { body } = await expectCall(200, 'functionary', 'GET', '/v1/bodies/enwiki-functionaries');
	assert.ok(body.members.length > 1);
});
