// A reported revision of a real wiki: it is fetched as anybody may read it, and stays when the page is deleted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { expectCall, query } from '../harness/api.mjs';
import { FUNCTIONARIES, reported } from '../harness/cases.mjs';
import { callWith, clients, configOf, grant, issuerOf, startDaemon, stopDaemon, until } from './daemon.mjs';
import { act, ask, configure, startWiki, stopWiki, visit, wikiDir, wikiOrigin } from './wiki.mjs';

const limit = { timeout: 180000 };
let author;
let token;
let handler;

before(async () => {
	await startWiki();
	configure({ clients });
	const config = configOf('snapshot', { issuers: issuerOf({ keys: [`${wikiDir}/wiki.pub`], wiki: 'enwiki' }), more: 'jobs: {snapshots: 1s}\n' });
	await startDaemon(config, 'snapshot');
	author = await visit('Rene Respondent');
	token = await (await visit('Fatima Functionary')).token('full-client');
	handler = { authorization: `Bearer ${token}` };
	assert.equal((await callWith(token, 'GET', '/v1/me')).status, 200);
	grant(config, 'Fatima Functionary', 'functionary', FUNCTIONARIES);
}, { timeout: 120000 });

after(async () => {
	await stopDaemon();
	await stopWiki();
}, { timeout: 60000 });

/** Writes a page as an account would; the new revision. */
async function write(title, text, summary = 'Taunts') {
	const tokens = await author.ask('GET', '/api.php?action=query&meta=tokens&format=json');
	const answer = await author.ask('POST', '/api.php', { form: { action: 'edit', format: 'json', title, text, summary,
		token: tokens.body.query.tokens.csrftoken } });
	assert.equal(answer.body?.edit?.result, 'Success', answer.text);
	return answer.body.edit.newrevid;
}

const source = async revision => (await ask('GET', `${wikiOrigin}/rest.php/v1/revision/${revision}`)).body?.source;

async function reportOf(title, revision) {
	return reported({ respondents: [{ user: 'Rene Respondent' }], incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: title, revision }] }, null);
}

const isTold = (c, state) => until(`the snapshot is ${state}`, async () => (await query(`select state from conduct.snapshot
	where case_id = '${c.id}'`))[0]?.[0] === state, 20000);

async function kept(c) {
	const { body } = await expectCall(200, handler, 'GET', `/v1/cases/${c.id}/attachments`);
	const [one] = body.items.filter(item => item.source === 'snapshot');
	const answer = await expectCall(200, handler, 'GET', `/v1/cases/${c.id}/attachments/${one.id}`);
	return { item: one, document: JSON.parse(answer.text), headers: answer.headers };
}

test('what was reported stays, byte for byte, when the page is deleted', limit, async () => {
	const text = "''Zoë'' is a {{fool}} — 😀 \"quoted\" <b>bold</b> &amp;\n\n== שלום ==\n\\u0041 [[File:X.png]] ~end";
	const title = 'Talk:Taunts';
	const revision = await write(title, text);
	await write(title, 'Something harmless.');
	const truth = await source(revision);
	assert.equal(truth, text);
	const c = await reportOf(title, revision);
	await isTold(c, 'taken');
	act('delete', title);
	assert.equal(await source(revision), undefined, 'the wiki still tells it');
	const { item, document, headers } = await kept(c);
	assert.equal(document.source, truth);
	assert.deepEqual([document.revision, document.page.title, document.user.name, document.comment],
		[revision, title, 'Rene Respondent', 'Taunts']);
	assert.equal(document.url, `${wikiOrigin}/rest.php/v1/revision/${revision}`);
	assert.equal(item.name, `enwiki-${revision}.json`);
	assert.match(headers['content-disposition'], /^attachment/);
	assert.equal(headers['x-content-type-options'], 'nosniff');
});

test('a page that was deleted before is gone, and handlers see that', limit, async () => {
	const revision = await write('Talk:Fled', 'Gone before anybody looked.');
	act('delete', 'Talk:Fled');
	const c = await reportOf('Talk:Fled', revision);
	await until('it was asked for', async () => (await query(`select n_tries from conduct.snapshot where case_id = '${c.id}'`))[0]?.[0] === '1', 20000);
	await query(`update conduct.snapshot set next_at = now() where case_id = '${c.id}'`);
	await isTold(c, 'gone');
	const { body } = await expectCall(200, handler, 'GET', `/v1/cases/${c.id}`);
	assert.deepEqual([body.incidents[0].snapshot.state, body.incidents[0].snapshot.attachment], ['gone', null]);
});

test('a revision that the wiki hides is hidden', limit, async () => {
	const revision = await write('Talk:Hidden', 'Words that were suppressed.');
	await write('Talk:Hidden', 'Others.');
	act('suppress', 'Talk:Hidden', String(revision));
	const c = await reportOf('Talk:Hidden', revision);
	await until('it was asked for', async () => (await query(`select n_tries from conduct.snapshot where case_id = '${c.id}'`))[0]?.[0] === '1', 20000);
	await query(`update conduct.snapshot set next_at = now() where case_id = '${c.id}'`);
	await isTold(c, 'hidden');
});
