// Brings cases into every state over HTTP, as the demo people would. Time moves only where a limit has
// to pass; what is due is then done at once, so that the worker changes nothing behind a test's back.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { call, expectCall, moveClock, nameIndex, people, query, reportBody, runTimers } from './api.mjs';

export const FUNCTIONARIES = 'enwiki-functionaries';
export const ARBCOM = 'enwiki-arbcom';
export const functionaries = [
	'functionary',
	'functionary2',
	'functionary3',
	'functionary4',
	'functionary5',
	'functionary6',
];
export const arbitrators = ['arbitrator1', 'arbitrator2', 'arbitrator3', 'arbitrator4', 'arbitrator5'];

const persons = new Map();
/** The person id of a demo person. */
export async function personOf(who) {
	if (!persons.has(who)) {
		persons.set(who, (await expectCall(200, who, 'GET', '/v1/me')).body.person);
	}
	return persons.get(who);
}

export const personsOf = names => Promise.all(names.map(personOf));

/** Time passes, and what it brings is done. */
export function pass(text) {
	moveClock(text);
	runTimers();
}

/** What an authority would have to repeat for a receipt: who may use which participation. */
export class Case {
	constructor(id, report, receipt) {
		this.id = id;
		this.report = report;
		this.receipt = receipt;
	}

	async state() {
		return query(`select kind, state, body_id, round, proceeding_id, coalesce(respondent_id::text, '')
			from conduct.proceeding where case_id = '${this.id}' order by opened_at, kind, proceeding_id`);
	}

	async revision() {
		return Number((await query(`select revision from conduct.case_file where case_id = '${this.id}'`))[0][0]);
	}

	/** The last proceeding of a kind (and respondent). */
	async proceeding(kind, respondent) {
		const rows = (await this.state()).filter(row => row[0] === kind && (!respondent || row[5] === respondent));
		return rows.at(-1)?.[4];
	}

	async stateOf(proceeding) {
		return (await query(`select state from conduct.proceeding where proceeding_id = '${proceeding}'`))[0][0];
	}

	async show(who = 'functionary', status = 200) {
		return (await expectCall(status, who, 'GET', `/v1/cases/${this.id}`)).body;
	}

	/** A party's id by role, and by the demo person's name where there are several. */
	async party(role, who) {
		const rows = await query(`select y.party_id, encode(y.name_ix, 'hex') from conduct.party y
			where y.case_id = '${this.id}' and y.role = '${role}' order by y.seq`);
		const found = who ? rows.filter(([, name]) => name === nameIndex(people[who].user)) : rows;
		assert.ok(found.length, `no ${role} ${who ?? ''} in the case`);
		return found[0][0];
	}

	/** As call(), for an action of a handler, with the present revision. */
	async tryAct(who, action, body = {}, options = {}) {
		const revision = options.revision === undefined ? await this.revision() : options.revision;
		return call(who, 'POST', `/v1/cases/${this.id}/actions/${action}`, { ...options, body, revision });
	}

	async act(who, action, body = {}, { status = 200, ...options } = {}) {
		const answer = await this.tryAct(who, action, body, options);
		if (answer.status !== status) {
			throw new Error(
				`${action} as ${who}: ${answer.status} instead of ${status}: ${answer.text.slice(0, 800)} ` +
					`for ${JSON.stringify(body)}; now ${JSON.stringify(await this.state())}`
			);
		}
		return answer.body;
	}

	/** Who a party is in a request: the reporter by receipt, others by account and participation. */
	async as(role, who = role) {
		if (role === 'reporter') {
			return { who: { receipt: this.receipt }, query: '' };
		}
		return { who, query: `?participation=${await this.party(role, who)}` };
	}

	async tryParty(role, action, body = {}, { who, ...options } = {}) {
		const party = await this.as(role, who);
		const path = action === 'appeal' ? 'appeal' : `actions/${action}`;
		return call(party.who, 'POST', `/v1/receipt/${path}${party.query}`, { ...options, body });
	}

	async party_act(role, action, body = {}, { status = 200, ...options } = {}) {
		const answer = await this.tryParty(role, action, body, options);
		if (answer.status !== status) {
			throw new Error(
				`${action} as ${role}: ${answer.status} instead of ${status}: ${answer.text.slice(0, 800)}`
			);
		}
		return answer.body;
	}

	async look(role, who) {
		const party = await this.as(role, who);
		return (await expectCall(200, party.who, 'GET', `/v1/receipt${party.query}`)).body;
	}

	/** The ballot that is open on a proceeding. */
	async proposal(proceeding) {
		const rows = await query(`select ballot_id from conduct.ballot
			where proceeding_id = '${proceeding}' order by opened_at desc, event_seq desc limit 1`);
		return rows[0][0];
	}
}

/** A report of a demo person, and the case that it opened. */
export async function reported(changes = {}, who = 'reporter') {
	const { body } = await expectCall(201, who, 'POST', '/v1/reports', { body: reportBody(changes) });
	const [[id]] = await query(`select case_id from conduct.report where report_id = '${body.report}'`);
	return new Case(id, body.report, body.receipt);
}

// Bodies of actions -------------------------------------------------------------------------------

export const turnDown = (changes = {}) => ({
	reason_code: 'insufficient',
	reason: 'Not enough to go on.',
	refer_to: 'talk-page',
	...changes,
});

export async function acceptance(c, { severity = 'S2', rule = 'ucoc/3.1/trolling', respondents, ...more } = {}) {
	const view = await query(`select incident_id from conduct.incident where case_id = '${c.id}' order by seq`);
	const all =
		respondents ??
		(
			await query(`select party_id from conduct.party
		where case_id = '${c.id}' and role = 'respondent' order by seq`)
		).map(([id]) => id);
	return {
		severity,
		reason: 'Serious enough to look at.',
		allegations: all.map(respondent => ({ rule, respondent, incident: view[0][0] })),
		...more,
	};
}

export const notice = respondent => ({ respondent, text: 'You are said to have trolled. Please answer.', lang: 'en' });

export async function proposed(
	c,
	{ respondent, met = 'met', sanction = 'warning', disposition = 'sanction', until, scope } = {}
) {
	const who = respondent ?? (await c.party('respondent'));
	const [[allegation]] = await query(`select allegation_id from conduct.allegation
		where case_id = '${c.id}' and respondent_id = '${who}' order by added_at desc limit 1`);
	const items = [{ kind: 'finding', respondent: who, allegation, met, text: 'The record shows it.' }];
	if (sanction) {
		items.push({
			kind: 'sanction',
			respondent: who,
			sanction,
			text: 'A measure.',
			...(until ? { until } : {}),
			...(scope ? { scope } : {}),
		});
	}
	return { items, dispositions: [{ respondent: who, disposition }], reasons: 'See the record.' };
}

export async function notices(c, proposal, respondent) {
	const reporter = await c.party('reporter');
	const told = respondent ?? (await c.party('respondent'));
	return {
		proposal,
		notices: [
			{ party: told, text: 'The decision in your matter.', lang: 'en' },
			{ party: reporter, text: 'The matter is decided.', lang: 'en' },
		],
	};
}

// Walking -----------------------------------------------------------------------------------------

/** Everybody named votes on every item, and somebody counts. Returns the ballot's id. */
export async function carry(c, proceeding, voters, { vote = 'support', by = voters[0] } = {}) {
	const proposal = await c.proposal(proceeding);
	const items = (await query(`select item from conduct.ballot_item where ballot_id = '${proposal}' order by 1`)).map(
		([item]) => Number(item)
	);
	for (const who of voters) {
		for (const item of items) {
			await c.act(who, 'vote', { proposal, item, vote });
		}
	}
	await c.act(by, 'close_vote', { proposal });
	return proposal;
}

export async function putToVote(c, who, motion, proceeding, items) {
	await c.act(who, 'put_to_vote', {
		motion,
		reasons: 'See the file.',
		proceedings: [proceeding],
		...(items ? { items } : {}),
	});
	return c.proposal(proceeding);
}

export async function heard(c, respondent, who = 'respondent', handler = 'functionary') {
	const party = respondent ?? (await c.party('respondent'));
	await c.act(handler, 'notify_respondent', notice(party));
	await c.party_act('respondent', 'answer', { text: 'It was meant as a joke.' }, { who });
}

/** A decision of one person. */
export async function decide(c, { who = 'functionary', respondent, ...proposal } = {}) {
	const party = respondent ?? (await c.party('respondent'));
	await c.act(who, 'propose', await proposed(c, { respondent: party, ...proposal }));
	const matter = await c.proceeding('matter', party);
	await c.act(who, 'decide', await notices(c, await c.proposal(matter), party));
	return matter;
}

export async function decisionOf(c, role = 'respondent', who) {
	const view = await c.look(role, who);
	assert.ok(view.decisions.length, `no decision was told to the ${role}`);
	return view.decisions.at(-1);
}

export async function appealBody(c, role = 'respondent', who, changes = {}) {
	const decision = await decisionOf(c, role, who);
	return {
		decision: decision.id,
		items: decision.items.map(item => item.item),
		grounds: ['disproportionate'],
		reasons: 'A word would have been enough.',
		...changes,
	};
}

export async function appeal(c, role = 'respondent', who, changes = {}) {
	await c.party_act(role, 'appeal', await appealBody(c, role, who, changes), { who });
	return c.proceeding('appeal');
}

/** The committee hears an appeal. */
export async function hear(c, proceeding, panel = arbitrators) {
	await c.act(panel[0], 'form_panel', { members: await personsOf(panel), proceedings: [proceeding] });
	await putToVote(c, panel[0], 'accept_appeal', proceeding);
	const proposal = await carry(c, proceeding, panel.slice(0, 4));
	await c.act(panel[0], 'accept_appeal', { proposal, proceedings: [proceeding] });
}

export async function outcomes(c, proceeding, outcome = 'ratified') {
	const rows = await query(`select decision_id, item from conduct.appeal_item
		where proceeding_id = '${proceeding}' order by item`);
	return rows.map(([, item]) => ({ item: Number(item), outcome, text: 'So the panel sees it.' }));
}

/** The panel votes on an outcome; the decision itself waits for the window. */
export async function judged(c, proceeding, { outcome = 'ratified', panel = arbitrators } = {}) {
	await putToVote(c, panel[0], 'decide_appeal', proceeding, await outcomes(c, proceeding, outcome));
	return carry(c, proceeding, panel.slice(0, 4));
}

async function toldOf(c) {
	const rows = await query(`select party_id from conduct.party where case_id = '${c.id}'
		and (role in ('reporter', 'target') or (role = 'respondent' and notified_at is not null))`);
	return rows.map(([party]) => ({ party, text: 'The appeal is decided.', lang: 'en' }));
}

export const judgment = async (c, proposal) => ({ proposal, notices: await toldOf(c) });

/** One more motion of the panel, carried. */
export async function moved(c, proceeding, motion, panel = arbitrators) {
	await putToVote(c, panel[0], motion, proceeding);
	return carry(c, proceeding, panel.slice(0, 4));
}

// States ------------------------------------------------------------------------------------------
// Each driver returns { c, proceeding }: a case with a proceeding of that kind in that state.

async function at(c, kind, state) {
	const proceeding = await c.proceeding(kind);
	assert.equal(await c.stateOf(proceeding), state, JSON.stringify(await c.state()));
	return { c, proceeding };
}

export const intake = {
	async received(changes) {
		return at(await reported(changes), 'intake', 'received');
	},
	async triage(changes) {
		const { c } = await intake.received(changes);
		await c.act('functionary', 'claim');
		return at(c, 'intake', 'triage');
	},
	async escalated() {
		const { c } = await intake.triage();
		// The sender loses sight of the case with it.
		await c.act('functionary', 'escalate', { to: 'ts', reason: 'A matter for the Foundation.' }, { status: 204 });
		return at(c, 'intake', 'escalated');
	},
	async accepted(changes) {
		const { c } = await intake.triage();
		await c.act('functionary', 'accept', await acceptance(c, changes));
		return at(c, 'intake', 'accepted');
	},
	async declined() {
		const { c } = await intake.triage();
		await c.act('functionary', 'decline', turnDown());
		return at(c, 'intake', 'declined');
	},
	async handed_over(outcome = 'referred') {
		const { c } = await intake.escalated();
		await c.act('ts', 'hand_back', { outcome, to_state: 'handed_over', reason: 'Done with.' });
		return at(c, 'intake', 'handed_over');
	},
	async withdrawn() {
		const { c } = await intake.triage();
		await c.party_act('reporter', 'withdraw', { reason: 'It is settled between us.' });
		return at(c, 'intake', 'withdrawn');
	},
};

export const matter = {
	async review(changes) {
		const { c } = await intake.accepted(changes);
		return at(c, 'matter', 'review');
	},
	async heard(changes) {
		const { c } = await matter.review(changes);
		await heard(c);
		return at(c, 'matter', 'review');
	},
	async deliberation(changes) {
		const { c } = await matter.heard();
		await c.act('functionary', 'propose', await proposed(c, changes));
		return at(c, 'matter', 'deliberation');
	},
	/** Before a panel of three, for what is grave. */
	async deliberationOfThree() {
		const { c, proceeding } = await matter.heard({ severity: 'S3' });
		await c.act('functionary', 'form_panel', {
			members: await personsOf(functionaries.slice(0, 3)),
			proceedings: [proceeding],
		});
		await c.act('functionary', 'propose', await proposed(c));
		return at(c, 'matter', 'deliberation');
	},
	async resolved(changes) {
		const { c } = await matter.heard();
		await decide(c, changes);
		return at(c, 'matter', 'resolved');
	},
	async dismissed() {
		const { c } = await matter.review();
		await c.act('functionary', 'dismiss', turnDown());
		return at(c, 'matter', 'dismissed');
	},
	async settled() {
		const { c } = await matter.review();
		await c.act('functionary', 'resolve_informally', { advice: 'Please keep apart for a while.' });
		return at(c, 'matter', 'settled');
	},
	async final() {
		const { c } = await matter.resolved();
		pass('31d');
		return at(c, 'matter', 'final');
	},
};

export const appeals = {
	async appeal_filed() {
		const { c } = await matter.resolved();
		await appeal(c);
		return at(c, 'appeal', 'appeal_filed');
	},
	async appeal_review() {
		const { c, proceeding } = await appeals.appeal_filed();
		await hear(c, proceeding);
		return at(c, 'appeal', 'appeal_review');
	},
	async appeal_decided(outcome) {
		const { c, proceeding } = await appeals.appeal_review();
		const proposal = await judged(c, proceeding, { outcome });
		pass('31d');
		await c.act('arbitrator1', 'decide_appeal', await judgment(c, proposal));
		return at(c, 'appeal', 'appeal_decided');
	},
	async appeal_declined() {
		const { c, proceeding } = await appeals.appeal_filed();
		await c.act('arbitrator1', 'decline_appeal', {
			reason_code: 'out_of_scope',
			reason: 'Nothing new.',
			proceedings: [proceeding],
		});
		return at(c, 'appeal', 'appeal_declined');
	},
	async appeal_remanded() {
		const { c, proceeding } = await appeals.appeal_review();
		const proposal = await moved(c, proceeding, 'remand');
		pass('31d');
		await c.act('arbitrator1', 'remand', { reason: 'Look again, with other eyes.', proposal });
		return at(c, 'appeal', 'appeal_remanded');
	},
	async appeal_withdrawn() {
		const { c } = await appeals.appeal_filed();
		await c.party_act('respondent', 'withdraw_appeal', {});
		return at(c, 'appeal', 'appeal_withdrawn');
	},
};

export const drivers = { intake, matter, appeal: appeals };
export const states = {
	intake: ['received', 'triage', 'escalated', 'accepted', 'declined', 'handed_over', 'withdrawn'],
	matter: ['review', 'deliberation', 'resolved', 'dismissed', 'settled', 'final'],
	appeal: [
		'appeal_filed',
		'appeal_review',
		'appeal_decided',
		'appeal_declined',
		'appeal_remanded',
		'appeal_withdrawn',
	],
};

export const unknownId = () => randomUUID();
