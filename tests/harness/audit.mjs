// The audit log verified a second time, from its description alone: nothing here is shared with daemon/audit.
// RFC 9162 proofs are checked by rebuilding the roots from both ends; checkpoints are C2SP signed notes.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
export const leafHash = bytes => sha256(Buffer.of(0), bytes);
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);
const same = (a, b) => Buffer.compare(a, b) === 0;

/** The largest power of two below n. */
const half = n => {
	let k = 1;
	while (k * 2 < n) k *= 2;
	return k;
};

/** The root that an inclusion proof leads to; null where it is none for these numbers. */
export function rootOfInclusion(leaf, index, size, proof) {
	if (!Number.isSafeInteger(index) || index < 0 || index >= size) return null;
	const rest = [...proof];
	const walk = (at, n) => {
		if (n === 1) return leaf;
		const k = half(n);
		const sibling = rest.pop();
		if (!sibling) return null;
		const inner = at < k ? walk(at, k) : walk(at - k, n - k);
		return inner && (at < k ? nodeHash(inner, sibling) : nodeHash(sibling, inner));
	};
	const root = walk(index, size);
	return rest.length ? null : root;
}

/** Whether the tree of `to` entries with root `toRoot` begins with that of `from`. */
export function isConsistent(from, fromRoot, to, toRoot, proof) {
	if (from > to || from < 0) return false;
	if (from === 0) return proof.length === 0 && same(fromRoot, sha256());
	if (from === to) return proof.length === 0 && same(fromRoot, toRoot);
	const rest = [...proof];
	// [root of what `from` has of this subtree, root of the subtree]
	const walk = (m, n, isWhole) => {
		if (m === n) {
			const hash = isWhole ? fromRoot : rest.pop();
			return hash && [hash, hash];
		}
		const k = half(n);
		const sibling = rest.pop();
		if (!sibling) return null;
		const inner = m <= k ? walk(m, k, isWhole) : walk(m - k, n - k, false);
		if (!inner) return null;
		return m <= k ? [inner[0], nodeHash(inner[1], sibling)] : [nodeHash(sibling, inner[0]), nodeHash(sibling, inner[1])];
	};
	const roots = walk(from, to, true);
	return Boolean(roots) && rest.length === 0 && same(roots[0], fromRoot) && same(roots[1], toRoot);
}

const strict = (text, length) => {
	const bytes = Buffer.from(text, 'base64');
	if (bytes.toString('base64') !== text || (length !== undefined && bytes.length !== length)) throw new Error('not base64');
	return bytes;
};

export function readKey(text) {
	const [, name, id, key] = /^([^\s+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text);
	const typed = strict(key, 33);
	if (typed[0] !== 1 || sha256(`${name}\n`, typed).subarray(0, 4).toString('hex') !== id) throw new Error('not a key');
	const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), typed.subarray(1)]);
	return { name, id: Buffer.from(id, 'hex'), key: createPublicKey({ key: spki, format: 'der', type: 'spki' }) };
}

/** What a note says, if one of the keys has signed it; throws otherwise. */
export function openNote(note, keys) {
	const end = note.indexOf('\n\n');
	if (end < 0 || !note.endsWith('\n')) throw new Error('not a note');
	const text = note.slice(0, end + 1);
	const signers = new Set();
	for (const line of note.slice(end + 2, -1).split('\n')) {
		const [, name, base64] = /^\u2014 (\S+) (\S+)$/u.exec(line) ?? [];
		if (!name) throw new Error('not a signature line');
		const bytes = strict(base64, 68);
		for (const key of keys.filter(k => k.name === name && same(k.id, bytes.subarray(0, 4)))) {
			if (!verify(null, Buffer.from(text), key.key, bytes.subarray(4))) throw new Error('the signature does not hold');
			if (signers.has(key)) throw new Error('signed twice by one key');
			signers.add(key);
		}
	}
	if (!signers.size) throw new Error('signed by none of the keys');
	const [, origin, size, root] = /^(\S+)\n(0|[1-9][0-9]{0,14})\n(\S+)\n$/.exec(text) ?? [];
	if (!origin) throw new Error('not a checkpoint');
	return { origin, size: Number(size), root: strict(root, 32), signers: [...signers].map(key => key.name) };
}

/** The fields of an entry; throws where it is none. */
export function readLeaf(bytes) {
	let at = 0;
	const take = n => {
		if (at + n > bytes.length) throw new Error('short entry');
		return bytes.subarray(at, at += n);
	};
	if (take(1)[0] !== 1) throw new Error('another version');
	const usec = take(8).readBigInt64BE();
	const event = take(take(1)[0]).toString('latin1');
	if (!/^[a-z0-9._]{1,63}$/.test(event)) throw new Error('no name');
	const [actor, of] = [take(16), take(16)];
	const n = take(2).readUInt16BE();
	if (n > 1024) throw new Error('too many rows');
	const rows = Array.from({ length: n }, () => ({ id: take(16).toString('hex'), hash: take(32).toString('hex') }));
	const commitment = take(32);
	if (at !== bytes.length) throw new Error('long entry');
	return { usec, event, actor, of, rows, commitment };
}

/** The lines of a file; what is no line feed ends none. */
async function* linesOf(path) {
	let rest = '';
	for await (const part of createReadStream(path, 'utf8')) {
		const lines = (rest + part).split('\n');
		rest = lines.pop();
		yield* lines;
	}
	if (rest) yield rest;
}

/** How many fields a line has; those that end in a name have at least so many. */
const FIELDS = { origin: 1, checkpoint: 1, leaf: 3, pending: 2, head: 3, word: 2, end: 1 };
const FIELDS_AND_MORE = { row: 3, catalog: 3 };

const shipped = new Set(readFileSync(new URL('../../sql/catalog.txt', import.meta.url), 'utf8').split('\n').filter(Boolean));

/** Tables whose rows change: on each stands a trigger that logs it. */
const changing = new Set([...readFileSync(new URL('../../sql/catalog.txt', import.meta.url), 'utf8')
	.matchAll(/^catalog trigger \S+ conduct\.(\w+)\.\1_changes_are_logged$/gm)].map(match => match[1]));

class Bundle {
	faults = [];
	keys;
	origin;
	checkpoints = [];
	stack = []; // [size, hash] of complete subtrees
	size = 0;
	logged = new Map();
	seen = new Set();
	erased = new Set(); // entries without payload that no erasure has named yet
	parts = new Set(shipped); // of the database, that are still to come
	chain = null;

	constructor(keys) {
		this.keys = keys;
	}

	root() {
		return this.stack.length ? this.stack.map(([, hash]) => hash).reduceRight((right, left) => nodeHash(left, right)) : sha256();
	}

	log(name, hash) {
		const before = this.logged.get(name);
		if (before && before !== hash && !changing.has(name.split(' ')[0])) this.faults.push(`${name} was logged before, and not so`);
		this.logged.set(name, hash);
	}

	/** event: of the entry; null while it has no number. */
	keep(payload, event) {
		for (const line of payload.toString('utf8').split('\n')) {
			const [, kind, rest] = /^(gone|entry) (.+)$/.exec(line) ?? [];
			if (kind && (![null, 'case.erased', 'stanza.delete'].includes(event)
				|| (kind === 'gone' && !/^(content|content_place|stanza|recusal|pending_act) /.test(rest)))) {
				this.faults.push(`${rest} is called gone by what erases nothing`);
			} else if (kind === 'gone') {
				this.logged.delete(rest);
			} else if (kind) {
				this.erased.delete(rest);
			}
			const row = /^(\S+ .*) ([0-9a-f]{64})$/s.exec(line);
			if (row) this.log(row[1], row[2]);
		}
	}

	see(name, bytes) {
		if (this.seen.has(name)) this.faults.push(`${name} is there twice`);
		this.seen.add(name);
		if (this.logged.get(name) !== sha256(bytes).toString('hex')) this.faults.push(`${name} is not as logged`);
	}

	word = hex => `content ${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`;

	lines = {
		origin: ([name]) => { this.origin = name; },
		checkpoint: ([note]) => {
			const checkpoint = openNote(strict(note).toString('utf8'), this.keys);
			if (checkpoint.origin !== this.origin) throw new Error('another log');
			if (checkpoint.size <= (this.checkpoints.at(-1)?.size ?? -1)) throw new Error('not in order');
			this.checkpoints.push(checkpoint);
		},
		leaf: ([base64, salt, payload]) => {
			const bytes = strict(base64);
			const leaf = readLeaf(bytes);
			if (salt !== '-') {
				if (!same(sha256(strict(salt, 32), strict(payload)), leaf.commitment)) throw new Error('another payload');
				for (const { id, hash } of leaf.rows) this.log(this.word(id), hash);
				this.keep(strict(payload), leaf.event);
			} else {
				this.erased.add(String(this.size));
			}
			let [size, hash] = [1, leafHash(bytes)];
			while (this.stack.at(-1)?.[0] === size) {
				hash = nodeHash(this.stack.pop()[1], hash);
				size *= 2;
			}
			this.stack.push([size, hash]);
			this.size++;
			for (const checkpoint of this.checkpoints.filter(c => c.size === this.size)) {
				checkpoint.isMet = same(checkpoint.root, this.root());
			}
		},
		pending: ([payload, rows]) => {
			this.keep(strict(payload), null);
			for (const row of rows === '-' ? [] : rows.split(',')) this.log(`content ${row.slice(0, 36)}`, row.slice(37));
		},
		row: ([table, base64, ...key]) => {
			const bytes = strict(base64);
			this.see(`${table} ${key.join(' ')}`, bytes);
			if (table !== 'event') return;
			const event = JSON.parse(bytes);
			const last = this.chain ?? { proceeding_id: event.proceeding_id, seq: 0, to_state: 'new', revision: 0 };
			this.chain = event;
			if (event.proceeding_id !== last.proceeding_id || event.seq !== last.seq + 1 || event.from_state !== last.to_state
				|| event.revision < last.revision) throw new Error('not the next event');
		},
		head: ([proceeding, version, state]) => {
			const last = this.chain;
			this.chain = null;
			if (last?.proceeding_id !== proceeding || String(last.seq) !== version || last.to_state !== state) throw new Error('not the head');
		},
		word: ([id, base64]) => this.see(`content ${id}`, strict(base64)),
		catalog: fields => { if (!this.parts.delete(`catalog ${fields.join(' ')}`)) throw new Error('not as shipped'); },
		end: ([n]) => { this.end = Number(n); },
	};
}

/** Reads a bundle; the faults found, and how much was verified. */
export async function verifyBundle(path, keyTexts) {
	const bundle = new Bundle(keyTexts.map(readKey));
	let n = 0;
	for await (const line of linesOf(path)) {
		const [name, ...fields] = line.split(' ');
		if (n++ === 0) {
			if (line !== 'conductd audit bundle 1') bundle.faults.push('no bundle');
			continue;
		}
		try {
			if (bundle.end !== undefined || !Object.hasOwn(bundle.lines, name)) throw new Error('what is this');
			if (fields.length !== FIELDS[name] && !(fields.length >= FIELDS_AND_MORE[name])) throw new Error('other fields');
			bundle.lines[name](fields);
		} catch (error) {
			bundle.faults.push(`line ${n}: ${error.message}`);
		}
	}
	if (bundle.end !== n - 1) bundle.faults.push('lines are missing');
	if (bundle.chain) bundle.faults.push('a proceeding without head');
	if (bundle.parts.size) bundle.faults.push(`${bundle.parts.size} parts of the database are missing`);
	if (bundle.size && !bundle.checkpoints.length) bundle.faults.push('nothing is signed');
	for (const checkpoint of bundle.checkpoints) {
		if (!checkpoint.isMet) bundle.faults.push(`not what was signed of ${checkpoint.size} entries`);
	}
	for (const index of bundle.erased) bundle.faults.push(`entry ${index} was emptied, and no erasure names it`);
	for (const name of bundle.logged.keys()) {
		if (!bundle.seen.has(name)) bundle.faults.push(`${name} is gone`);
	}
	return { faults: bundle.faults, size: bundle.size, checkpoints: bundle.checkpoints };
}
