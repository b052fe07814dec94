// Clients that write words and read them while things die: reports come in, handlers take cases and answer,
// reporters and handlers read. Each word that comes back is the one that was written; each answer that is none
// falls into the time of a fault.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { call } from '../harness/api.mjs';
import { Load } from './load.mjs';
import { ask, randomFrom } from './parts.mjs';

export class Words extends Load {
	constructor({ seed, n_readers = 4, grace = 1000, ...load }) {
		super(load);
		this.cases = [];      // { case_id, who, key, receipt, texts }: what may be read, whole
		this.n_read = 0;
		this.n_away = 0;      // reads that were answered by 503 or nobody, during a fault
		this.faults = [];     // { from, to }
		this.n_readers = n_readers;
		this.grace = grace;
		this.choose = randomFrom(seed);
	}

	start() {
		super.start();
		for (let i = 0; i < this.n_readers; i++) {
			this.clients.push(this.readOn());
		}
	}

	/** From now until it is called: answers may fail. */
	beginFault() {
		const fault = { from: Date.now(), to: Infinity };
		this.faults.push(fault);
		return () => { fault.to = Date.now() + this.grace; };
	}

	isDuringFault(sent, answered) {
		return this.faults.some(({ from, to }) => from <= answered && sent <= to);
	}

	/** Claims a case; reporter and handler write to each other. Then it may be read. */
	async handle(who) {
		while (!this.is_over || this.waiting.length) {
			const report = this.waiting.shift();
			const found = report && await ask(`select case_id from conduct.report where report_id = '${report}'`);
			if (!found?.length) {
				if (report) {
					this.waiting.push(report);
				}
				await new Promise(resolve => setTimeout(resolve, 25));
				continue;
			}
			await this.talk(who, found[0][0], [...this.reports.values()].find(one => one.report === report));
		}
	}

	async talk(who, case_id, { key, receipt }) {
		const texts = [`from the reporter of ${key}`, `from the handler of ${key}`];
		if (!await this.act(who, case_id, 'claim', {}, 1)) {
			return;
		}
		for (const [as, path, text] of [[{ receipt }, '/v1/receipt/messages', texts[0]],
			[who, `/v1/cases/${case_id}/messages?channel=reporter`, texts[1]]]) {
			const answer = await this.settle(as, 'POST', path, { body: { text }, key: randomUUID() });
			if (answer.status !== 201) {
				this.wrong.push(`${path}: ${answer.status} ${answer.text ?? answer.error}`);
				return;
			}
		}
		this.cases.push({ case_id, who, key, receipt, texts });
	}

	/** One read of one case; a word that is not what was written throws. */
	async read(one, how) {
		const as = how < 2 ? one.who : { receipt: one.receipt };
		const path = [`/v1/cases/${one.case_id}`, `/v1/cases/${one.case_id}/messages?channel=reporter`,
			'/v1/receipt/messages', '/v1/receipt'][how];
		const sent = Date.now();
		const answer = await call(as, 'GET', path).catch(error => ({ status: 0, text: error.code ?? error.message }));
		const isAway = answer.status === 0 || answer.status === 503;
		if (isAway && this.isDuringFault(sent, Date.now())) {
			this.n_away++;
			return false;
		}
		assert.equal(answer.status, 200, `GET ${path}: ${answer.status} ${answer.text}`);
		if (how === 0) {
			assert.equal(answer.body.reports[0].details, `key=${one.key}`);
		} else if (how < 3) {
			assert.deepEqual(answer.body.items.map(({ text }) => text).filter(text => text?.includes(one.key)), one.texts);
		}
		this.n_read++;
		return true;
	}

	async readOn() {
		while (!this.is_over) {
			const one = this.cases[this.choose(this.cases.length || 1)];
			if (!one) {
				await new Promise(resolve => setTimeout(resolve, 25));
				continue;
			}
			const isRead = await this.read(one, this.choose(4)).catch(error => {
				this.wrong.push(error.message);
			});
			if (!isRead) {
				await new Promise(resolve => setTimeout(resolve, 25));
			}
		}
	}

	/** Everything that was ever written is read again, in every way; returns how many answers that took. */
	async readAll() {
		const reads = this.cases.flatMap(one => [0, 1, 2, 3].map(how => [one, how]));
		const n = reads.length;
		assert.deepEqual(this.cases.map(({ key }) => key).sort(), [...this.reports.keys()].sort(), 'no report is left out');
		await Promise.all(Array.from({ length: 8 }, async () => {
			for (let next = reads.pop(); next; next = reads.pop()) {
				assert.ok(await this.read(...next), 'no fault is over us');
			}
		}));
		return n;
	}
}
