// The keys of a vault as conductd keeps them on the disk, read a second time from their description alone
// (daemon/keys/vault_file.c, vault_keys.c).
import { createDecipheriv, scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

function open(key, context, sealed) {
	const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
	cipher.setAAD(context);
	cipher.setAuthTag(sealed.subarray(-16));
	return Buffer.concat([cipher.update(sealed.subarray(12, -16)), cipher.final()]);
}

/** The key that is sealed to now: deployment, key_id and the private key, in hex. */
export function readVault(file, passphrase) {
	const text = readFileSync(file, 'utf8');
	const [, head, cost, block, lanes, salt, master, keys] =
		/^(conductd vault 1\nscrypt (\d+) (\d+) (\d+) (\w+)\n)master (\w+)\nkeys (\w+)\n$/.exec(text);
	const wrapping = scryptSync(readFileSync(passphrase, 'utf8').replace(/\n$/, ''), Buffer.from(salt, 'hex'), 32,
		{ N: 2 ** cost, r: Number(block), p: Number(lanes), maxmem: 2 ** 30 });
	const plain = open(open(wrapping, Buffer.from(head), Buffer.from(master, 'hex')), Buffer.from('conductd vault keys 1'),
		Buffer.from(keys, 'hex'));
	const at = 17 + 36 * (plain[16] - 1);
	return { deployment: plain.toString('hex', 0, 16), key_id: plain.readUInt32BE(at), key: plain.toString('hex', at + 4, at + 36) };
}
