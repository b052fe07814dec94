// People whom a report names: the worker asks the wiki which account a name is, so that a case follows the
// account and not the name, whoever bears that later.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { query } from '../harness/api.mjs';
import { FUNCTIONARIES, acceptance, notice, reported } from '../harness/cases.mjs';
import { callWith, clients, configOf, grant, issuerOf, passTime, startDaemon, stopDaemon, until } from './daemon.mjs';
import { act, configure, startWiki, stopWiki, visit, wikiDir } from './wiki.mjs';

const limit = { timeout: 180000 };
const tokens = {};
const as = name => ({ authorization: `Bearer ${tokens[name]}` });
const handlers = ['Fatima Functionary', 'Filip Functionary', 'Nora Newname'];

async function arrive(name) {
	tokens[name] = await (await visit(name)).token('full-client');
	const answer = await callWith(tokens[name], 'GET', '/v1/me');
	assert.equal(answer.status, 200, answer.text);
	return answer.body;
}

before(async () => {
	await startWiki();
	configure({ clients });
	const config = configOf('respondents', { issuers: issuerOf({ keys: [`${wikiDir}/wiki.pub`] }), more: 'jobs: {lookups: 1s}\n' });
	await startDaemon(config, 'respondents');
	await arrive('Rosa Reporter');
	for (const name of handlers) {
		await arrive(name);
		grant(config, name, 'functionary', FUNCTIONARIES);
	}
}, { timeout: 120000 });

after(async () => {
	await stopDaemon();
	await stopWiki();
}, { timeout: 60000 });

/** A case of Rosa's against somebody; the wiki has said which account that is. */
async function caseAgainst(name, changes = {}) {
	const c = await reported({ respondents: [{ user: name }], ...changes }, as('Rosa Reporter'));
	await until(`the account of ${name} is known`, async () => (await query(`select party_id from conduct.party
		where case_id = '${c.id}' and role = 'respondent' and id_ix is not null`)).length === 1
		&& (await query(`select recusal_id from conduct.recusal
			where case_id = '${c.id}' and id_ix is null`)).length === 0, 20000);
	return c;
}

const sees = async (name, c) => (await callWith(tokens[name], 'GET', `/v1/cases/${c.id}`)).status;
const participations = async name => {
	const answer = await callWith(tokens[name], 'GET', '/v1/me/participations');
	assert.equal(answer.status, 200, answer.text);
	return answer.body.items ?? answer.body;
};

async function notify(c, respondent) {
	const handler = as('Fatima Functionary');
	await c.act(handler, 'claim');
	await c.act(handler, 'accept', await acceptance(c));
	await c.act(handler, 'notify_respondent', notice(respondent));
}

test('a respondent who was never here finds their participation after signing in', limit, async () => {
	const c = await caseAgainst('Rene Respondent');
	const party = await c.party('respondent');
	await arrive('Rene Respondent');
	assert.deepEqual(await participations('Rene Respondent'), [], 'nothing exists for a respondent before the notice');
	await notify(c, party);
	const [found] = await participations('Rene Respondent');
	assert.deepEqual([found.id, found.role], [party, 'respondent']);
	const shown = await callWith(tokens['Rene Respondent'], 'GET', `/v1/receipt?participation=${party}`);
	assert.equal(shown.status, 200, shown.text);
	assert.doesNotMatch(shown.text, /Rosa/);
	assert.equal((await callWith(tokens['Rosa Reporter'], 'GET', `/v1/receipt?participation=${party}`)).status, 404);
});

test('a functionary who is the respondent is recused, also as they are renamed', limit, async () => {
	const c = await caseAgainst('Nora Newname');
	assert.equal(await sees('Fatima Functionary', c), 200);
	assert.equal(await sees('Nora Newname', c), 404);
	act('rename', 'Nora Newname', 'Nora Renamed');
	passTime(301);
	assert.equal((await callWith(tokens['Nora Newname'], 'GET', '/v1/me')).body.user, 'Nora Renamed');
	assert.equal(await sees('Nora Newname', c), 404);
	const queue = await callWith(tokens['Nora Newname'], 'GET', '/v1/cases');
	assert.equal(queue.status, 200, queue.text);
	assert.ok(queue.body.items.every(item => item.id !== c.id));
});

test('whoever takes an abandoned name gets nothing of its cases', limit, async () => {
	const c = await caseAgainst('Bruno Blocked');
	const party = await c.party('respondent');
	act('rename', 'Bruno Blocked', 'Bruno Elsewhere');
	act('user', 'Bruno Blocked');
	const token = await (await visit('Bruno Blocked')).token('full-client');
	await notify(c, party);
	const impostor = await callWith(token, 'GET', '/v1/me/participations');
	assert.equal(impostor.status, 200, impostor.text);
	assert.deepEqual(impostor.body.items ?? impostor.body, []);
	assert.equal((await callWith(token, 'GET', `/v1/receipt?participation=${party}`)).status, 404);
});

test('a handler whom the reporter excludes is recused, also as they are renamed', limit, async () => {
	const c = await caseAgainst('Rene Respondent', { exclude_handlers: [{ user: 'Filip Functionary', reason: 'We know each other.' }] });
	assert.equal(await sees('Fatima Functionary', c), 200);
	assert.equal(await sees('Filip Functionary', c), 404);
	act('rename', 'Filip Functionary', 'Filip Renamed');
	passTime(301);
	assert.equal((await callWith(tokens['Filip Functionary'], 'GET', '/v1/me')).body.user, 'Filip Renamed');
	assert.equal(await sees('Filip Functionary', c), 404);
});

test('a name that the wiki does not know stays a name, and the report stands', limit, async () => {
	const c = await reported({ respondents: [{ user: 'Nobody Of This Name' }] }, as('Rosa Reporter'));
	const later = await caseAgainst('Rene Respondent');
	assert.equal(await sees('Fatima Functionary', c), 200);
	assert.equal(await sees('Fatima Functionary', later), 200);
	const [[known]] = await query(`select count(*) from conduct.party where case_id = '${c.id}' and role = 'respondent'
		and id_ix is not null`);
	assert.equal(known, '0');
});
