// Words sealed and opened with node:crypto as conductd does it: an envelope for each word (AES-256-GCM under
// its unit's key), and for each key a stanza, one message of an HPKE context (RFC 9180, base mode, X25519,
// HKDF-SHA-256, AES-256-GCM) that is agreed upon anew every minute. The peer has the private key itself:
// what conductd asks another process for, it does at home.
import { createCipheriv, createDecipheriv, createHmac, createPrivateKey, createPublicKey, diffieHellman,
	generateKeyPairSync, hkdfSync, randomBytes } from 'node:crypto';

const CONTEXT_MS = 60000;
const CONTEXTS_MAX = 256;
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');
const GENERATION = 1;

const u32 = n => {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(n);
	return bytes;
};
const u64 = n => {
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64BE(n);
	return bytes;
};
export const idOf = uuid => Buffer.from(uuid.replaceAll('-', ''), 'hex');

function seal(key, nonce, aad, text) {
	const cipher = createCipheriv('aes-256-gcm', key, nonce);
	cipher.setAAD(aad);
	return [cipher.update(text), cipher.final(), cipher.getAuthTag()];
}

function open(key, nonce, aad, sealed) {
	const cipher = createDecipheriv('aes-256-gcm', key, nonce);
	cipher.setAAD(aad);
	cipher.setAuthTag(sealed.subarray(-16));
	return Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
}

// HPKE -----------------------------------------------------------------------------------------------

const KEM = Buffer.from('KEM\x00\x20', 'latin1');
const HPKE = Buffer.from('HPKE\x00\x20\x00\x01\x00\x02', 'latin1');
const extract = (suite, salt, label, ikm) => createHmac('sha256', salt.length ? salt : Buffer.alloc(32)).update('HPKE-v1')
	.update(suite).update(label).update(ikm).digest();
const expand = (suite, key, label, info, length) => createHmac('sha256', key).update(Buffer.of(0, length)).update('HPKE-v1')
	.update(suite).update(label).update(info).update(Buffer.of(1)).digest().subarray(0, length);

function schedule(dh, enc, recipient, info) {
	const secret = expand(KEM, extract(KEM, '', 'eae_prk', dh), 'shared_secret', Buffer.concat([enc, recipient]), 32);
	const context = Buffer.concat([Buffer.of(0), extract(HPKE, '', 'psk_id_hash', ''), extract(HPKE, '', 'info_hash', info)]);
	const key = extract(HPKE, secret, 'secret', '');
	return { key: expand(HPKE, key, 'key', context, 32), nonce: expand(HPKE, key, 'base_nonce', context, 12) };
}

function nonceOf(base, sequence) {
	const nonce = Buffer.from(base);
	nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ sequence, 4);
	return nonce;
}

// Words ----------------------------------------------------------------------------------------------

/** The padded size of a length and a text. */
function padded(length) {
	return [256, 1024, 4096, 16384, 65536].find(size => length <= size) ?? Math.ceil(length / 8192) * 8192;
}

export class Sealer {
	#intake;
	#sender = { since: -Infinity };
	#recipients = new Map();

	/** keys: deployment, key_id and key, the last one private, all but the number in hex. */
	constructor({ deployment, key_id, key }) {
		const secret = createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.from(key, 'hex')]), format: 'der', type: 'pkcs8' });
		const own = createPublicKey(secret);
		this.deployment = Buffer.from(deployment, 'hex');
		this.key_id = key_id;
		this.#intake = { secret, own, raw: own.export({ format: 'der', type: 'spki' }).subarray(-32) };
		this.info = Buffer.concat([Buffer.from('conductd stanza 1'), this.deployment, u32(key_id)]);
	}

	#send() {
		const now = performance.now();
		if (now - this.#sender.since >= CONTEXT_MS) {
			const { privateKey, publicKey } = generateKeyPairSync('x25519');
			const enc = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
			const dh = diffieHellman({ privateKey, publicKey: this.#intake.own });
			this.#sender = { since: now, enc, sequence: 0n, ...schedule(dh, enc, this.#intake.raw, this.info) };
		}
		return this.#sender;
	}

	#receive(enc) {
		const name = enc.toString('latin1');
		let context = this.#recipients.get(name);
		if (!context) {
			const publicKey = createPublicKey({ key: Buffer.concat([SPKI, enc]), format: 'der', type: 'spki' });
			context = schedule(diffieHellman({ privateKey: this.#intake.secret, publicKey }), enc, this.#intake.raw, this.info);
			if (this.#recipients.size >= CONTEXTS_MAX) {
				this.#recipients.clear();
			}
			this.#recipients.set(name, context);
		}
		return context;
	}

	/** A fresh key of a unit and what store_words() takes of it: [{ unit, bytes }, stanza]. */
	newKey(unit) {
		const key = { unit, bytes: randomBytes(32) };
		const sender = this.#send();
		const sequence = sender.sequence++;
		const aad = Buffer.concat([this.deployment, unit, u32(GENERATION), Buffer.from('vault')]);
		return [key, Buffer.concat([u32(GENERATION), u32(this.key_id), sender.enc, u64(sequence),
			...seal(sender.key, nonceOf(sender.nonce, sequence), aad, key.bytes)])];
	}

	/** A unit's key by a stanza as answer() gives it. */
	openKey(unit, stanza) {
		const blob = stanza.subarray(8);
		const context = this.#receive(blob.subarray(0, 32));
		const aad = Buffer.concat([this.deployment, unit, stanza.subarray(0, 4), Buffer.from('vault')]);
		return open(context.key, nonceOf(context.nonce, blob.readBigUInt64BE(32)), aad, blob.subarray(40));
	}

	/** The key of a party's channel, sealed for who has the receipt. */
	receiptStanza(key, party, receipt) {
		const generation = u32(GENERATION);
		const channel = Buffer.from(hkdfSync('sha256', key.bytes, '', Buffer.concat([Buffer.from('conductd channel 1'), key.unit,
			generation, party]), 32));
		const wrapping = Buffer.from(hkdfSync('sha256', receipt, '', 'conductd channel stanza 1', 32));
		const nonce = randomBytes(12);
		const aad = Buffer.concat([this.deployment, key.unit, generation, Buffer.from('channel'), party]);
		return Buffer.concat([party, generation, nonce, ...seal(wrapping, nonce, aad, channel)]);
	}

	sealWord(key, content, kind, text) {
		const bytes = Buffer.from(text, 'utf8');
		const plain = Buffer.alloc(padded(4 + bytes.length));
		plain.writeUInt32BE(bytes.length);
		bytes.copy(plain, 4);
		const prefix = Buffer.concat([Buffer.of(0xc5, 0xd1, 1, 1), u32(GENERATION)]);
		const nonce = randomBytes(12);
		return Buffer.concat([prefix, nonce, ...seal(key.bytes, nonce,
			Buffer.concat([prefix, this.deployment, key.unit, content, Buffer.from(kind)]), plain)]);
	}

	openWord(key, unit, content, kind, envelope) {
		const aad = Buffer.concat([envelope.subarray(0, 8), this.deployment, unit, content, Buffer.from(kind)]);
		const plain = open(key, envelope.subarray(8, 20), aad, envelope.subarray(20));
		return plain.toString('utf8', 4, 4 + plain.readUInt32BE());
	}
}
