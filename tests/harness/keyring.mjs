// The vault's key file and the stanzas of units, read and written a second time, from their description
// alone: scrypt and AES-256-GCM around the keys; HPKE base mode (RFC 9180) for the stanzas.
import { createCipheriv, createDecipheriv, createHmac, createPrivateKey, createPublicKey, diffieHellman,
	generateKeyPairSync, hkdfSync, randomBytes, scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

const hmac = (key, ...parts) => parts.reduce((h, part) => h.update(part), createHmac('sha256', key)).digest();
const u32 = value => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(value); return bytes; };
export const uuidBytes = text => Buffer.from(text.replaceAll('-', ''), 'hex');

function gcmOpen(key, nonce, aad, sealed) {
	const cipher = createDecipheriv('aes-256-gcm', key, nonce);
	cipher.setAAD(aad);
	cipher.setAuthTag(sealed.subarray(-16));
	return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
}

function gcmSeal(key, nonce, aad, text) {
	const cipher = createCipheriv('aes-256-gcm', key, nonce);
	cipher.setAAD(aad);
	return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** nonce 12 | ciphertext | tag 16 */
const open = (key, context, sealed) => gcmOpen(key, sealed.subarray(0, 12), context, sealed.subarray(12));

const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const spki = Buffer.from('302a300506032b656e032100', 'hex');
const privateOf = raw => createPrivateKey({ key: Buffer.concat([pkcs8, raw]), format: 'der', type: 'pkcs8' });
const publicOf = raw => createPublicKey({ key: Buffer.concat([spki, raw]), format: 'der', type: 'spki' });
const rawPublic = key => createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);

/** {deployment, keys: Map(id → raw private key), host} of the vault's key file. */
export function readVault(file, passphrase) {
	const lines = readFileSync(file, 'utf8').split('\n');
	const [, log2, r, p, salt] = /^scrypt (\d+) (\d+) (\d+) ([0-9a-f]+)$/.exec(lines[1]);
	const N = 2 ** Number(log2);
	const wrapping = scryptSync(passphrase, Buffer.from(salt, 'hex'), 32,
		{ N, r: Number(r), p: Number(p), maxmem: 256 * N * Number(r) });
	const head = Buffer.from(`${lines[0]}\n${lines[1]}\n`);
	const master = open(wrapping, head, Buffer.from(/^master (.*)$/.exec(lines[2])[1], 'hex'));
	const plain = open(master, Buffer.from('conductd vault keys 1'), Buffer.from(/^keys (.*)$/.exec(lines[3])[1], 'hex'));
	const keys = new Map();
	const n = plain[16];
	for (let i = 0; i < n; i++) {
		const at = 17 + i * 36;
		keys.set(plain.readUInt32BE(at), Buffer.from(plain.subarray(at + 4, at + 36)));
	}
	const at = 17 + n * 36 + 32;
	return { deployment: plain.subarray(0, 16), keys, host: plain.subarray(at + 1, at + 1 + plain[at]).toString() };
}

/** {deployment, keyId, key} of the public file. */
export function readPublic(file) {
	const text = readFileSync(file, 'utf8');
	const [, deployment] = /^deployment (\S+)$/m.exec(text);
	const [, id, key] = /^intake (\d+) (\S+)$/m.exec(text);
	return { deployment: uuidBytes(deployment), keyId: Number(id), key: Buffer.from(key, 'hex') };
}

const kem = Buffer.from('KEM\x00\x20', 'latin1');
const suite = Buffer.from('HPKE\x00\x20\x00\x01\x00\x02', 'latin1');
const version = Buffer.from('HPKE-v1');
const extract = (id, salt, label, ikm) => hmac(salt.length ? salt : Buffer.alloc(32), version, id, label, ikm);
const expand = (id, prk, label, info, length) =>
	hmac(prk, Buffer.from([0, length]), version, id, label, info, Buffer.from([1])).subarray(0, length);

/** The AEAD key and base nonce of a context. */
function schedule(dh, enc, recipient, info) {
	const none = Buffer.alloc(0);
	const secret = expand(kem, extract(kem, none, 'eae_prk', dh), 'shared_secret', Buffer.concat([enc, recipient]), 32);
	const context = Buffer.concat([Buffer.from([0]), extract(suite, none, 'psk_id_hash', none),
		extract(suite, none, 'info_hash', info)]);
	const prk = extract(suite, secret, 'secret', none);
	return { key: expand(suite, prk, 'key', context, 32), nonce: expand(suite, prk, 'base_nonce', context, 12) };
}

const infoOf = (deployment, keyId) => Buffer.concat([Buffer.from('conductd stanza 1'), deployment, u32(keyId)]);
const aadOf = (deployment, unit, generation) =>
	Buffer.concat([deployment, uuidBytes(unit), u32(generation), Buffer.from('vault')]);

function nonceOf({ nonce }, sequence) {
	const bytes = Buffer.from(nonce);
	for (let i = 0; i < 8; i++) {
		bytes[4 + i] ^= sequence[i];
	}
	return bytes;
}

/** Seals keys of units to a public file's key, all in one context: unit, generation, key → blob. */
export function sealer({ deployment, keyId, key }) {
	const ephemeral = generateKeyPairSync('x25519');
	const enc = rawPublic(ephemeral.privateKey);
	const dh = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: publicOf(key) });
	const context = schedule(dh, enc, key, infoOf(deployment, keyId));
	let n = 0n;
	return (unit, generation, plain) => {
		const sequence = Buffer.alloc(8);
		sequence.writeBigUInt64BE(n++);
		return Buffer.concat([enc, sequence,
			gcmSeal(context.key, nonceOf(context, sequence), aadOf(deployment, unit, generation), plain)]);
	};
}

/** Opens stanzas as a vault with these keys: a thrown error where one does not open. */
export function opener({ deployment, keys }) {
	const contexts = new Map();
	return (unit, generation, keyId, blob) => {
		const enc = blob.subarray(0, 32);
		const name = `${keyId} ${enc.toString('hex')}`;
		if (!contexts.has(name)) {
			if (!keys.has(keyId)) {
				throw new Error(`there is no intake key ${keyId}`);
			}
			const own = privateOf(keys.get(keyId));
			const dh = diffieHellman({ privateKey: own, publicKey: publicOf(enc) });
			contexts.set(name, schedule(dh, enc, rawPublic(own), infoOf(deployment, keyId)));
		}
		const context = contexts.get(name);
		return gcmOpen(context.key, nonceOf(context, blob.subarray(32, 40)),
			aadOf(deployment, unit, generation), blob.subarray(40));
	};
}

/** The key of a seeded unit: whoever opens its stanza can tell whether it is the right one. */
export const seededKey = (unit, generation) =>
	Buffer.from(hkdfSync('sha256', uuidBytes(unit), '', `generation ${generation}`, 32));

/** SQL that makes n units with a stanza each, sealed to a public file's key. */
export function seedSql(pub, n) {
	const seal = sealer(pub);
	const rows = Array.from({ length: n }, () => {
		const id = randomBytes(16).toString('hex');
		const unit = `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
		return { unit, blob: seal(unit, 1, seededKey(unit, 1)).toString('hex') };
	});
	return `insert into conduct.unit (unit_id, kind, made_at) values
		${rows.map(({ unit }) => `('${unit}', 'person', now())`).join(', ')};
		insert into keyring.stanza (unit_id, generation, kind, key_id, blob) values
		${rows.map(({ unit, blob }) => `('${unit}', 1, 'vault', ${pub.keyId}, '\\x${blob}')`).join(', ')}`;
}
