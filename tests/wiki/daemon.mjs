// The daemon of this suite: the stack's database, and configurations of the tests' own, most with the
// tests' wiki as issuer. Parts and waits are those of the fault suite.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Daemon, build, conductctl, ownFile, postgres, until, writeConfig } from '../fault/parts.mjs';
import { base, call, hangUp, stack } from '../harness/api.mjs';
import { wikiOrigin } from './wiki.mjs';

export { base, postgres, until };
export const daemonOrigin = base.origin;
export const SECRET = 'a secret & more';
/** Two for the web, the worker and the vault. */
const PROCESSES = 4;
const clockFile = `${stack}/wiki-clock`;

/** The clients as the wiki knows them; `config` is what the daemon is told. */
export const clients = {
	'pages-client': { callback: `${daemonOrigin}/v1/auth/callback`, secret: SECRET },
	'full-client': { callback: 'https://full.invalid/callback' },
	'report-client': { callback: 'https://report.invalid/callback' },
	'foreign-client': { callback: 'https://foreign.invalid/callback' },
};

/** A public key where the daemon can read it. */
export const giveKey = file => ownFile(`${stack}/${file.split('/').at(-1)}`, readFileSync(file), 0o644);

/** The `issuers` section for the tests' wiki. keys: files, or none for verify: profile-only; wiki: which it is. */
export function issuerOf({ keys, scope = 'local:wiki', lifetime = '4h', wiki }) {
	const secret = ownFile(`${stack}/wiki.secret`, `${SECRET}\n`);
	return `contact: "tests@conductd.invalid"
public_url: "${daemonOrigin}"
issuers:
  - name: testwiki
    iss: "${wikiOrigin}"
    scope: "${scope}"
${keys ? `    keys: [${keys.map(key => `"${giveKey(key)}"`).join(', ')}]` : '    verify: profile-only'}
    lifetime_max: ${lifetime}
    profile: "${wikiOrigin}/rest.php/oauth2/resource/profile"
    authorize: "${wikiOrigin}/rest.php/oauth2/authorize"
    access_token: "${wikiOrigin}/rest.php/oauth2/access_token"
    api: "${wikiOrigin}/api.php"
${wiki ? `    rest: "${wikiOrigin}/rest.php"\n    wikis: [${wiki}]` : ''}
    clients:
      - {id: "pages-client", scope: full, login: true, secret_file: "${secret}"}
      - {id: "full-client", scope: full}
      - {id: "report-client", scope: report}
`;
}

/** The stack's configuration with other issuers and `more`, in a file of that name. */
export function configOf(name, { issuers, more = '' } = {}) {
	const edit = text => issuers ? text.replace(/^issuers:\n(?: .*\n)*/m, () => issuers) : text;
	return writeConfig(name, edit, `processes: {web: 2, drain: 5s}\n${more}`);
}

function loadedClock() {
	ownFile(clockFile, Buffer.alloc(8), 0o644);
	const library = ownFile(`${stack}/clock.so`, readFileSync(`${build}/tests/wiki/clock.so`), 0o755);
	// The sanitizer wants to be first among the libraries, but can do without.
	return { LD_PRELOAD: library, CONDUCTD_CLOCK: clockFile,
		ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0` };
}

/** The daemon's clock goes on by so many seconds at once; real time is not needed for it. */
export function passTime(seconds) {
	const bytes = readFileSync(clockFile);
	bytes.writeBigInt64LE(bytes.readBigInt64LE() + BigInt(seconds));
	writeFileSync(clockFile, bytes, { flag: 'r+' });
	// What was idle is so for too long now.
	hangUp();
}

let running;

/** Starts PostgreSQL and the daemon with a configuration of configOf(). */
export async function startDaemon(config, name = 'wiki') {
	await postgres.start();
	running = new Daemon(config, { name: `conductd-${name}`, environment: loadedClock() }).start();
	await running.ready(30000);
	return running;
}

/** Ends both, whatever the test left. */
export async function stopDaemon() {
	const daemon = running;
	running = undefined;
	try {
		await daemon?.stop();
	} finally {
		await daemon?.kill();
		postgres.stop();
	}
}

/** Makes the daemon read its files again, and waits until all its processes have. */
export async function reload(daemon) {
	const since = daemon.lines().length;
	daemon.signal('SIGHUP');
	await until(() => `all processes have read it again\n${daemon.tail()}`,
		() => daemon.lines().slice(since).filter(line => line.message === 'reloaded').length >= PROCESSES);
	hangUp();
}

/** A request with a wiki's token. */
export const callWith = (token, method, path, options) => call({ authorization: `Bearer ${token}` }, method, path, options);

/** Gives a role as an operator does, to somebody who was seen. */
export function grant(config, person, role, body) {
	const { status, stdout, stderr } = conductctl('-c', config, 'grant', '--person', person, '--role', role,
		...(body ? ['--body', body] : []), '--until', '2099-01-01T00:00:00Z');
	assert.equal(status, 0, stdout + stderr);
}
