// Forged tokens against the daemon, each refused with the very same answer; and an emergency report that
// is accepted whatever else is wrong with it.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { call, people, stack } from '../harness/api.mjs';

const key = readFileSync(`${stack}/demo-issuer.key`);
const publicKey = readFileSync(`${stack}/demo-issuer.pub`);
const stranger = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const good = people.functionary.token;
const [head, payload, signature] = good.split('.');
const H = JSON.parse(Buffer.from(head, 'base64url'));
const P = JSON.parse(Buffer.from(payload, 'base64url'));
const now = Math.floor(Date.now() / 1000);

const encode = part => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
const sign = (h, p, by = key) => {
	const text = `${encode(h)}.${encode(p)}`;
	return `${text}.${crypto.sign('RSA-SHA256', Buffer.from(text), by).toString('base64url')}`;
};
const mac = h => {
	const text = `${encode(h)}.${payload}`;
	return `${text}.${crypto.createHmac('sha256', publicKey).update(text).digest('base64url')}`;
};
const without = name => Object.fromEntries(Object.entries(P).filter(([k]) => k !== name));
const withText = (from, to) => sign(H, JSON.stringify(P).replace(from, to));
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const notCanonical = signature.slice(0, -1) + alphabet[alphabet.indexOf(signature.at(-1)) ^ 1];

const forged = {
	'no signature (none)': `${encode({ ...H, alg: 'none' })}.${payload}.`,
	'no signature (NoNe)': `${encode({ ...H, alg: 'NoNe' })}.${payload}.`,
	'none beside a good signature': `${encode({ ...H, alg: 'none' })}.${payload}.${signature}`,
	'HS256 by the public key': mac({ ...H, alg: 'HS256' }),
	'HS256 that says RS256': mac(H),
	'ES256 of zeros': `${encode({ ...H, alg: 'ES256' })}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
	'RS512': sign({ ...H, alg: 'RS512' }, P),
	'another key': sign(H, P, stranger),
	'another key by a kid path': sign({ ...H, kid: '../../../../dev/null' }, P, stranger),
	'an embedded key': sign({ ...H, jwk: crypto.createPublicKey(stranger).export({ format: 'jwk' }) }, P, stranger),
	'jku': sign({ ...H, jku: 'https://example.org/k' }, P),
	'x5u': sign({ ...H, x5u: 'https://example.org/k' }, P),
	'x5c': sign({ ...H, x5c: [] }, P),
	'crit': sign({ ...H, crit: ['exp'] }, P),
	'claims that are not encoded (b64)': sign({ ...H, b64: false }, P),
	'claims that are not encoded (b64, crit)': sign({ ...H, b64: false, crit: ['b64'] }, P),
	'claims that stand elsewhere': `${head}..${signature}`,
	'claims in clear, detached': (() => {
		const h = encode({ ...H, b64: false, crit: ['b64'] });
		return `${h}..${crypto.sign('RSA-SHA256', Buffer.from(`${h}.${JSON.stringify(P)}`), key).toString('base64url')}`;
	})(),
	'a token of another purpose': sign({ ...H, typ: 'logout+jwt' }, P),
	'a typ that is no text': sign({ ...H, typ: 5 }, P),
	'none by escapes': `${encode(String.raw`{"typ":"JWT","alg":"\u006e\u006fne"}`)}.${payload}.`,
	'none by escapes, beside RS256': sign(String.raw`{"alg":"RS256","\u0061lg":"none"}`, P),
	'HS256 by escapes': mac(String.raw`{"typ":"JWT","alg":"\u0048S256"}`),
	'a kid that is a query': sign({ ...H, kid: "x' union select 1 --" }, P, stranger),
	'a kid that is a command': sign({ ...H, kid: '| /bin/true' }, P, stranger),
	'its own key in the claims': sign(H, { ...P, cnf: { jwk: crypto.createPublicKey(stranger).export({ format: 'jwk' }) } }, stranger),
	'another issuer': sign(H, { ...P, iss: 'https://example.org' }),
	'no issuer': sign(H, without('iss')),
	'another audience': sign(H, { ...P, aud: 'other' }),
	'two audiences': sign(H, { ...P, aud: [P.aud, 'other'] }),
	'no audience': sign(H, without('aud')),
	'no scopes': sign(H, without('scopes')),
	'no jti': sign(H, without('jti')),
	'exp as a string': sign(H, { ...P, exp: String(P.exp) }),
	'exp of 1e18': withText(/"exp":\d+/, '"exp":1e18'),
	'no exp': sign(H, without('exp')),
	'expired': sign(H, { ...P, exp: now - 60 }),
	'a lifetime too long': sign(H, { ...P, iat: now, exp: now + 13 * 3600 }),
	'nbf in the future': sign(H, { ...P, nbf: now + 3600 }),
	'nbf of -1e18 and no exp': sign(H, { ...without('exp'), nbf: -1e18 }),
	'an exp before its iat': sign(H, { ...P, iat: now, exp: now - 1 }),
	'exp that is not a number': withText(/"exp":\d+/, '"exp":NaN'),
	'iat in the future': sign(H, { ...P, iat: now + 3600 }),
	'five parts': `${good}.a.b`,
	'two parts': `${head}.${payload}`,
	'one part': 'abc',
	'padding': `${good}==`,
	'base64url that is not canonical': `${head}.${payload}.${notCanonical}`,
	'a claim twice': withText('{', '{"sub":"1",'),
	'a claim twice, escaped': withText('{', '{"\\u0073ub":"1",'),
	'a header twice': sign(JSON.stringify(H).replace('{', '{"alg":"none",'), P),
	'a session cookie (sxp)': sign(H, { ...P, sxp: now }),
	'a session cookie (CAToken)': sign(H, { ...P, CAToken: 'x' }),
	'a sub that is a name': sign(H, { ...P, sub: 'Alice' }),
	'a sub with zeros before it': sign(H, { ...P, sub: `0${P.sub}` }),
	'a sub that is a number': sign(H, { ...P, sub: Number(P.sub) }),
	'a sub of another scope': sign(H, { ...P, sub: `mw:other:${P.sub}` }),
	'bytes after the claims': sign(H, `${JSON.stringify(P)} x`),
	'claims of 1,000 levels': sign(H, `${'['.repeat(1000)}${']'.repeat(1000)}`),
	'more than 4,096 bytes': sign(H, { ...P, more: 'a'.repeat(5000) }),
};

const bodyOf = answer => JSON.stringify({ ...answer.body, instance: null });
const ask = token => call({ authorization: `Bearer ${token}` }, 'GET', '/v1/me');

test('a genuine token is accepted in each form it may have', async () => {
	for (const token of [good, sign(H, { ...P, aud: [P.aud] }), sign(H, { ...P, sub: `mw:demo:${P.sub}` }),
		withText(/"exp":\d+/, `"exp":${now + 600}.5`), sign(H, { ...P, nbf: now + 20, iat: now + 20 })]) {
		assert.equal((await ask(token)).status, 200);
	}
});

for (const [name, token] of Object.entries(forged)) {
	test(`a forged token is refused like every other: ${name}`, async () => {
		const [answer, other] = [await ask(token), await ask('x.y.z')];
		assert.equal(answer.status, 401);
		assert.equal(bodyOf(answer), bodyOf(other));
		assert.equal(answer.headers['www-authenticate'], other.headers['www-authenticate']);
	});
}

test('the demo issuer is believed only where Host is a loopback address', async () => {
	for (const host of ['example.org', '127.0.0.1.example.org', '192.168.1.1', '2130706433']) {
		assert.notEqual((await call('functionary', 'GET', '/v1/me', { headers: { Host: host } })).status, 200, host);
	}
});

// Emergencies -------------------------------------------------------------------------------------

const urgent = { lane: 'emergency', harm_type: 'physical_harm', details: 'Somebody is in danger.' };
const garbage = [5, null, true, 'x', {}, [], [5], [null], [{}], [{ user: 5 }], 'x'.repeat(20000)];
const optional = ['wiki', 'category', 'lang', 'respondents', 'targets', 'incidents', 'about_functionary', 'harmed',
	'extra', 'contain', 'privacy', 'identity', 'publish_after', 'exclude_handlers', 'contact', 'region', 'filed_for',
	'minor_at_risk'];

async function isAccepted(body, { who = null, ...options } = {}) {
	const answer = await call(who, 'POST', '/v1/reports', { key: null, body, ...options });
	assert.equal(answer.status, 201, `${JSON.stringify(body).slice(0, 200)}: ${answer.text.slice(0, 400)}`);
	assert.equal(answer.body.state, 'escalated');
}

for (const name of optional) {
	test(`an emergency is accepted whatever ${name} is`, async () => {
		for (const value of garbage) {
			await isAccepted({ ...urgent, [name]: value });
		}
	});
}

test('an emergency is accepted with whatever credential, key and member', async () => {
	for (const authorization of ['Bearer x.y.z', 'Basic xx', 'Receipt AAAA', `Bearer ${forged.expired}`]) {
		await isAccepted(urgent, { who: { authorization } });
	}
	await isAccepted(urgent, { key: 'short' });
	await isAccepted({ ...urgent, state: 'closed', reporter_id: 'x' });
	await isAccepted({ ...urgent, details: '\u{1f600}'.repeat(4000) });
	await isAccepted({ minor_at_risk: true, details: 'A child.' });
});
