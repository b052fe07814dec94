// The cases of the matrix, made over HTTP as people would make them, and beside them the model the oracle
// knows: who is what in each case, as the test itself brought it about.
import assert from 'node:assert/strict';
import { expectCall, people as demo, query } from '../harness/api.mjs';
import { acceptance, appeal, arbitrators, decide, functionaries, hear, heard, moved, notice, pass, personOf, personsOf,
	proposed, reported, turnDown } from '../harness/cases.mjs';

const LOCAL = 'enwiki-functionaries';
const ARBCOM = 'enwiki-arbcom';
const HOUR = 3600000;
const DAY = 24 * HOUR;
const EVER = { from: Date.UTC(2020, 0, 1), until: Date.UTC(2099, 0, 1) };

/** Who sits where from the start: the demo people, as daemon/app makes them. */
const seats = {
	mediator: ['mediator', LOCAL], oversighter: ['oversighter', 'oversight'], steward: ['steward', 'stewards'],
	ts: ['ts_staff', 'ts'], auditor: ['auditor', null], admin: ['admin', null],
	policy_maintainer: ['policy_maintainer', null], outsider: ['functionary', 'dewiki-functionaries'],
	...Object.fromEntries(functionaries.map(who => [who, ['functionary', LOCAL]])),
	...Object.fromEntries(arbitrators.map(who => [who, ['arbitrator', ARBCOM]])),
	...Object.fromEntries([1, 2, 3, 4, 5].map(n => [`u4c${n}`, ['u4c_member', 'u4c']])),
};

/** Where the members of the global committee are at home (daemon/app). */
const homes = { u4c1: 'frwiki', u4c2: 'dewiki', u4c3: 'hiwiki', u4c4: 'itwiki', u4c5: 'svwiki' };

export const world = { people: {}, cases: [], now: Date.now() };
for (const [who, { user }] of Object.entries(demo)) {
	const grants = seats[who] ? [{ role: seats[who][0], body: seats[who][1], ...EVER }] : [];
	world.people[who] = { user, grants, home: homes[who] ?? null, isSanctioned: false };
}

let ticks = 0;
let shift = 0;
const tick = () => { ticks += 1; return ticks; };
const clock = () => Date.now() + shift;
const seconds = at => new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');

async function grant(who, role, body, { from = EVER.from, until = EVER.until, end } = {}) {
	const { body: made } = await expectCall(201, 'admin', 'POST', '/v1/admin/grants', { body: {
		person: await personOf(who), role, body, from: seconds(from), until: seconds(until) } });
	if (end) {
		await expectCall(204, 'admin', 'DELETE', `/v1/admin/grants/${made.id}`);
	}
	world.people[who].grants.push({ role, body, from, until, ended: end });
}

/** A report and its model. `respondents` are demo people; `strangers` names of nobody. */
async function file(label, { who = 'reporter', respondents = ['respondent'], strangers = [], targets = [{ self: true }],
	body = LOCAL, state = 'received', ...changes } = {}) {
	const word = `word-of-${label.replaceAll(' ', '-')}-end`;
	const request = { details: `It happened: ${word}.`, targets,
		respondents: [...respondents.map(name => ({ user: demo[name].user })), ...strangers], ...changes };
	const c = await reported(request, who);
	const isPrivate = ['doxing'].includes(changes.category) || changes.lane === 'emergency' || changes.minor_at_risk;
	const account = typeof who === 'string' ? who : null;
	const model = Object.assign(c, {
		label, word, wiki: changes.wiki ?? 'enwiki', lane: changes.lane ?? 'standard', privacy: isPrivate ? 'restricted' : 'handlers',
		identity: account ? changes.identity ?? 'sealed' : 'anonymous', contact: changes.contact ? [changes.contact] : [],
		excluded: (changes.exclude_handlers ?? []).map(({ user }) => Object.keys(demo).find(n => demo[n].user === user)),
		declared: [], assigned: [], handlers: new Set(), reportedAt: tick(), acceptedAt: Infinity, closedAt: Infinity,
		said: [], brought: [], proceedings: [{ kind: 'intake', state, body }],
		parties: [{ role: 'reporter', account }] });
	for (const target of targets) {
		const name = target.self ? account : Object.keys(demo).find(n => demo[n].user === target.user);
		model.parties.push({ role: 'target', account: name ?? null, contacted: false });
	}
	// Who reports anonymously is nobody to the case, whatever the account.
	for (const party of model.parties) {
		party.person = model.identity === 'anonymous' && party.account === account ? null : party.account;
	}
	model.parties.push(...respondents.map(person => ({ role: 'respondent', person, notified: false })),
		...strangers.map(({ user }) => ({ role: 'respondent', person: null, user, notified: false })));
	const rows = await query(`select party_id, role from conduct.party where case_id = '${c.id}' order by seq`);
	for (const party of model.parties) {
		const at = rows.findIndex(([, role]) => role === party.role);
		[[party.id]] = rows.splice(at, 1);
	}
	world.cases.push(model);
	return model;
}

// Steps: what is done over HTTP, and the same in the model ---------------------------------------------

/** What was said belongs to the proceeding of that time. */
const told = (c, channel, text) => c.said.push({ channel, text, in: c.proceedings.at(-1) });
const last = (c, kind) => c.proceedings.filter(p => p.kind === kind).at(-1);

async function claim(c, who = 'functionary') {
	await c.act(who, 'claim');
	c.assigned.push(who);
	c.handlers.add(who);
	last(c, 'intake').state = 'triage';
	return c;
}

async function accept(c, who = 'functionary', changes = {}) {
	await c.act(who, 'accept', await acceptance(c, changes));
	c.handlers.add(who);
	c.acceptedAt = tick();
	last(c, 'intake').state = 'accepted';
	for (const party of c.parties.filter(p => p.role === 'respondent')) {
		c.proceedings.push({ kind: 'matter', state: 'review', body: last(c, 'intake').body, of: party.id });
	}
	return c;
}

/** Tells the respondent, who answers. */
async function hearing(c, who = 'functionary', answering = 'respondent') {
	const party = c.parties.find(p => p.role === 'respondent');
	await heard(c, party.id, answering, who);
	c.handlers.add(who);
	party.notified = true;
	told(c, 'respondent', notice().text);
	told(c, 'respondent', 'It was meant as a joke.');
	return c;
}

async function decided(c, who = 'functionary', changes = {}) {
	await decide(c, { who, respondent: c.parties.find(p => p.role === 'respondent').id, ...changes });
	last(c, 'matter').state = 'resolved';
	c.handlers.add(who);
	told(c, 'reporter', 'The matter is decided.');
	told(c, 'respondent', 'The decision in your matter.');
	return c;
}

async function appealed(c, role = 'respondent') {
	const proceeding = await appeal(c, role);
	c.proceedings.push({ kind: 'appeal', state: 'appeal_filed', body: ARBCOM, against: [...c.handlers], id: proceeding,
		appellant: c.parties.find(party => party.role === role) });
	return c;
}

async function say(c, who, channel, text) {
	await expectCall(201, who, 'POST', `/v1/cases/${c.id}/messages?channel=${channel}`, { body: { text } });
	told(c, channel, text);
}

/** Adds a file, under a name that occurs nowhere else. It belongs to the proceeding of that time, as what is said. */
async function bring(c, who, name) {
	const path = who.receipt ? '/v1/receipt/attachments' : `/v1/cases/${c.id}/attachments`;
	const { body } = await expectCall(201, who, 'POST', path, { raw: Buffer.from(name), headers: { 'Conduct-Filename': name } });
	c.brought.push({ id: body.id, name, in: c.proceedings.at(-1), party: who.receipt ? c.parties[0] : null });
}

/** Turned down: reporter and target are told, and the target learns of the case by it. */
async function turnedDown(c, action, proceeding, state) {
	await c.act('functionary', action, turnDown());
	proceeding.state = state;
	c.parties.filter(party => party.role === 'target').forEach(party => { party.contacted = true; });
	return c;
}

const resolved = async (label, who = 'functionary', changes = {}) =>
	decided(await hearing(await accept(await claim(await file(label, changes), who), who), who), who);

// Cases -------------------------------------------------------------------------------------------

/** Before everything else: two cases that are closed before the newcomer comes, one that goes into a
 * second round, and the time that passes for both. */
async function oldCases() {
	const again = await appealed(await resolved('remanded'));
	await heardByPanel(again);
	await say(again, 'arbitrator1', 'internal', 'note-before-the-remand');
	await bring(again, 'arbitrator1', 'file-before-the-remand');
	const proposal = await moved(again, last(again, 'appeal').id, 'remand');
	const closed = [await resolved('closed'), await resolved('closed and assigned')];
	pass('31d');
	shift += 31 * DAY;
	for (const c of closed) {
		last(c, 'matter').state = 'final';
		c.closedAt = clock();
	}
	await again.act('arbitrator1', 'remand', { reason: 'Look again, with other eyes.', proposal });
	last(again, 'matter').state = 'final';
	last(again, 'appeal').state = 'appeal_remanded';
	again.proceedings.push({ kind: 'matter', state: 'review', body: LOCAL, against: [...again.handlers, ...arbitrators],
		id: await again.proceeding('matter') });
	await say(again, 'functionary2', 'internal', 'note-of-the-second-round');
	// Terms are told in seconds: what is closed is closed well before the newcomer's begins.
	pass('1h');
	shift += HOUR;
	return closed;
}

async function sanctionedFunctionary() {
	const c = await file('sanctioned', { who: null, targets: [], wiki: 'dewiki', respondents: ['functionary6'],
		body: 'dewiki-functionaries' });
	await accept(await claim(c, 'outsider'), 'outsider');
	await hearing(c, 'outsider', 'functionary6');
	await decided(c, 'outsider', { sanction: 'block', until: seconds(clock() + 20 * DAY), scope: { wiki: 'dewiki' } });
	world.people.functionary6.isSanctioned = true;
}

async function ofReporters() {
	const plain = await file('plain', { contact: 'rosa.secret@example.org' });
	await bring(plain, { receipt: plain.receipt }, 'file-of-the-reporter');
	await file('named', { who: 'reporter2', identity: 'named', contact: 'rahel.secret@example.org' });
	await file('nobody', { who: null, targets: [] });
	await file('anonymous with an account', { who: 'reporter2', identity: 'anonymous' });
	await file('reported by a functionary', { who: 'functionary4' });
	await file('anonymously by a functionary', { who: 'functionary4', identity: 'anonymous' });
	await file('target is a functionary', { targets: [{ user: demo.functionary4.user }] });
	await file('excluded', { exclude_handlers: [{ user: demo.functionary3.user, reason: 'They quarrel.' }] });
}

async function ofRespondents() {
	await file('respondent is a functionary', { respondents: ['functionary2'] });
	await file('about a functionary', { respondents: ['functionary2'], about_functionary: 'yes', body: ARBCOM });
	await file('skeleton of a functionary', { respondents: [], strangers: [{ user: 'FILIP  functionarу' }] });
	await file('skeleton of an arbitrator', { respondents: [], strangers: [{ user: 'Ada_Arbіtratоr' }],
		about_functionary: 'unsure', body: ARBCOM });
	// Neither of them is a party to a case that is accepted beside this one.
	await file('two respondents', { respondents: ['respondent', 'outsider'] });
}

async function ofPlaces() {
	await file('another wiki', { wiki: 'dewiki', body: 'dewiki-functionaries' });
	await file('no local body', { wiki: 'simplewiki', body: 'u4c' });
	await file('body without members', { wiki: 'frwiki', body: 'u4c' });
	await file('unresolved in a small body', { wiki: 'dewiki', respondents: [], strangers: [{ unknown: 'Somebody.' }],
		body: 'u4c' });
	const voted = await claim(await file('home wiki', { wiki: 'frwiki', body: 'u4c' }), 'u4c2');
	const intake = await voted.proceeding('intake');
	await voted.act('u4c2', 'put_to_vote', { motion: 'accept', reasons: 'See the file.', proceedings: [intake] });
	voted.ballot = await voted.proposal(intake);
	await file('several wikis', { body: 'stewards', incidents: [{ venue: 'on_wiki', wiki: 'enwiki', page: 'A' },
		{ venue: 'on_wiki', wiki: 'dewiki', page: 'B' }] });
}

async function escalate(c) {
	await c.act('functionary', 'escalate', { to: 'ts', reason: 'A matter for the Foundation.' }, { status: 204 });
	Object.assign(last(c, 'intake'), { state: 'escalated', body: 'ts' });
	c.assigned = [];
}

async function ofLanes() {
	const emergency = { lane: 'emergency', harm_type: 'physical_harm', body: 'ts', state: 'escalated' };
	await file('emergency', emergency);
	await file('emergency with a bad credential', { ...emergency, who: { authorization: 'Bearer garbage' },
		targets: [], respondents: ['functionary2'] });
	await file('minor', { minor_at_risk: true, body: 'ts', state: 'escalated' });
	await file('doxing', { category: 'doxing' });
	await claim(await file('doxing claimed', { category: 'doxing' }));
	const reviewed = await claim(await file('doxing accepted', { category: 'doxing' }), 'functionary2');
	await accept(reviewed, 'functionary2', { severity: 'S3', rule: 'ucoc/3.1/doxing' });
	const sent = await claim(await file('escalated'));
	await escalate(sent);
	const back = await claim(await file('handed back'));
	await escalate(back);
	await back.act('ts', 'hand_back', { outcome: 'no_emergency', to_state: 'triage', reason: 'No danger.' }, { status: 204 });
	Object.assign(last(back, 'intake'), { state: 'triage', body: LOCAL });
	const over = await claim(await file('handed over'));
	await escalate(over);
	await over.act('ts', 'hand_back', { outcome: 'referred', to_state: 'handed_over', reason: 'Done with.' });
	last(over, 'intake').state = 'handed_over';
}

async function ofIntake() {
	await claim(await file('triage'));
	const declared = await claim(await file('declared'));
	await declared.act('functionary3', 'recuse', { kind: 'full', reason: 'We know each other.' }, { status: 204 });
	declared.declared.push('functionary3');
	const declined = await claim(await file('declined'));
	await turnedDown(declined, 'decline', last(declined, 'intake'), 'declined');
	const withdrawn = await claim(await file('withdrawn'));
	await withdrawn.party_act('reporter', 'withdraw', { reason: 'It is settled between us.' });
	last(withdrawn, 'intake').state = 'withdrawn';
	const other = await accept(await claim(await file('elsewhere accepted', { who: 'functionary5', respondents: ['witness'] })));
	assert.ok(other.acceptedAt < Infinity);
	await file('elsewhere', { who: 'reporter2', respondents: ['witness'] });
}

async function ofIdentities() {
	const opened = await claim(await file('opened', { contact: 'rosa.opened@example.org' }));
	const wish = { party: opened.parties[0].id, reason: 'We have to reach them.' };
	const { pending } = await opened.act('functionary', 'open_identity', wish, { status: 202 });
	await opened.act('functionary2', 'open_identity', { ...wish, confirm: pending });
	opened.openTo = ['functionary', 'functionary2'];
	const asked = await claim(await file('asked for', { contact: 'rosa.asked@example.org' }));
	await asked.act('functionary', 'open_identity', { ...wish, party: asked.parties[0].id }, { status: 202 });
}

async function invite(c, name) {
	const question = `question-to-${name}`;
	const { party } = await c.act('functionary', 'invite_witness', { user: demo[name].user, question });
	c.parties.push({ role: 'witness', person: name, account: name, contacted: true, id: party });
	told(c, 'witness', question);
	return c;
}

async function ofWitnesses() {
	await invite(await claim(await file('witness')), 'witness');
	await invite(await accept(await claim(await file('witness is a functionary'))), 'functionary5');
}

async function ofMatters() {
	const before = await accept(await claim(await file('before notice')));
	await say(before, 'functionary', 'internal', 'note-before-notice');
	await say(before, 'functionary', 'reporter', 'question-to-the-reporter');
	const pending = await accept(await claim(await file('pending second person')), 'functionary', { severity: 'S3' });
	await pending.act('functionary', 'dismiss', turnDown(), { status: 202 });
	const heardCase = await hearing(await accept(await claim(await file('heard', { contact: 'heard.secret@example.org' }))));
	await say(heardCase, 'functionary', 'internal', 'note-after-hearing');
	const panel = await hearing(await accept(await claim(await file('panel')), 'functionary', { severity: 'S3' }));
	const members = functionaries.slice(0, 3);
	await panel.act('functionary', 'form_panel', { members: await personsOf(members),
		proceedings: [await panel.proceeding('matter')] });
	await panel.act('functionary', 'propose', await proposed(panel));
	Object.assign(last(panel, 'matter'), { state: 'deliberation', panel: members });
	const settled = await accept(await claim(await file('settled')));
	await settled.act('functionary', 'resolve_informally', { advice: 'Please keep apart for a while.' });
	last(settled, 'matter').state = 'settled';
	// The advice is what the respondent first hears of it.
	settled.parties.find(party => party.role === 'respondent').notified = true;
	const dismissed = await accept(await claim(await file('dismissed')));
	await turnedDown(dismissed, 'dismiss', last(dismissed, 'matter'), 'dismissed');
	await resolved('decided');
	await resolved('decided by the second', 'functionary2');
}

async function heardByPanel(c) {
	await hear(c, last(c, 'appeal').id);
	Object.assign(last(c, 'appeal'), { state: 'appeal_review', panel: arbitrators });
}

async function ofAppeals() {
	await appealed(await resolved('appeal filed'));
	// Somebody who sits in both bodies decided first, and must not see the appeal.
	await appealed(await resolved('decided by an arbitrator', 'arbitrator5'));
	// Whoever handled it without deciding does not see the appeal either.
	const helped = await accept(await claim(await file('handled by an arbitrator'), 'arbitrator5'), 'arbitrator5');
	await appealed(await decided(await hearing(helped)));
	const declined = await claim(await file('declined and appealed'));
	await turnedDown(declined, 'decline', last(declined, 'intake'), 'declined');
	await appealed(declined, 'reporter');
	const review = await resolved('appeal review');
	await say(review, 'functionary', 'internal', 'note-of-the-first-instance');
	await bring(review, 'functionary', 'file-of-the-first-instance');
	await appealed(review);
	await heardByPanel(review);
	await say(review, 'arbitrator1', 'internal', 'note-of-the-panel');
	await bring(review, 'arbitrator1', 'file-of-the-panel');
	await say(review, 'arbitrator1', 'respondent', 'question-of-the-panel');
}

/** Makes everything. */
export async function build() {
	// Grants that never count, or no longer, beside those that do.
	await grant('witness', 'functionary', LOCAL, { end: true });
	await grant('reporter2', 'functionary', LOCAL, { from: Date.UTC(2097, 0, 1) });
	await grant('arbitrator5', 'functionary', LOCAL);
	const [, assigned] = await oldCases();
	await sanctionedFunctionary();
	for (const part of [ofReporters, ofRespondents, ofPlaces, ofLanes, ofIntake, ofIdentities, ofWitnesses, ofMatters,
		ofAppeals]) {
		await part();
	}
	await grant('policy_maintainer', 'functionary', LOCAL, { from: clock() - 2000 });
	await assigned.act('functionary', 'assign', { person: await personOf('policy_maintainer') });
	assigned.assigned.push('policy_maintainer');
	world.now = clock();
	await Promise.all(world.cases.map(async c => { c.revisionThen = await c.revision(); }));
	return world;
}

/** Everybody who comes with a request: all demo people, and those who are nobody or something broken. */
export function actors() {
	const garbage = ['Bearer garbage', 'Receipt ABCDE-ABCDE-ABCDE-ABCDE-ABCDE-A'];
	return [...Object.keys(demo).map(person => ({ name: person, person, who: person })),
		{ name: 'nobody', who: null, person: null },
		...garbage.map(authorization => ({ name: authorization, who: { authorization }, person: null, isBroken: true }))];
}
