// What domain.md says about who may see and do what, written down a second time: from the text, not from
// the SQL. It knows only the model that the test keeps of the people and of the cases it made, and foretells
// for every actor, case and operation the status and what the answer must and must not contain.

/** The rules that decide who sees what. Each can be left out, to prove that the matrix would notice. */
export const rules = {
	body: '5: access follows the case\'s present body',
	role: '5: only the handling role of a body handles; mediators, auditors, oversighters and admins see no case',
	term: '5: roles are time-limited',
	party: '6: a party is recused, and sees only as party (5)',
	named: '6: a handler named by the reporter is recused at once',
	declared: '6: a declared full recusal works',
	skeleton: '6: an unresolved respondent hides the case from everybody with the same skeleton',
	elsewhere: '6: party to another case with the respondent or reporter, accepted before this report came',
	sanctioned: '6: somebody under an active sanction is recused',
	decided: '6: who handled or decided what is appealed sees nothing of the appeal, nor of the round it opens',
	appealBody: '5, 6: an appeal is seen by the body that hears it',
	restricted: '1: restricted is for named people only',
	file: '6: the file up to a proceeding belongs to whoever has that proceeding',
	newcomer: '5: new members see no old case unless assigned',
	sealed: '5: the default identity of a reporter is sealed',
	opened: '5, 9: an identity is opened by two people, to these two',
	notice: '5: for a respondent nothing exists until notified',
	anonymous: '5: an anonymous reporter has the receipt alone',
	contacted: '5: a target sees the case once contacted',
	panelVotes: '3: the seated members vote',
	homeWiki: '6: before a global body, whoever is at home on the wiki does not vote, and still reads',
	external: '3: the external body hands back',
	appellant: '3: an appeal is its appellant\'s to withdraw',
	admin: '5: an admin grants, and sees no case',
};

/** Bodies of the shipped policy that the demo people sit in: their role, what stands above, who hears appeals. */
export const bodies = {
	'enwiki-functionaries': { role: 'functionary' },
	'enwiki-arbcom': { role: 'arbitrator' },
	'dewiki-functionaries': { role: 'functionary' },
	oversight: { role: 'oversighter' },
	stewards: { role: 'steward', isGlobal: true },
	ts: { role: 'ts_staff', external: true },
	u4c: { role: 'u4c_member', isGlobal: true },
};

const NO_HANDLERS = new Set(['oversight']);
/** States in which somebody still has to do something. */
const OPEN = new Set(['received', 'triage', 'escalated', 'review', 'info_wait', 'mediation', 'deliberation',
	'appeal_filed', 'appeal_review']);

/** Folds a name as the skeleton does, as far as the names of this suite need it (section 6). */
export function skeleton(name) {
	const alike = { 'у': 'y', 'о': 'o', 'а': 'a', 'е': 'e', 'і': 'i', '0': 'o', '1': 'l' };
	return [...name.normalize('NFKD').toLowerCase()].map(letter => alike[letter] ?? letter).join('')
		.replace(/[^\p{L}\p{N}]/gu, '').replaceAll('i', 'l');
}

/** Which proceedings an action belongs to and whose it is (section 3), as far as the suite tries them. */
const ACTIONS = {
	claim: { kind: 'intake', from: ['received'], by: 'functionary' },
	hand_back: { kind: 'intake', from: ['escalated'], by: 'external_body' },
	resume: { kind: 'intake', from: ['withdrawn'], by: 'functionary' },
	dismiss: { kind: 'matter', from: ['review'], by: 'functionary' },
	decline_appeal: { kind: 'appeal', from: ['appeal_filed'], by: 'appeal_body' },
	escalate: { kind: 'intake', from: ['received', 'triage'], by: 'functionary' },
	open_identity: { kind: 'any', by: 'handler', from: ['received', 'triage', 'escalated', 'review', 'deliberation', 'appeal_review'] },
	invite_witness: { kind: 'any', by: 'handler', from: ['triage', 'escalated', 'review', 'appeal_review'] },
	vote: { kind: 'any', from: ['triage', 'deliberation', 'appeal_filed', 'appeal_review'], by: 'panel' },
};
export const actions = Object.keys(ACTIONS);

export class Oracle {
	/** world: the model { people, cases }. without: names of rules to leave out. */
	constructor(world, without = []) {
		this.world = world;
		this.without = new Set(without);
	}

	has(rule) {
		return !this.without.has(rule);
	}

	isAccount(actor) {
		return Boolean(actor.person);
	}

	/** Grants that count now. */
	grants(person) {
		return this.world.people[person].grants.filter(grant => !this.has('term')
			|| (!grant.ended && grant.from <= this.world.now && this.world.now < grant.until));
	}

	/** The grant by which somebody handles what a body holds. */
	handles(person, body) {
		return this.grants(person).find(grant => (grant.body === body || (!this.has('body') && grant.body))
			&& (!this.has('role') || grant.role === bodies[grant.body]?.role) && !NO_HANDLERS.has(grant.body));
	}

	isHandler(person) {
		return this.grants(person).some(grant => grant.role === bodies[grant.body]?.role);
	}

	partiesOf(c) {
		return c.parties.filter(party => party.person).map(party => party.person);
	}

	/** Section 6 tells parties and witnesses apart: whoever was a witness elsewhere is in no conflict by it. */
	quarrelersOf(c) {
		return this.partiesOf({ parties: c.parties.filter(({ role }) => role !== 'witness') });
	}

	/** Section 6: the rule that keeps somebody out of the whole case, or nothing. */
	recusal(person, c) {
		const { user } = this.world.people[person];
		const checks = {
			party: () => this.partiesOf(c).includes(person),
			named: () => c.excluded.includes(person),
			declared: () => c.declared.includes(person),
			skeleton: () => c.parties.some(party => party.role === 'respondent' && !party.person && party.user
				&& skeleton(party.user) === skeleton(user)),
			elsewhere: () => this.world.cases.some(other => other !== c && other.acceptedAt < c.reportedAt
				&& this.quarrelersOf(other).includes(person)
				&& c.parties.some(party => ['respondent', 'reporter'].includes(party.role) && party.person
					&& party.person !== person && this.quarrelersOf(other).includes(party.person))),
			sanctioned: () => this.world.people[person].isSanctioned,
		};
		return Object.keys(checks).find(rule => this.has(rule) && checks[rule]());
	}

	/** The proceedings of a case that an account sees as a handler. */
	visible(person, c) {
		if (!person || this.recusal(person, c)) {
			return [];
		}
		const seen = c.proceedings.filter(proceeding => this.seesProceeding(person, c, proceeding));
		// Whoever has a proceeding has the file that led to it.
		const last = this.has('file') ? Math.max(-1, ...seen.map(proceeding => c.proceedings.indexOf(proceeding))) : -1;
		return c.proceedings.filter((proceeding, nth) => nth <= last || seen.includes(proceeding));
	}

	seesProceeding(person, c, proceeding) {
		let grant = this.handles(person, proceeding.body);
		if (!this.has('appealBody') && proceeding.kind === 'appeal') {
			grant ??= this.handles(person, c.proceedings[0].body);
		}
		if (!grant) {
			return false;
		}
		const isNamed = c.assigned.includes(person) || Boolean(proceeding.panel?.includes(person));
		if (this.has('newcomer') && c.closedAt < grant.from && !isNamed) {
			return false;
		}
		if (this.has('restricted') && c.privacy === 'restricted' && c.assigned.length > 0 && !isNamed) {
			return false;
		}
		return !(this.has('decided') && proceeding.against?.includes(person));
	}

	/** Stage and state, derived from what the viewer sees (section 3). What is closed has no one state. */
	derive(seen) {
		const { stage, proceeding } = this.deciding(seen);
		return { ...(stage && { stage }), ...(proceeding && { state: proceeding.state }) };
	}

	/** The stage, and the proceeding that gives it: of several the first that fits. */
	deciding(seen) {
		const find = (kind, states) => seen.filter(p => p.kind === kind && states.includes(p.state)).at(-1);
		const order = [
			['report', find('intake', ['received', 'triage', 'escalated'])],
			['review', find('matter', ['review', 'info_wait', 'mediation'])],
			['resolution', find('matter', ['deliberation'])],
			['appeal', find('appeal', ['appeal_filed', 'appeal_review'])],
			['resolution', find('matter', ['resolved', 'dismissed', 'settled']) ?? find('intake', ['declined'])],
		];
		const [stage, proceeding] = order.find(([, found]) => found) ?? [seen.length ? 'closed' : undefined];
		return { stage, proceeding };
	}

	/** A queue is of bodies: a case is in it by what a body of the viewer owes, if the viewer sees that. */
	isListed(person, c, seen) {
		const held = [...new Set(seen.map(({ body }) => body))].filter(body => this.handles(person, body));
		return held.some(body => {
			const { proceeding } = this.deciding(c.proceedings.filter(p => p.body === body));
			return !proceeding || seen.includes(proceeding);
		});
	}

	names(c) {
		const [reporter] = c.parties.filter(party => party.role === 'reporter');
		return reporter.account ? [this.world.people[reporter.account].user] : [];
	}

	/** Whether the reporter's identity has been opened to somebody. */
	isOpenTo(person, c) {
		return this.has('opened') ? Boolean(c.openTo?.includes(person)) : Boolean(c.openTo);
	}

	/** Words of a case that nobody may read here: of a sealed reporter, of other cases, of an appeal. */
	forbidden(c, seen, isOpen = false) {
		const words = this.world.cases.filter(other => other !== c).map(other => other.word);
		if (!isOpen && (c.identity !== 'named' || !this.has('sealed'))) {
			words.push(...(this.has('sealed') ? this.names(c) : []));
		}
		words.push(...isOpen ? [] : c.contact ?? []);
		const unseen = c.proceedings.filter(proceeding => !seen.includes(proceeding));
		words.push(...unseen.filter(({ id }) => id).map(({ id }) => id),
			...c.said.filter(message => unseen.includes(message.in)).map(({ text }) => text),
			...c.brought.filter(file => unseen.includes(file.in)).flatMap(({ id, name }) => [id, name]));
		return words;
	}

	// Operations of handlers ------------------------------------------------------------------------

	show(actor, c) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		const seen = this.visible(actor.person, c);
		if (!seen.length) {
			return { status: 404 };
		}
		const isOpen = this.isOpenTo(actor.person, c);
		return { status: 200, ...this.derive(seen), proceedings: seen.map(p => `${p.kind} ${p.state}`).sort(),
			has: [c.word, ...(isOpen || (c.identity === 'named' && this.has('sealed')) ? this.names(c) : []),
				...(isOpen ? c.contact : [])],
			hasNot: this.forbidden(c, seen, isOpen) };
	}

	/** The queue, asked for one state: whether the case is in it. */
	queue(actor, c) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		if (!this.isHandler(actor.person)) {
			return { status: 403 };
		}
		const seen = this.visible(actor.person, c);
		const isListed = this.isListed(actor.person, c, seen);
		return { status: 200, listed: isListed, ...(isListed ? this.derive(seen) : {}) };
	}

	/** Whether the queue without filters has to hold a case: somebody there still has to do something. */
	queueHolds(person, c) {
		const seen = this.visible(person, c);
		return this.isListed(person, c, seen) && seen.some(p => this.handles(person, p.body) && OPEN.has(p.state));
	}

	events(actor, c) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		const seen = this.visible(actor.person, c);
		const files = c.brought.filter(file => seen.includes(file.in));
		return seen.length ? { status: 200, kinds: [...new Set([...seen.map(p => p.kind), ...files.map(() => 'file')])].sort(),
			has: files.map(({ id }) => id), hasNot: this.forbidden(c, seen) } : { status: 404 };
	}

	files(actor, c) {
		const { status, has, hasNot } = this.events(actor, c);
		return { status, has, hasNot };
	}

	messages(actor, c, channel) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		const seen = this.visible(actor.person, c);
		if (!seen.length) {
			return { status: 404 };
		}
		const heard = c.said.filter(message => message.channel === channel && seen.includes(message.in));
		return { status: 200, hasNot: this.forbidden(c, seen), has: heard.map(({ text }) => text) };
	}

	/** A note on the internal channel moves nothing, so that it can really be tried. */
	note(actor, c) {
		const { status } = this.events(actor, c);
		return { status: status === 200 ? 201 : status };
	}

	/** An action. `null` where it would be carried out, and must not be tried. */
	act(actor, c, action) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		const seen = this.visible(actor.person, c);
		if (!seen.length) {
			return { status: 404 };
		}
		const row = ACTIONS[action];
		const mine = seen.filter(proceeding => this.hasRole(actor.person, proceeding, row));
		if (!mine.length) {
			return { status: 403 };
		}
		return mine.some(p => row.from.includes(p.state) && this.maySit(actor.person, c, p, row)) ? null
			: { status: 409 };
	}

	/** Whether somebody holds the role of an action in a proceeding, be it in another state (section 3, Actors). */
	hasRole(person, proceeding, { kind, by }) {
		if (!this.handles(person, proceeding.body) || (kind !== 'any' && kind !== proceeding.kind && by !== 'functionary')) {
			return false;
		}
		const isExternal = this.has('external') ? proceeding.state === 'escalated' : false;
		switch (by) {
		case 'functionary':
			return proceeding.kind !== 'appeal' && !isExternal;
		case 'external_body':
			return isExternal || !this.has('external');
		case 'appeal_body':
			return proceeding.kind === 'appeal';
		case 'handler':
			return true;
		default:
			// Any member of the body that holds it may come to sit on its panel.
			return !isExternal;
		}
	}

	/** Whether somebody votes: seated, or before a body without a panel any member who may. */
	maySit(person, c, proceeding, { by }) {
		if (by !== 'panel' || !this.has('panelVotes')) {
			return true;
		}
		const isAtHome = this.has('homeWiki') && bodies[proceeding.body].isGlobal && this.world.people[person].home === c.wiki;
		return proceeding.panel?.includes(person) || (Boolean(c.ballot) && !proceeding.panel && !isAtHome);
	}

	/** Claims with a revision that never was: 412 before anything is said of the state (api.md). */
	stale(actor, c) {
		const plain = this.act(actor, c, 'claim') ?? { status: 409 };
		return plain.status === 409 ? { status: 412 } : plain;
	}

	// Operations of parties -------------------------------------------------------------------------

	seesAsParty(person, c, party) {
		const holder = this.has('anonymous') ? party.person : party.person ?? party.account;
		return holder === person && this.mayLook(party);
	}

	mayLook(party) {
		switch (party.role) {
		case 'reporter':
			return true;
		case 'respondent':
			return party.notified || !this.has('notice');
		default:
			return party.contacted || !this.has('contacted');
		}
	}

	partyWords(c, party) {
		const words = this.world.cases.filter(other => other !== c).map(other => other.word);
		if (party.role !== 'reporter') {
			words.push(...this.names(c), c.word, ...c.contact ?? [], '"reports"', '"reporter"');
		}
		return [...words, ...c.said.filter(({ channel }) => channel !== party.role).map(({ text }) => text)];
	}

	/** GET /v1/receipt?participation= by an account. */
	participation(actor, c, party) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		return this.seesAsParty(actor.person, c, party)
			? { status: 200, role: party.role, hasNot: this.partyWords(c, party) } : { status: 404 };
	}

	participationMessages(actor, c, party) {
		const plain = this.participation(actor, c, party);
		const told = c.said.filter(({ channel }) => channel === party.role).map(({ text }) => text);
		return plain.status === 200 ? { status: 200, hasNot: plain.hasNot, has: told } : plain;
	}

	/** A party's own files, and nobody else's. */
	participationFiles(actor, c, party) {
		const plain = this.participation(actor, c, party);
		const ids = c.brought.filter(file => file.party === party).map(({ id }) => id);
		return plain.status === 200 ? { status: 200, hasNot: plain.hasNot, ids } : plain;
	}

	/** Withdrawing an appeal: its appellant's, while it is open. `null` where it would be carried out. */
	withdrawal(actor, c, party) {
		const plain = this.participation(actor, c, party);
		if (plain.status !== 200) {
			return plain;
		}
		const own = c.proceedings.filter(p => p.kind === 'appeal' && (p.appellant === party || !this.has('appellant')));
		if (!own.length) {
			return { status: 403 };
		}
		return own.some(p => OPEN.has(p.state)) ? null : { status: 409 };
	}

	/** GET /v1/receipt with a receipt: the reporter's own view and nobody else's. */
	receipt(c, owner) {
		const [party] = owner.parties.filter(p => p.role === 'reporter');
		return { status: 200, role: 'reporter', hasNot: this.partyWords(owner, party), own: owner === c };
	}

	/** The parties that `me/participations` lists: sealed own reports only if opted in (api.md). */
	participations(actor) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		const ids = this.world.cases.flatMap(c => c.parties.filter(party => this.seesAsParty(actor.person, c, party)
			&& (!c.parties.some(own => own.role === 'reporter' && own.person === party.person) || c.identity === 'named'
				|| !this.has('sealed'))).map(party => party.id));
		return { status: 200, ids: ids.sort() };
	}

	// Everything else -------------------------------------------------------------------------------

	me(actor) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		// With their terms: what is still to come is told, what has ended is not.
		const granted = this.world.people[actor.person].grants.filter(grant => !this.has('term') || !grant.ended);
		return { status: 200, roles: granted.map(g => `${g.role} ${g.body ?? ''}`).sort() };
	}

	/** A body's members, for panels and transfers: for those who handle. */
	body(actor) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		return { status: this.isHandler(actor.person) ? 200 : 403 };
	}

	grantList(actor) {
		if (!this.isAccount(actor)) {
			return { status: 401 };
		}
		return { status: !this.has('admin') || this.grants(actor.person).some(g => g.role === 'admin') ? 200 : 403 };
	}

	public() {
		return { status: 200 };
	}

	/** A report on the standard lane: a bad credential is refused; on the emergency lane it is dropped (9). */
	report(actor, lane) {
		return { status: lane === 'emergency' || !actor.isBroken ? 201 : 401 };
	}
}
