// The second verifier of the audit log against trees that are built here, from RFC 9162's definitions alone:
// every proof of every small tree holds, and no changed proof and no changed checkpoint is taken.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomInt, sign } from 'node:crypto';
import test, { after } from 'node:test';
import { isConsistent, leafHash, openNote, readKey, rootOfInclusion } from '../harness/audit.mjs';

const ALL = 128;
const isFull = process.env.EFFORT === 'full';
const n_tries = isFull ? 100000 : 2000;
const seed = Number(process.env.CONDUCTD_SEED ?? randomInt(2 ** 31));
after(() => console.log(`note: verifier: seed ${seed}; ${n_tries} changed proofs and ${n_tries} changed checkpoints, ${taken} taken`));
let taken = 0;

// xorshift32: the same choices for the same seed.
let state = seed || 1;
const choose = below => {
	state ^= state << 13;
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) % below;
};

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leaves = Array.from({ length: ALL }, (_, i) => leafHash(Buffer.from(`entry ${i}`)));
const split = n => 2 ** Math.floor(Math.log2(n - 1));
const known = new Map();

/** MTH(D[from:to]). */
function rootOf(from, to) {
	const name = from * 1000 + to;
	if (!known.has(name)) {
		const k = to - from > 1 ? split(to - from) : 0;
		known.set(name, k ? sha256(Buffer.of(1), rootOf(from, from + k), rootOf(from + k, to))
			: to > from ? leaves[from] : sha256());
	}
	return known.get(name);
}

/** PATH(m, D[from:to]). */
function pathOf(m, from, to) {
	if (to - from === 1) return [];
	const k = split(to - from);
	return m < k ? [...pathOf(m, from, from + k), rootOf(from + k, to)] : [...pathOf(m - k, from + k, to), rootOf(from, from + k)];
}

/** SUBPROOF(m, D[from:to], isWhole). */
function growthOf(m, from, to, isWhole = true) {
	if (m === to - from) return isWhole ? [] : [rootOf(from, to)];
	const k = split(to - from);
	return m <= k ? [...growthOf(m, from, from + k, isWhole), rootOf(from + k, to)]
		: [...growthOf(m - k, from + k, to, false), rootOf(from, from + k)];
}

const holds = (index, size, proof, root = rootOf(0, size)) => rootOfInclusion(leaves[index], index, size, proof)?.equals(root) ?? false;

test(`every inclusion up to ${ALL} holds, and for no other entry`, () => {
	for (let size = 1; size <= ALL; size++) {
		for (let index = 0; index < size; index++) {
			const proof = pathOf(index, 0, size);
			assert.ok(holds(index, size, proof), `${index} of ${size}`);
			if (size > 1) {
				const other = (index + 1 + choose(size - 1)) % size;
				assert.ok(!holds(other, size, proof), `${other} of ${size} by the path of ${index}`);
			}
		}
	}
});

test(`every growth up to ${ALL} holds, and from no other root`, () => {
	for (let to = 1; to <= ALL; to++) {
		for (let from = 0; from <= to; from++) {
			const proof = from ? growthOf(from, 0, to) : [];
			assert.ok(isConsistent(from, rootOf(0, from), to, rootOf(0, to), proof), `${from} to ${to}`);
			assert.ok(!isConsistent(from, leaves[choose(ALL)].map(byte => byte ^ 1), to, rootOf(0, to), proof), `${from} to ${to}`);
		}
	}
});

test('no changed proof is taken', () => {
	for (let i = 0; i < n_tries; i++) {
		const size = 2 + choose(ALL - 1);
		const index = choose(size);
		const from = 1 + choose(size - 1);
		const isGrowth = i % 2 === 1;
		let proof = (isGrowth ? growthOf(from, 0, size) : pathOf(index, 0, size)).map(hash => Buffer.from(hash));
		const how = choose(4);
		if (how === 0) proof = proof.slice(0, -1);
		else if (how === 1) proof.splice(choose(proof.length + 1), 0, leaves[choose(ALL)]);
		else proof[choose(proof.length)][choose(32)] ^= 1 << choose(8);
		const isTaken = isGrowth ? isConsistent(from, rootOf(0, from), size, rootOf(0, size), proof) : holds(index, size, proof);
		taken += isTaken;
		assert.ok(!isTaken, `${isGrowth ? 'growth' : 'inclusion'} in ${size} (seed ${seed}, ${i})`);
	}
});

test('no changed checkpoint is taken', () => {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519');
	const typed = Buffer.concat([Buffer.of(1), publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)]);
	const id = sha256(Buffer.from('host\n'), typed).subarray(0, 4);
	const key = readKey(`host+${id.toString('hex')}+${typed.toString('base64')}`);
	const text = `conductd/log\n${ALL}\n${rootOf(0, ALL).toString('base64')}\n`;
	const note = Buffer.from(`${text}\n\u2014 host ${Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString('base64')}\n`);
	assert.equal(openNote(note.toString(), [key]).size, ALL);
	for (let i = 0; i < n_tries; i++) {
		const how = choose(4);
		let bytes = Buffer.from(note);
		if (how === 0) bytes = bytes.subarray(0, choose(bytes.length));
		else if (how === 1) bytes = Buffer.concat([bytes.subarray(0, choose(bytes.length)), bytes.subarray(choose(bytes.length))]);
		else bytes[choose(bytes.length)] ^= 1 << choose(8);
		if (bytes.equals(note)) continue;
		taken++;
		assert.throws(() => openNote(bytes.toString(), [key]), `seed ${seed}, ${i}: ${bytes.toString()}`);
		taken--;
	}
});
