// Clients that report and act while things die around them. Each write has its own Idempotency-Key and is
// sent again with it until there is a definite answer; what was acknowledged is kept, to be looked for in
// the database afterwards.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { call, reportBody, sql } from '../harness/api.mjs';
import { ask } from './parts.mjs';

const DEFINITE_MS = 45000;
const handlers = ['functionary', 'functionary2', 'functionary3', 'functionary4', 'functionary5', 'functionary6'];
const reporters = ['reporter', 'reporter2', 'witness'];

/** No answer, or one that says "nobody knows yet": to be asked again with the same key. */
function isOpen(answer) {
	return answer.status === 0 || answer.status === 503
		|| (answer.status === 409 && answer.body?.errorKey === 'conduct-idempotency-running');
}

export class Load {
	constructor({ n_reporters = 12, n_handlers = 4 } = {}) {
		this.reports = new Map();   // key → { report, receipt, sent, answered }
		this.acts = [];             // { case_id, action, key }
		this.waiting = [];          // reports that no handler has taken yet
		this.n_retried = 0;         // keys that needed more than one attempt
		this.n_unknown = 0;         // answers that said "outcome unknown"
		this.wrong = [];            // answers that must not happen
		this.older = new Set();     // reports that were there before
		this.n_reporters = n_reporters;
		this.n_handlers = n_handlers;
	}

	start() {
		this.is_over = false;
		this.clients = [];
		if (!this.reports.size) {
			this.older = new Set(sql('select report_id from conduct.report').map(([report]) => report));
		}
		for (let i = 0; i < this.n_reporters; i++) {
			this.clients.push(this.reportOn(reporters[i % reporters.length]));
		}
		for (let i = 0; i < this.n_handlers; i++) {
			this.clients.push(this.handle(handlers[i % handlers.length]));
		}
	}

	/** Every client brings what it began to its end. */
	async stop() {
		this.is_over = true;
		await Promise.all(this.clients);
		assert.deepEqual(this.wrong, [], 'answers that no fault explains');
	}

	/** The definite answer to one write. */
	async settle(who, method, path, options) {
		const key = options.key ?? randomUUID();
		const started = Date.now();
		for (let n_attempts = 1; ; n_attempts++) {
			const sent = Date.now();
			const answer = await call(who, method, path, { ...options, key })
				.catch(error => ({ status: 0, error: error.code ?? error.message }));
			if (!isOpen(answer)) {
				this.n_retried += n_attempts > 1;
				return { ...answer, sent, answered: Date.now(), key };
			}
			this.n_unknown += answer.body?.errorKey === 'conduct-unknown-outcome';
			if (Date.now() - started > DEFINITE_MS) {
				this.wrong.push(`${method} ${path}: no definite answer after ${DEFINITE_MS} ms, the last was `
					+ `${answer.status} ${answer.error ?? answer.text}`);
				return { ...answer, key };
			}
			await new Promise(resolve => setTimeout(resolve, 25));
		}
	}

	async report(who) {
		const key = randomUUID();
		const body = reportBody({ details: `key=${key}` });
		const answer = await this.settle(who, 'POST', '/v1/reports', { body, key });
		if (answer.status !== 201) {
			this.wrong.push(`report: ${answer.status} ${answer.text ?? answer.error}`);
			return;
		}
		const { report, receipt } = answer.body;
		this.reports.set(key, { key, report, receipt, who, body, sent: answer.sent, answered: answer.answered });
		this.waiting.push(report);
	}

	async reportOn(who) {
		while (!this.is_over) {
			await this.report(who);
		}
	}

	/** Claims, acknowledges and accepts (or declines) one case. */
	async handle(who) {
		for (let n = 0; !this.is_over; n++) {
			const report = this.waiting.shift();
			const found = report && await ask(`select r.case_id, i.incident_id, y.party_id from conduct.report r
				join conduct.incident i using (case_id) join conduct.party y using (case_id)
				where r.report_id = '${report}' and y.role = 'respondent'`);
			if (!found?.length) {
				// Nothing to do yet, or PostgreSQL is away.
				if (report) {
					this.waiting.push(report);
				}
				await new Promise(resolve => setTimeout(resolve, 25));
				continue;
			}
			await this.walk(who, found[0], n % 2 === 0);
		}
	}

	async walk(who, [case_id, incident, respondent], is_taken) {
		const claimed = await this.act(who, case_id, 'claim', {}, 1);
		const known = claimed && await this.act(who, case_id, 'acknowledge');
		if (known && is_taken) {
			await this.act(who, case_id, 'accept', { severity: 'S2', reason: 'Serious enough to look at.',
				allegations: [{ rule: 'ucoc/3.1/trolling', respondent, incident }] }, known.revision);
		} else if (known) {
			await this.act(who, case_id, 'decline', { reason_code: 'insufficient', reason: 'Not enough to go on.',
				refer_to: 'talk-page' }, known.revision);
		}
	}

	/** The case's view after an acknowledged act. */
	async act(who, case_id, action, body = {}, revision = undefined) {
		const answer = await this.settle(who, 'POST', `/v1/cases/${case_id}/actions/${action}`, { body, revision });
		if (answer.status !== 200) {
			this.wrong.push(`${action}: ${answer.status} ${answer.text ?? answer.error}`);
			return undefined;
		}
		this.acts.push({ case_id, action, sent: answer.sent, answered: answer.answered });
		return answer.body;
	}

	/** Everything acknowledged is there, once; returns what was counted. */
	check() {
		const rows = sql('select report_id, case_id from conduct.report').filter(([report]) => !this.older.has(report));
		const cases = new Map(rows.map(([report, case_id]) => [report, case_id]));
		assert.equal(new Set(cases.values()).size, rows.length, 'each report has a case of its own');
		const told = new Set([...this.reports.values()].map(({ report }) => report));
		assert.equal(told.size, this.reports.size, 'two keys were told of one report');
		const lost = [...this.reports.values()].filter(({ report }) => !cases.has(report));
		assert.deepEqual(lost, [], `${lost.length} acknowledged reports are not in the database`);
		// Every key came to a definite end, so nothing else may be there.
		assert.deepEqual([...cases.keys()].filter(report => !told.has(report)), [], 'reports that nobody was told of');

		// An act may write events of several kinds; of the intake, where these acts are, it writes one.
		const events = new Map(sql(`select e.case_id || ' ' || e.action, count(*) from conduct.event e
			where e.kind = 'intake' group by 1`).map(([name, n]) => [name, Number(n)]));
		const missing = this.acts.filter(({ case_id, action }) => events.get(`${case_id} ${action}`) !== 1)
			.map(({ case_id, action }) => `${case_id} ${action}: ${events.get(`${case_id} ${action}`) ?? 0} events`);
		assert.deepEqual(missing, [], 'each acknowledged act has its event, once');
		this.checkHistory();
		return { reports: rows.length, acts: this.acts.length };
	}

	/** The head of every proceeding is its last event, and no history has a gap. */
	checkHistory() {
		const broken = sql(`select p.proceeding_id, p.version, p.state, e.n, e.last, e.state
			from conduct.proceeding p left join lateral (
				select count(*) as n, max(seq) as last, (array_agg(to_state order by seq desc))[1] as state
				from conduct.event e where e.proceeding_id = p.proceeding_id) e on true
			where e.n is distinct from p.version or e.last is distinct from p.version
				or e.state is distinct from p.state`);
		assert.deepEqual(broken, [], 'proceedings whose head is not their last event');
		assert.deepEqual(sql(`select e.proceeding_id from conduct.event e
			where not exists (select from conduct.proceeding p where p.proceeding_id = e.proceeding_id)`), []);
	}

	/** The same key again gives the same answer and no second case; the receipt opens its report. */
	async checkReplays(choose, n) {
		const all = [...this.reports.values()];
		for (let i = 0; i < n && all.length; i++) {
			const one = all[choose(all.length)];
			const again = await this.settle(one.who, 'POST', '/v1/reports', { body: one.body, key: one.key });
			assert.equal(again.status, 201, again.text);
			assert.equal(again.body.report, one.report);
			assert.equal(again.body.receipt, one.receipt);
			const shown = await call({ receipt: one.receipt }, 'GET', '/v1/receipt');
			assert.equal(shown.status, 200, shown.text);
		}
	}
}
