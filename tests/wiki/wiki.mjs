// The tests' wiki: a real MediaWiki under `php -S` with a database of this run's own, its people, and
// visitors with cookies who log in, consent and get tokens as a browser would. Every wait has a limit.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { closeSync, cpSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';

const here = new URL('.', import.meta.url).pathname.replace(/\/$/, '');
const need = name => process.env[name] ?? assert.fail(`${name} is not set: run this through tests/run`);
const cache = need('CONDUCTD_WIKI_CACHE');
export const wikiPort = Number(need('CONDUCTD_WIKI_PORT'));
/** What everybody calls the wiki: another host to a browser than the daemon at 127.0.0.1, and loopback to both. */
export const wikiOrigin = `http://localhost:${wikiPort}`;
/** This run's directory: database, settings, keys and logs. */
export const wikiDir = need('CONDUCTD_WIKI_DIR');
const pidFile = `${wikiDir}/php.pid`;
const environment = { ...process.env, MW_INSTALL_PATH: `${cache}/w`, MW_CONFIG_FILE: `${here}/LocalSettings.php`,
	CONDUCTD_WIKI: wikiDir, PHP_CLI_SERVER_WORKERS: '3' };

let settings = {};
let process_;

/** Changes settings of the OAuth double; the next request sees them. */
export function configure(oauth) {
	settings = { server: wikiOrigin, oauth: { ...settings.oauth, ...oauth } };
	writeFileSync(`${wikiDir}/settings.json.new`, JSON.stringify(settings));
	renameSync(`${wikiDir}/settings.json.new`, `${wikiDir}/settings.json`);
}

/** A new RSA key: {private, public} as files in the directory. */
export function makeKey(name) {
	const pair = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
		publicKeyEncoding: { type: 'spki', format: 'pem' } });
	const files = { private: `${wikiDir}/${name}.key`, public: `${wikiDir}/${name}.pub` };
	writeFileSync(files.private, pair.privateKey, { mode: 0o600 });
	writeFileSync(files.public, pair.publicKey, { mode: 0o644 });
	return files;
}

/** One HTTP exchange without following anything: {status, headers, text, body}. */
export function ask(method, url, { headers = {}, form, raw, timeout = 15000 } = {}) {
	const bytes = form ? new URLSearchParams(form).toString() : raw;
	const all = { ...headers };
	if (form) {
		all['Content-Type'] = 'application/x-www-form-urlencoded';
	}
	if (bytes !== undefined) {
		all['Content-Length'] = Buffer.byteLength(bytes);
	}
	const { port, pathname, search, host } = new URL(url);
	return new Promise((resolve, reject) => {
		const request = http.request({ agent: false, host: '127.0.0.1', port, method, path: pathname + search,
			headers: { Host: host, ...all }, timeout }, response => {
			const chunks = [];
			response.on('data', chunk => chunks.push(chunk));
			response.on('error', reject);
			response.on('end', () => {
				const text = Buffer.concat(chunks).toString('utf8');
				let body;
				try {
					body = JSON.parse(text);
				} catch {
					body = undefined;
				}
				resolve({ status: response.statusCode, headers: response.headers, text, body });
			});
		});
		request.on('timeout', () => request.destroy(new Error(`${method} ${url}: no answer in ${timeout} ms`)));
		request.on('error', reject);
		request.end(bytes);
	});
}

/** The server of a file that was ended before it could stop it. */
function endLeftOver() {
	try {
		process.kill(-Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
	} catch {
		// There is none.
	}
}

/** A fresh database and a running server; or the one there is, started again when it does not run. */
export async function startWiki({ fresh = true } = {}) {
	if (fresh) {
		await stopWiki();
		endLeftOver();
		rmSync(wikiDir, { recursive: true, force: true });
		mkdirSync(wikiDir, { recursive: true });
		cpSync(`${cache}/empty`, wikiDir, { recursive: true });
		settings = {};
		configure({ key: makeKey('wiki').private });
	}
	if (process_) {
		return undefined;
	}
	const log = openSync(`${wikiDir}/php.log`, 'a');
	process_ = spawn('php', ['-d', 'opcache.enable_cli=1', '-d', 'memory_limit=256M', '-d', 'display_errors=0',
		'-S', `127.0.0.1:${wikiPort}`, '-t', `${cache}/w`, `${here}/router.php`],
	{ detached: true, stdio: ['ignore', log, log], env: environment });
	closeSync(log);
	writeFileSync(pidFile, `${process_.pid}`);
	for (const started = Date.now(); ;) {
		const answer = await ask('GET', `${wikiOrigin}/api.php?action=query&meta=siteinfo&format=json`).catch(() => undefined);
		assert.equal(process_.exitCode, null, `the wiki's server ended; ${wikiDir}/php.log`);
		if (answer?.body?.query) {
			return answer.body.query.general;
		}
		assert.ok(Date.now() - started < 30000, `the wiki does not start; ${wikiDir}/php.log`);
		await new Promise(resolve => setTimeout(resolve, 50));
	}
}

/** Ends the server with its workers. */
export async function stopWiki() {
	const child = process_;
	process_ = undefined;
	if (child && child.exitCode === null && child.signalCode === null) {
		const ended = new Promise(resolve => child.once('exit', resolve));
		process.kill(-child.pid, 'SIGKILL');
		await ended;
	}
	rmSync(pidFile, { force: true });
}

/** One act of maintenance: act('rename', 'Nora Newname', 'Nora Other'). */
export function act(what, name, to) {
	const { status, stdout, stderr } = spawnSync('php', [`${here}/seed.php`, '--conf', `${here}/LocalSettings.php`,
		'--do', what, '--name', name, ...(to ? ['--to', to] : [])], { env: environment, encoding: 'utf8', timeout: 30000 });
	assert.equal(status, 0, `${what} ${name}: ${stdout}${stderr}`);
}

/** How often an endpoint was asked so far, and the last User-Agent. */
export function requests(endpoint) {
	let lines = [];
	try {
		lines = readFileSync(`${wikiDir}/requests.log`, 'utf8').split('\n').filter(line => line.startsWith(`${endpoint} `));
	} catch {
		// Nobody asked anything yet.
	}
	return { n: lines.length, agent: lines.at(-1)?.slice(endpoint.length + 1) };
}

/** A PKCE pair (RFC 7636). */
export function pkce() {
	const verifier = randomBytes(32).toString('base64url');
	return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

export const claimsOf = token => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());

/** Somebody with a cookie jar on the wiki. */
export class Visitor {
	#cookies = new Map();

	async ask(method, path, options = {}) {
		const cookies = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
		const answer = await ask(method, `${wikiOrigin}${path}`,
			{ ...options, headers: { ...(cookies ? { Cookie: cookies } : {}), ...options.headers } });
		for (const line of answer.headers['set-cookie'] ?? []) {
			const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
			this.#cookies.set(name, value);
		}
		return answer;
	}

	/** Logs in for real; the session is the wiki's. */
	async login(name) {
		const tokens = await this.ask('GET', '/api.php?action=query&meta=tokens&type=login&format=json');
		const answer = await this.ask('POST', '/api.php', { form: { format: 'json', action: 'clientlogin', username: name,
			password: `${name}-Pass!`, logintoken: tokens.body.query.tokens.logintoken, loginreturnurl: `${wikiOrigin}/` } });
		assert.equal(answer.body?.clientlogin?.status, 'PASS', answer.text);
		return this;
	}

	/** Where oauth2/authorize sends this visitor. */
	async authorize(client, parameters = {}) {
		const query = new URLSearchParams({ response_type: 'code', client_id: client, ...parameters });
		return this.ask('GET', `/rest.php/oauth2/authorize?${query}`);
	}

	/** The code for a client, with its PKCE verifier. */
	async code(client, parameters = {}) {
		const { verifier, challenge } = pkce();
		const answer = await this.authorize(client, { code_challenge: challenge, code_challenge_method: 'S256', ...parameters });
		const location = new URL(answer.headers.location ?? assert.fail(answer.text));
		return { code: location.searchParams.get('code') ?? assert.fail(location.href), verifier, location };
	}

	/** All that oauth2/access_token answers for a client. */
	async tokens(client) {
		const { code, verifier } = await this.code(client);
		const answer = await redeem(client, { code, code_verifier: verifier });
		assert.equal(answer.status, 200, answer.text);
		return answer.body;
	}

	async token(client) {
		return (await this.tokens(client)).access_token;
	}

	async revoke(client) {
		const answer = await this.ask('POST', '/rest.php/oauth2/revoke', { form: { client_id: client } });
		assert.equal(answer.status, 200, answer.text);
	}
}

/** POST oauth2/access_token for a code. */
export function redeem(client, form) {
	const secret = settings.oauth.clients[client]?.secret;
	return ask('POST', `${wikiOrigin}/rest.php/oauth2/access_token`, { form: { grant_type: 'authorization_code',
		client_id: client, ...(secret ? { client_secret: secret } : {}), ...form } });
}

/** GET oauth2/resource/profile with a token. */
export function profile(token) {
	return ask('GET', `${wikiOrigin}/rest.php/oauth2/resource/profile`, { headers: { Authorization: `Bearer ${token}` } });
}

/** A visitor who is logged in. */
export const visit = name => new Visitor().login(name);
