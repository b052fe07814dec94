// Receipts are guessed: by chance, near real ones, and in forms that are none. All of it is one answer, in
// the same bytes and in times that nobody can tell apart. Small effort makes 2,000 guesses, full a million;
// CONDUCTD_SEED repeats a run's.
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { base, call, expectCall, reportBody, sql, stack } from '../harness/api.mjs';
import { endAll, start, until } from '../harness/beside.mjs';
import { linesOf } from '../harness/lines.mjs';
import { kolmogorovSmirnov, mannWhitney } from '../harness/same.mjs';

const isFull = process.env.EFFORT === 'full';
const GUESSES = isFull ? 1000000 : 2000;
const TIMED = isFull ? 3000 : 600; // of each kind
const TOGETHER = 32;
const LEAST_P = 1e-4;
const MOST_EFFECT = isFull ? 0.04 : 0.1;
const seed = process.env.CONDUCTD_SEED ?? randomBytes(4).readUInt32BE().toString();

after(endAll);

let drawn = 0;
/** Up to 32 bytes that follow from the seed. */
const draw = size => createHash('sha256').update(`${seed} ${drawn++}`).digest().subarray(0, size);
const below = n => draw(4).readUInt32BE() % n;

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const checksum = secret => createHash('sha256').update('conductd receipt checksum v1').update(secret).digest().subarray(0, 2);

/** A receipt's text as the README of the format has it: groups of five digits of Crockford's base32. */
function write(secret, sum = checksum(secret)) {
	const bits = [...secret, ...sum].map(byte => byte.toString(2).padStart(8, '0')).join('').padEnd(145, '0');
	return bits.match(/.{5}/g).map(five => DIGITS[Number.parseInt(five, 2)]).join('').match(/.{1,5}/g).join('-');
}

function read(text) {
	const bits = [...text.replaceAll('-', '')].map(digit => DIGITS.indexOf(digit).toString(2).padStart(5, '0')).join('');
	return Buffer.from(bits.slice(0, 128).match(/.{8}/g).map(byte => Number.parseInt(byte, 2)));
}

const real = [];
for (let i = 0; i < 20; i++) {
	const { body } = await expectCall(201, null, 'POST', '/v1/reports', { body: reportBody() });
	real.push(body.receipt);
}
const aReal = () => real[below(real.length)];

/** What is guessed. Each is another text every time, and none is a receipt that was given out. */
const KINDS = {
	'by chance': () => write(draw(16)),
	'a checksum that is wrong': () => {
		const secret = draw(16);
		const sum = Buffer.from(checksum(secret));
		sum[below(2)] ^= 1 << below(8);
		return write(secret, sum);
	},
	'a real one but for a digit': () => {
		const text = [...aReal()];
		const digits = [...text.keys()].filter(i => text[i] !== '-');
		const at = digits[below(digits.length - 1)];
		const others = [...DIGITS].filter(digit => digit !== text[at]);
		text[at] = others[below(others.length)];
		return text.join('');
	},
	'a real one but for a bit, with the checksum': () => {
		const secret = read(aReal());
		const bit = below(128);
		secret[bit >> 3] ^= 1 << (bit & 7);
		return write(secret);
	},
	'a form that is none': () => [
		() => write(draw(16)).slice(0, -1 - below(20)),
		() => `${write(draw(16))}${DIGITS[below(32)]}`,
		() => draw(18).toString('hex'),
		() => draw(18).toString('base64url'),
		() => `${write(draw(16)).slice(0, 10)}!${draw(6).toString('hex')}`,
		() => '0'.repeat(1 + below(28)),
	][below(6)](),
};
const kinds = Object.keys(KINDS);

/** Makes `n` of the calls that `next` gives, some of them at once. */
async function many(n, next) {
	let left = n;
	await Promise.all(Array.from({ length: TOGETHER }, async () => {
		while (left-- > 0) await next();
	}));
}

const VARIES = ['date', 'x-request-id'];
/** Everything of an answer that does not have to be another each time. */
const faceOf = ({ status, headers, text }) => JSON.stringify([status,
	Object.entries(headers).filter(([name]) => !VARIES.includes(name)), text]);

test('the real ones are taken, and are written as the guesses are', async () => {
	for (const receipt of real) {
		assert.equal(write(read(receipt)), receipt);
		await expectCall(200, { receipt }, 'GET', '/v1/receipt');
	}
});

test('guesses find nothing, and all of them get the same bytes', async t => {
	const rest = ['/v1/receipt/messages', '/v1/receipt/attachments'];
	const faces = Object.fromEntries(['/v1/receipt', ...rest].map(path => [path, new Map()]));
	let found = 0;
	await many(GUESSES, async () => {
		const kind = kinds[below(kinds.length)];
		const receipt = KINDS[kind]();
		const path = below(10) ? '/v1/receipt' : rest[below(2)];
		const answer = await call({ receipt }, 'GET', path);
		if (answer.status !== 404) found++;
		const face = faceOf(answer);
		if (!faces[path].has(face)) faces[path].set(face, `${kind}: ${receipt}`);
	});
	t.diagnostic(`note: receipts: ${GUESSES} guesses, ${found} found, seed ${seed}`);
	for (const [path, seen] of Object.entries(faces)) {
		assert.equal(seen.size, 1, `${path}: ${[...seen].flat().join('\n')}`);
		assert.equal(JSON.parse([...seen.keys()][0])[0], 404);
	}
	assert.equal(found, 0);
});

test('what is written is refused alike', async () => {
	for (const [path, body] of [['/v1/receipt/messages', { text: 'x' }], ['/v1/receipt/actions/withdraw', {}]]) {
		const faces = new Set();
		for (const kind of kinds) {
			faces.add(faceOf(await call({ receipt: KINDS[kind]() }, 'POST', path, { body })));
		}
		assert.equal(faces.size, 1, [...faces].join('\n'));
		assert.equal(JSON.parse([...faces][0])[0], 404);
	}
});

// Times -------------------------------------------------------------------------------------------

/** How long the daemon took over each request, in nanoseconds, by the request's id. */
function durations() {
	return new Map(linesOf(`${stack}/conductd.log`).filter(line => line.includes('"event.duration"'))
		.map(line => JSON.parse(line)).map(line => [line['http.request.id'], line['event.duration']]));
}

/** The times of `each` requests of every kind, in an order that is drawn anew. */
async function measure(requests, each) {
	const names = Object.keys(requests);
	const order = names.flatMap(name => Array(each).fill(name)).map(name => [draw(4).readUInt32BE(), name])
		.sort((a, b) => a[0] - b[0]).map(([, name]) => name);
	const ids = new Map();
	await many(order.length, async () => {
		const name = order.pop();
		ids.set((await requests[name]()).headers['x-request-id'], name);
	});
	const known = await until('the log has all of them', () => {
		const found = durations();
		return [...ids.keys()].every(id => found.has(id)) && found;
	});
	const times = Object.fromEntries(names.map(name => [name, []]));
	for (const [id, name] of ids) times[name].push(known.get(id));
	return times;
}

/** For each pair of kinds the smaller p of the two tests, and the effect. */
function compare(times) {
	const names = Object.keys(times);
	return names.flatMap((one, i) => names.slice(i + 1).map(other => {
		const u = mannWhitney(times[one], times[other]);
		const ks = kolmogorovSmirnov(times[one], times[other]);
		return { pair: `${one} / ${other}`, p: Math.min(u.p, ks.p), effect: u.effect };
	}));
}

/**
 * Fails where somebody who measures could tell kinds apart: when Mann-Whitney or Kolmogorov-Smirnov says
 * so (p below LEAST_P, shared by the pairs) three times in a row, each with new samples, or when over all
 * of them the chance to be slower is further than MOST_EFFECT from one half.
 */
async function assertAlike(t, what, requests) {
	const all = {};
	let worst;
	for (let round = 0; round < 3; round++) {
		const times = await measure(requests, TIMED);
		for (const [name, list] of Object.entries(times)) (all[name] ??= []).push(...list);
		const pairs = compare(times);
		worst = pairs.reduce((a, b) => (b.p < a.p ? b : a));
		if (worst.p >= LEAST_P / pairs.length) break;
		assert.notEqual(round, 2, `${what}: told apart: ${JSON.stringify(worst)}`);
	}
	const effect = compare(all).reduce((a, b) => (b.effect > a.effect ? b : a));
	t.diagnostic(`note: receipts: ${what}: Mann-Whitney and Kolmogorov-Smirnov, ${TIMED} of each, least p ${worst.p.toPrecision(2)}, `
		+ `largest effect ${effect.effect.toFixed(3)}`);
	assert.ok(effect.effect <= MOST_EFFECT, `${what}: told apart: ${JSON.stringify(effect)}`);
}

const guess = kind => () => call({ receipt: KINDS[kind]() }, 'GET', '/v1/receipt');

test('the two tests tell apart what differs, and only that', async () => {
	const sample = shift => Array.from({ length: 300 }, () => below(1000) + shift);
	assert.ok(mannWhitney(sample(0), sample(400)).p < 1e-6);
	assert.ok(kolmogorovSmirnov(sample(0), sample(400)).p < 1e-6);
	let low = 0;
	for (let i = 0; i < 200; i++) {
		const [a, b] = [sample(0), sample(0)];
		low += (mannWhitney(a, b).p < 0.05) + (kolmogorovSmirnov(a, b).p < 0.05);
	}
	assert.ok(low > 2 && low < 50, `${low} of 400 below 0.05`);
	// An answer that does not wait for the grid is seen.
	const times = await measure({ guess: guess('by chance'), other: () => call(null, 'GET', '/v1/nothing') }, 50);
	assert.ok(mannWhitney(times.guess, times.other).p < 1e-6);
});

test('no kind of guess takes a time of its own', t =>
	assertAlike(t, 'guesses', Object.fromEntries(kinds.map(kind => [kind, guess(kind)]))));

test('a case that is hidden takes the time of one that is not there', async t => {
	const { body } = await expectCall(201, null, 'POST', '/v1/reports', { body: reportBody() });
	const [[id]] = sql(`select case_id from conduct.report where report_id = '${body.report}'`);
	const show = of => () => call('outsider', 'GET', `/v1/cases/${of()}`);
	await assertAlike(t, 'cases', { 'a hidden case': show(() => id), 'no case': show(randomUUID) });
});

// Budgets -----------------------------------------------------------------------------------------

test('who guesses is stopped after a few, and nobody elsewhere is', async () => {
	const { child, ...daemon } = await start('guessed', Number(base.port) + 5, text =>
		`${text.replace(/^issuers:[\s\S]*/m, '')}\nissuers: []\ntrusted_proxies: ["127.0.0.1/32"]\n`);
	const from = (address, receipt) => call({ receipt }, 'GET', '/v1/receipt',
		{ url: daemon.url, headers: { 'X-Forwarded-For': address } });
	assert.equal(child.exitCode, null);
	const statuses = new Map();
	for (let i = 0; i < 200; i++) {
		const { status } = await from(`203.0.113.${i % 200}`, KINDS[kinds[i % kinds.length]]());
		statuses.set(status, (statuses.get(status) ?? 0) + 1);
		// The holder of a receipt on another network does not notice.
		if (i % 20 === 0) assert.equal((await from('198.51.100.7', aReal())).status, 200);
	}
	assert.deepEqual([...statuses.keys()].sort(), [404, 429]);
	assert.ok(statuses.get(404) <= 62, `${statuses.get(404)} guesses in at most two minutes`);
});
