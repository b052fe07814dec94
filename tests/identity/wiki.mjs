// A wiki as far as conductd sees it: tokens, the profile of whoever a token names, api.php, and revisions. Each
// test says how it behaves. Nothing here is MediaWiki; how the real one answers is written in the replies.
import assert from 'node:assert/strict';
import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';

export const CONTACT = 'conduct-ops@example.org';
export const FULL = 'full-client';
export const REPORT = 'report-client';

export const REVISION = '/w/rest.php/v1/revision/';

const part = value => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

export function makeKey() {
	const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
	return { private: privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) };
}

export class Wiki {
	constructor() {
		this.key = makeKey();
		this.accounts = new Map(); // token → what the profile answers
		this.users = new Map(); // name → what api.php knows
		this.sources = new Map(); // revision → wikitext
		this.requests = [];
		this.looked = []; // the names of each request to api.php
		this.profile = undefined; // (request, response): instead of the truth
		this.api = undefined;
		this.revision = undefined; // (response, id): instead of the truth
	}

	async start(port = 0) {
		this.server = http.createServer((request, response) => this.answer(request, response));
		await new Promise((resolve, reject) => {
			this.server.once('error', reject);
			this.server.listen(port, '127.0.0.1', resolve);
		});
		this.port = this.server.address().port;
		this.iss = `http://127.0.0.1:${this.port}`;
		return this;
	}

	async stop() {
		this.server.closeAllConnections();
		await new Promise(resolve => { this.server.close(resolve); });
	}

	/** The issuer as the configuration names it. */
	issuer({ keys = [], verify = 'token', name = 'fake', scope = 'CentralAuth', more = '' } = {}) {
		return `issuers:
  - name: ${name}
    iss: "${this.iss}"
    scope: "${scope}"
    verify: ${verify}
    clients: [{id: ${FULL}, scope: full}, {id: ${REPORT}, scope: report}]
    keys: [${keys.map(file => `"${file}"`).join(', ')}]
    profile: "${this.iss}/w/rest.php/oauth2/resource/profile"
    api: "${this.iss}/w/api.php"
${more}`;
	}

	/** A token of the shape that Extension:OAuth gives; the profile knows it unless told otherwise. */
	token({ id, name, client = FULL, claims = {}, key = this.key, isKnown = true, ...more }) {
		const now = Date.now() / 1000;
		const all = { aud: client, jti: randomBytes(40).toString('hex'), iat: now, nbf: now, exp: now + 3600, sub: String(id),
			iss: this.iss, scopes: ['mwoauth-authonly'], ...claims };
		const head = `${part({ typ: 'JWT', alg: 'RS256' })}.${part(all)}`;
		const token = `${head}.${createSign('sha256').update(head).sign(key.private).toString('base64url')}`;
		if (isKnown) {
			this.accounts.set(token, { sub: String(id), ...name !== undefined && { username: name }, editcount: 7,
				confirmed_email: true, blocked: false, groups: ['*', 'user'], rights: [], grants: ['mwoauth-authonly'], ...more });
		}
		return token;
	}

	revoke(token) {
		this.accounts.delete(token);
	}

	asked(path) {
		return this.requests.filter(one => one.path.startsWith(path));
	}

	answer(request, response) {
		const url = new URL(request.url, this.iss);
		this.requests.push({ path: url.pathname, query: url.searchParams, headers: request.headers, method: request.method });
		if (url.pathname === '/w/rest.php/oauth2/resource/profile') {
			(this.profile ?? this.truth).call(this, request, response);
		} else if (url.pathname.startsWith(REVISION)) {
			(this.revision ?? this.tell).call(this, response, Number(url.pathname.slice(REVISION.length)));
		} else if (url.pathname === '/w/api.php') {
			const chunks = [];
			request.on('data', chunk => chunks.push(chunk));
			request.on('end', () => (this.api ?? this.look).call(this, request, response,
				new URLSearchParams(Buffer.concat(chunks).toString())));
		} else {
			reply(response, 404, { error: 'no such page' });
		}
	}

	truth(request, response) {
		const profile = this.accounts.get((request.headers.authorization ?? '').replace(/^Bearer /, ''));
		if (profile) {
			// JSON that calls itself HTML, as the real one.
			reply(response, 200, profile, 'text/html; charset=UTF-8');
		} else {
			reply(response, 401, { error: 'access_denied', error_description: 'The resource owner or authorization server denied '
				+ 'the request.', hint: 'Access token has been revoked' });
		}
	}

	/** A revision as MediaWiki's REST API has it, or its refusal. */
	tell(response, id) {
		const source = this.sources.get(id);
		if (source === undefined) {
			reply(response, 404, { errorKey: 'rest-nonexistent-revision', httpCode: 404, httpReason: 'Not Found',
				messageTranslations: { en: `The specified revision (${id}) does not exist` } });
		} else {
			reply(response, 200, { id, size: Buffer.byteLength(source), minor: false, timestamp: '2026-11-20T10:00:00Z',
				content_model: 'wikitext', page: { id: 7, key: 'Talk:Here', title: 'Talk:Here' },
				license: { url: '', title: '' }, user: { id: 12, name: 'Somebody' }, comment: 'taunts', delta: null, source });
		}
	}

	look(request, response, query) {
		assert.equal(query.get('formatversion'), '2');
		assert.equal(query.get('ususers')[0], '\x1f');
		const names = query.get('ususers').slice(1).split('\x1f');
		assert.ok(names.length <= 50);
		this.looked.push(names);
		reply(response, 200, { batchcomplete: true, query: { users: names.map(name => {
			const known = this.users.get(name);
			return known ? { userid: 5, name, ...known } : { name, missing: true };
		}) } });
	}
}

export function reply(response, status, body, type = 'application/json; charset=utf-8', headers = {}) {
	const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
	response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length, ...headers });
	response.end(bytes);
}

/** A central id as action=query&list=users&usprop=centralids tells it. */
export const central = id => ({ centralids: { CentralAuth: id, local: 5 }, attachedlocal: { CentralAuth: true, local: true } });
