// One act on several proceedings: all move, in one revision, or none does.
import test from 'node:test';
import assert from 'node:assert/strict';
import { act, call, people, report, showCase, snapshot } from '../harness/api.mjs';

async function acceptTwo() {
	const { caseId } = await report('reporter', {
		respondents: [{ user: people.respondent.user }, { user: people.witness.user }],
	});
	await act('functionary', caseId, 'claim');
	const file = await showCase('functionary', caseId);
	const respondents = file.parties.filter(party => party.role === 'respondent');
	const { body } = await act('functionary', caseId, 'accept', {
		severity: 'S1', reason: 'Both were there.',
		allegations: respondents.map(({ id }) =>
			({ rule: 'ucoc/3.1/trolling', respondent: id, incident: file.incidents[0].id })),
	});
	return { caseId, file: body, matters: body.proceedings.filter(p => p.kind === 'matter').map(p => p.id) };
}

const turnDown = proceedings =>
	({ proceedings, reason_code: 'insufficient', reason: 'Nothing shows it.', refer_to: 'u4c' });

test('two matters are dismissed in one act and one revision', async () => {
	const { caseId, file, matters } = await acceptTwo();
	const { body } = await act('functionary', caseId, 'dismiss', turnDown(matters));
	assert.equal(body.revision, file.revision + 1);
	assert.deepEqual(body.proceedings.filter(p => p.kind === 'matter').map(p => p.state), ['dismissed', 'dismissed']);
	assert.equal(body.decisions.length, 2);
});

test('an act on two proceedings moves neither when it is illegal for one', async () => {
	const { caseId, matters } = await acceptTwo();
	await act('functionary', caseId, 'dismiss', turnDown([matters[0]]));
	const before = snapshot(caseId);
	const { body: { revision } } = await call('functionary', 'GET', `/v1/cases/${caseId}`);
	const answer = await call('functionary', 'POST', `/v1/cases/${caseId}/actions/dismiss`,
		{ body: turnDown(matters), revision });
	assert.equal(answer.status, 409);
	assert.equal(answer.body.errorKey, 'conduct-transition-illegal');
	assert.equal(snapshot(caseId), before);
});

test('an act that could mean two proceedings lists them and moves none', async () => {
	const { caseId, matters, file } = await acceptTwo();
	const before = snapshot(caseId);
	const answer = await call('functionary', 'POST', `/v1/cases/${caseId}/actions/dismiss`,
		{ body: { ...turnDown(), proceedings: undefined }, revision: file.revision });
	assert.equal(answer.status, 422);
	assert.deepEqual(answer.body.errors.map(e => e.detail).sort(), [...matters].sort());
	assert.equal(snapshot(caseId), before);
});
