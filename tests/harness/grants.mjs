// Roles given and ended through the API, and what somebody without any may not find.
import assert from 'node:assert/strict';
import { assertProblem, call, expectCall, people } from './api.mjs';

export const UNTIL = '2098-01-01T00:00:00Z';

/** Gives a demo person a role through the API; returns the grant's id. */
export async function grant(who, role, body) {
	const answer = await expectCall(201, 'admin', 'POST', '/v1/admin/grants', {
		body: { person: { user: people[who].user }, role, body, until: UNTIL },
	});
	assert.equal(answer.body.role, role);
	return answer.body.id;
}

export const endGrant = id => expectCall(204, 'admin', 'DELETE', `/v1/admin/grants/${id}`);

/** Runs with some more grants, which end afterwards. */
export async function withGrants(list, work) {
	const ids = [];
	try {
		for (const [who, role, body] of list) {
			ids.push(await grant(who, role, body));
		}
		await work();
	} finally {
		for (const id of ids) {
			await endGrant(id);
		}
	}
}

export async function queueOf(who, filter = '') {
	const ids = [];
	let cursor;
	do {
		const { body } = await expectCall(
			200,
			who,
			'GET',
			`/v1/cases?limit=100${filter}${cursor ? `&cursor=${cursor}` : ''}`
		);
		ids.push(...body.items.map(item => item.id));
		cursor = body.next;
	} while (cursor);
	return ids;
}

/** Nothing of the case is there for somebody: no read, list, history, conversation, act. */
export async function seesNothing(who, c) {
	for (const path of ['', '/events', '/messages?channel=internal', '/messages?channel=reporter']) {
		assertProblem(await call(who, 'GET', `/v1/cases/${c.id}${path}`), 404, 'conduct-not-found');
	}
	for (const action of ['claim', 'acknowledge', 'recuse']) {
		const answer = await c.tryAct(who, action, action === 'recuse' ? { kind: 'full' } : {});
		assertProblem(answer, 404, 'conduct-not-found');
	}
	assertProblem(
		await call(who, 'POST', `/v1/cases/${c.id}/messages?channel=internal`, { body: { text: 'x' } }),
		404,
		'conduct-not-found'
	);
	const queue = await call(who, 'GET', '/v1/cases?limit=1');
	if (queue.status === 200) {
		for (const filter of [
			'',
			'&state=received',
			'&state=triage',
			'&state=escalated',
			'&assigned=none',
			`&respondent=${encodeURIComponent(people.respondent.user)}`,
		]) {
			assert.ok(!(await queueOf(who, filter)).includes(c.id), `${who} finds the case in the queue ${filter}`);
		}
	} else {
		assertProblem(queue, 403, 'conduct-forbidden');
	}
}
