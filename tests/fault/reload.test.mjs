// What the daemon is told and what it finds: HUP with good, bad and fast-changing files, TERM with work
// under way, and starts that must be refused with a message that says what to do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import test, { after, afterEach, before } from 'node:test';
import { call, expectCall, reportBody, sql } from '../harness/api.mjs';
import { Daemon, ask, conductctl, conductd, get, isListening, ownFile, port, postgres, readyz, stack, takePort, top,
	until, writeConfig } from './parts.mjs';

const limit = { timeout: 180000 };
const policy = `${stack}/policy-copy`;
let daemon;

/** A set of our own, with the revision that the published one has. */
function copyPolicy() {
	rmSync(policy, { recursive: true, force: true });
	cpSync(`${top}/policy/data`, policy, { recursive: true });
	spawnSync('chmod', ['-R', 'a+rX', policy]);
}

function editPolicy(file, edit) {
	const path = `${policy}/${file}`;
	const text = readFileSync(path, 'utf8');
	const changed = edit(text);
	assert.notEqual(changed, text, `${file} is as it was`);
	writeFileSync(path, changed);
}

const setRevision = n => editPolicy('manifest.yaml', text => text.replace(/^revision: \d+$/m, `revision: ${n}`));
const own = text => text.replace(/policy_path: .*/, `policy_path: ["${policy}"]`);
const published = () => get('/v1/policy').then(answer => answer.body);
const revision = async () => Number((await published())?.revision);

/** Starts the daemon of the test at hand; it is ended after it. */
function start(config, options) {
	daemon = new Daemon(config, options).start();
	return daemon;
}

before(async () => {
	await postgres.start();
	copyPolicy();
});

afterEach(async () => {
	if (daemon) {
		await daemon.kill();
		daemon.check();
		daemon = undefined;
	}
});

after(() => postgres.stop());

/** A start that must end by itself: its status and what it said. */
async function refused(config) {
	start(config);
	const end = await daemon.ended;
	const text = readFileSync(daemon.log_file, 'utf8');
	assert.equal(end.code, 1, text);
	return text;
}

// HUP ---------------------------------------------------------------------------------------------

test('HUP takes a policy of a higher revision and a changed configuration', limit, async () => {
	start(writeConfig('reload', own));
	await daemon.ready();
	const old = await revision();
	const host = { Host: 'desk.example' };
	assert.notEqual((await get('/v1/policy', { headers: host })).status, 200);
	const children = daemon.children();

	setRevision(old + 1);
	writeConfig('reload', text => `${own(text)}host_names: [desk.example]\n`);
	daemon.signal('SIGHUP');
	await until('the new revision is published', async () => await revision() === old + 1);
	await until('the new host name is served', async () => (await get('/v1/policy', { headers: host })).status === 200);
	assert.deepEqual(daemon.children(), children, 'a process was started again');
	await daemon.stop();
});

test('a set that was published by hand is served after a reload, not when the processes next look', limit, async () => {
	const config = writeConfig('reload', own);
	start(config);
	await daemon.ready();
	for (let n = 0; n < 3; n++) {
		const next = await revision() + 1;
		setRevision(next);
		const { status, stderr } = conductctl('-c', config, 'policy', 'publish');
		assert.equal(status, 0, stderr);
		daemon.signal('SIGHUP');
		await until('all serve it', async () => (await Promise.all(Array.from({ length: 8 }, revision))).every(each => each === next));
	}
	await daemon.stop();
});

test('HUP with a broken policy or configuration says file, line and column and keeps the old', limit, async () => {
	const config = writeConfig('reload', own);
	start(config);
	await daemon.ready();
	const old = await published();
	const manifest = readFileSync(`${policy}/manifest.yaml`, 'utf8');
	const at = daemon.lines().length;

	writeFileSync(`${policy}/manifest.yaml`, manifest.replace(/^revision: .*$/m, 'revision: many'));
	const line = manifest.split('\n').findIndex(text => text.startsWith('revision:')) + 1;
	daemon.signal('SIGHUP');
	await daemon.heard(new RegExp(`manifest\\.yaml:${line}:\\d+: `), at);
	await daemon.heard(/reload refused/, at);
	writeFileSync(`${policy}/manifest.yaml`, manifest);

	writeConfig('reload', text => `${own(text)}log_level: loud\n`);
	const broken = readFileSync(config, 'utf8').split('\n').indexOf('log_level: loud') + 1;
	daemon.signal('SIGHUP');
	await daemon.heard(new RegExp(`${config}:${broken}:12: log_level must be one of`), at);

	rmSync(config);
	daemon.signal('SIGHUP');
	await daemon.heard(new RegExp(`${config}.* cannot be read`), at);

	writeConfig('reload', text => own(text).replace(/keys: \[.*\]/, `keys: ["${stack}/no-such.pub"]`));
	daemon.signal('SIGHUP');
	await daemon.heard(/no-such\.pub: No such file/, at);
	await until('four are counted', async () => /conductd_reloads_total\{result="refused"\} 4/
		.test((await get('/metrics', { url: new URL(`http://127.0.0.1:${port + 1}`) })).text));
	assert.deepEqual(await published(), old);
	await expectCall(200, 'functionary', 'GET', '/v1/me');
	await daemon.stop();
});

test('the same revision with other content is an error, and what is published stays in force', limit, async () => {
	const config = writeConfig('reload', own);
	start(config);
	await daemon.ready();
	const old = await published();
	const at = daemon.lines().length;
	editPolicy('manifest.yaml', text => text.replace(/^name: .*$/m, 'name: another set'));
	daemon.signal('SIGHUP');
	const line = await daemon.heard(/^policy: not published/, at);
	assert.equal(line['log.level'], 'error');
	assert.equal(line['conductd.policy.revision'], old.revision);
	assert.deepEqual(await published(), old);

	const by_hand = conductctl('-c', config, 'policy', 'publish');
	assert.equal(by_hand.status, 1);
	assert.match(by_hand.stderr, /not published: the database has revision \d+ with other content/);
	await daemon.stop();

	// A start with such a set serves what is published.
	start(config);
	await daemon.ready();
	await daemon.heard(/^policy: not published/);
	assert.deepEqual(await published(), old);
	await daemon.stop();
	setRevision(Number(old.revision) + 1);
});

test('reloads faster than they can be carried out end with the last set, and no request is lost', limit, async () => {
	start(writeConfig('reload', own));
	await daemon.ready();
	const children = daemon.children();
	let is_over = false;
	const statuses = new Map();
	const clients = Array.from({ length: 4 }, async () => {
		while (!is_over) {
			const { status, error } = await get('/v1/policy/versions');
			statuses.set(error ?? status, (statuses.get(error ?? status) ?? 0) + 1);
		}
	});
	const last = await revision() + 25;
	try {
		for (let n = last - 24; n <= last; n++) {
			setRevision(n);
			daemon.signal('SIGHUP');
			// Sometimes once more while the first is under way.
			if (n % 3 === 0) {
				await daemon.heard(/^reload(ing|ed)$/);
				daemon.signal('SIGHUP');
			}
		}
		await until(() => `revision ${last} is in force\n${daemon.tail()}`, async () => await revision() === last);
	} finally {
		is_over = true;
		await Promise.all(clients);
	}
	// What comes while the processes reload is one reload, not one after the other.
	const of_worker = daemon.lines().filter(line => line.message === 'reloaded' && line['conductd.process'] === 'worker');
	assert.ok(of_worker.length < 25, `${of_worker.length} reloads of the worker`);
	assert.deepEqual([...statuses.keys()], [200], JSON.stringify([...statuses]));
	assert.deepEqual(daemon.children(), children, daemon.tail());
	await daemon.stop();
});

test('a policy that is being fetched while the processes reload is served after it', limit, async () => {
	start(writeConfig('reload', own));
	await daemon.ready();
	const next = await revision() + 1;
	const backends = sql("select pid from pg_stat_activity where application_name = 'conductd web'").map(row => Number(row[0]));
	const nInFlight = async () => Number(/^conductd_database_calls_in_flight\{process="web"\} (\d+)$/m
		.exec((await get('/metrics', { url: new URL(`http://127.0.0.1:${port + 1}`) })).text)[1]);
	const reloaded = () => daemon.lines().filter(line => line.message === 'reloaded' && line['conductd.process'] === 'web').length;
	backends.forEach(pid => process.kill(pid, 'SIGSTOP'));
	try {
		setRevision(next);
		daemon.signal('SIGHUP');
		await until('both fetch it', async () => await nInFlight() === 2);
		daemon.signal('SIGHUP');
		await until('both have reloaded twice', () => reloaded() === 4);
	} finally {
		backends.forEach(pid => process.kill(pid, 'SIGCONT'));
	}
	// Sooner than a web process would find by itself that another one is in force.
	await until('both serve it', async () => (await Promise.all(Array.from({ length: 8 }, revision))).every(n => n === next), 10000);
	await daemon.stop();
});

// TERM --------------------------------------------------------------------------------------------

/** Holds a lock that every new report needs, in a session of its own; end it with release(). */
async function holdReports() {
	const name = 'fault test';
	const hold = ask(`set application_name = '${name}'; begin; lock table conduct.report in exclusive mode;
		select pg_advisory_lock(1), pg_sleep(60)`);
	const count = async text => Number((await ask(text))?.[0]?.[0]);
	await until('the lock is held', async () => await count(`select count(*) from pg_locks l join pg_stat_activity a
		using (pid) where a.application_name = '${name}' and l.mode = 'ExclusiveLock' and l.relation is not null`) > 0);
	return {
		async isAwaited() {
			return await count("select count(*) from pg_locks where not granted and relation = 'conduct.report'::regclass") > 0;
		},
		async release() {
			await ask(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = '${name}'`);
			await hold;
		},
	};
}

test('TERM: what is under way is finished, what is new is refused, the status is 0', limit, async () => {
	start(writeConfig('reload', own));
	await daemon.ready();
	const lock = await holdReports();
	const key = '2f1d6f7e-94c5-4a15-9f0a-5d2f3b7a9c01';
	const answer = call('reporter', 'POST', '/v1/reports', { body: reportBody(), key });
	await until('the report waits in the database', () => lock.isAwaited());
	daemon.signal('SIGTERM');
	await until('new connections are refused', async () => !await isListening(port));
	assert.equal(daemon.process.exitCode, null, 'it ended before its work was done');
	await lock.release();
	const { status, body } = await answer;
	assert.equal(status, 201);
	assert.deepEqual(await daemon.ended, { code: 0, signal: null });
	assert.deepEqual(sql(`select count(*) from conduct.report where report_id = '${body.report}'`), [['1']]);
	assert.equal(daemon.children().size, 0);
});

test('TERM: after processes.drain what is left is ended, and the key resolves it', limit, async () => {
	const config = writeConfig('reload', own, 'processes: {web: 2, drain: 1s}\n');
	start(config);
	await daemon.ready();
	const lock = await holdReports();
	const key = '2f1d6f7e-94c5-4a15-9f0a-5d2f3b7a9c02';
	const body = reportBody();
	const answer = call('reporter', 'POST', '/v1/reports', { body, key }).catch(error => ({ status: 0, error }));
	await until('the report waits in the database', () => lock.isAwaited());
	const started = Date.now();
	daemon.signal('SIGTERM');
	assert.deepEqual(await daemon.ended, { code: 0, signal: null });
	assert.ok(Date.now() - started < 8000, `${Date.now() - started} ms`);
	assert.ok(daemon.said(/processes\.drain is over/));
	assert.notEqual((await answer).status, 201);
	await lock.release();

	start(config);
	await daemon.ready();
	const again = await expectCall(201, 'reporter', 'POST', '/v1/reports', { body, key });
	assert.deepEqual(sql(`select count(*) from conduct.incident i
		where i.seq = ${body.incidents.length} and i.revision_content is not null and i.report_id = '${again.body.report}'`), [['1']]);
	await daemon.stop();
});

test('a second TERM does not wait', limit, async () => {
	start(writeConfig('reload', own, 'processes: {web: 2, drain: 10min}\n'));
	await daemon.ready();
	const lock = await holdReports();
	const answer = call('reporter', 'POST', '/v1/reports', { body: reportBody() }).catch(() => ({ status: 0 }));
	await until('the report waits in the database', () => lock.isAwaited());
	daemon.signal('SIGTERM');
	await until('it drains', () => daemon.said(/^stopping$/));
	daemon.signal('SIGTERM');
	assert.deepEqual(await daemon.ended, { code: 0, signal: null });
	assert.notEqual((await answer).status, 201);
	await lock.release();
});

// Starts that are refused -------------------------------------------------------------------------

const issuer = (name, is_demo) => `  - name: ${name}
    demo: ${is_demo}
    iss: "https://${name}.example"
    scope: ${name}
    clients: [{id: c, scope: full}]
    keys: ["${stack}/demo-issuer.pub"]
${is_demo ? '' : `    profile: "https://${name}.example/w/rest.php/oauth2/resource/profile"\n`}`;
const withContact = text => `contact: ops@example.org\n${text}`;
/** The demo issuer as if it were a wiki's. */
const asWiki = text => withContact(text.replace('demo: true', 'profile: "https://w.example/p"').replace(/^ {4}people: .*\n/m, ''));

// name | edit of a good configuration | what is said, with @ for the file
const bad = [
	['a wiki without profile', text => text.replace('demo: true', 'demo: false'),
		/^@:\d+:5: issuer demo needs profile: only the wiki knows whether a token is still good/],
	['a wiki without contact', text => asWiki(text).replace(/^contact: .*\n/, ''), /^@:\d+:5: issuer demo needs contact/],
	['a wiki asked over the open network without TLS', text => asWiki(text).replace('https://w.example', 'http://w.example'),
		/^@:\d+:\d+: profile must be an address of https/],
	['a demo issuer beside another', text => withContact(text.replace('issuers:\n', `issuers:\n${issuer('wiki', false)}`)),
		/^@:\d+:5: issuer demo is a demo issuer: no other issuer may stand beside it/],
	['a demo issuer before another', text => withContact(text.replace(/processes:/, `${issuer('wiki', false)}processes:`)),
		/^@:\d+:5: issuer demo is a demo issuer: no other issuer may stand beside it/],
	['a demo issuer on every address', text => text.replace(/listen: \["127.0.0.1/, 'listen: ["0.0.0.0'),
		/^@:\d+:\d+: a demo issuer needs loopback addresses, and 0\.0\.0\.0:\d+ is none/],
	['an unknown key', text => `${text}liste: 1\n`, /^@:\d+:1: unknown key liste/],
	['an unknown key of a section', text => text.replace('{web: 2', '{wbe: 2'), /^@:\d+:13: unknown key processes\.wbe/],
	['a key twice', text => `${text}log_level: info\nlog_level: warn\n`, /^@:\d+:1: .*log_level/],
	['a tab', text => `${text}\tlog_level: info\n`, /^@:\d+:\d+: /],
	['an alias', text => `${text}log_level: *x\n`, /^@:\d+:\d+: /],
	['a number that is none', text => text.replace('web: 2', 'web: two'), /^@:\d+:\d+: processes\.web must be a whole number/],
	['a number too large', text => text.replace('web: 2', 'web: 257'), /^@:\d+:\d+: processes\.web must be from 0 to 256/],
	['a duration without unit', text => text.replace('drain: 20s', 'drain: 20'), /^@:\d+:\d+: processes\.drain must be a duration/],
	['a relative path', text => text.replace(/index_key_file: .*/, 'index_key_file: index.key'),
		/^@:\d+:17: index_key_file must be an absolute path/],
	['a password', text => text.replace('user=conduct_web', 'user=conduct_web password=x'),
		/^@:\d+:\d+: database\.web holds a password: name a passfile instead/],
	['a host name as address', text => text.replace('ops_listen: "127.0.0.1', 'ops_listen: "localhost'),
		/^@:\d+:\d+: ops_listen must be an address and port/],
	['no keys of an issuer', text => text.replace(/ {4}keys: .*\n/, ''), /^@:\d+:5: issuer demo has no keys/],
	['two documents', text => `${text}---\na: 1\n`, /^@:\d+:\d+: /],
	['no mapping', () => '- 1\n', /^@:1:1: the configuration must be a mapping/],
];

for (const [name, edit, message] of bad) {
	test(`conductd -n and a start refuse ${name}`, limit, async () => {
		const config = writeConfig('bad', text => {
			const changed = edit(text);
			assert.notEqual(changed, text);
			return changed;
		});
		const expected = new RegExp(message.source.replaceAll('@', config));
		const checked = conductd('-n', '-c', config);
		assert.equal(checked.status, 1, checked.stderr);
		assert.match(checked.stderr, expected);
		assert.equal(checked.stderr.trim().split('\n').length, 1);
		assert.match(await refused(config), expected);
	});
}

test('conductd -n finds nothing wrong with the stack, and the shipped file is read', limit, () => {
	for (const config of [writeConfig('good'), `${stack}/conductd.yaml`]) {
		assert.deepEqual(conductd('-n', '-c', config), { status: 0, signal: null, stdout: '', stderr: '' });
	}
	const shipped = ownFile(`${stack}/shipped.yaml`, readFileSync(`${top}/packaging/config/conductd.yaml`), 0o644);
	assert.equal(conductd('--dump-config', '-c', shipped).status, 0);
	assert.equal(conductd('-n', '-c', `${stack}/none.yaml`).status, 1);
	assert.match(conductd('-n', '-c', `${stack}/none.yaml`).stderr, /none\.yaml: cannot be read: No such file/);
	for (const [words, said] of [[['--loud'], 'unknown argument --loud'], [['-n', '-c'], 'a file is missing behind -c']]) {
		const { status, stderr } = conductd(...words);
		assert.equal(status, 2);
		assert.ok(stderr.startsWith(`conductd: ${said}\nusage: conductd `), stderr);
	}
});

test('conductctl takes no option that it does not have for a file', limit, () => {
	for (const words of [['policy', 'check'], ['policy', 'diff', stack], ['wikis', 'import'], ['audit', 'verify'], ['erase', 'replay'],
		['demo', 'people'], ['policy', 'show', '--wiki', 'enwiki'], ['keys', 'rotate']]) {
		const { status, stderr } = conductctl(...words, '--loud');
		assert.equal(status, 2, words.join(' '));
		assert.match(stderr, /^conductctl: [a-z]+ [a-z]+: unknown argument --loud\n$/);
	}
});

test('what --dump-config prints is a configuration with the same meaning', limit, () => {
	const config = writeConfig('good', text => `${text}host_names: ["a.example", b.example]\nlog_level: warn\n`);
	const first = conductd('--dump-config', '-c', config);
	assert.equal(first.status, 0, first.stderr);
	assert.match(first.stdout, /^ {2}drain: 20s$/m);
	const again = conductd('--dump-config', '-c', ownFile(`${stack}/dumped.yaml`, first.stdout, 0o644));
	assert.equal(again.status, 0, again.stderr);
	assert.equal(again.stdout, first.stdout);
	// A default that the file does not name is there as well.
	assert.match(first.stdout, /deadlines: 5s/);
});

const badKeys = [
	['is missing', path => rmSync(path, { force: true }), /there is no such file: make it with `conductctl keys init`/],
	['can be read by others', path => chmodSync(path, 0o640), /must be readable by its owner alone \(mode 0600\)/],
	['is cut short', path => ownFile(path, readFileSync(path, 'utf8').slice(0, 40)), /does not hold 64 hex digits/],
	['holds something else', path => ownFile(path, `${'g'.repeat(64)}\n`), /does not hold 64 hex digits/],
];

for (const [name, spoil, message] of badKeys) {
	test(`an index key file that ${name} stops the start`, limit, async () => {
		const path = `${stack}/private/spoilt.key`;
		rmSync(path, { force: true });
		ownFile(path, readFileSync(`${stack}/private/index.key`));
		spoil(path);
		const text = await refused(writeConfig('key', all => all.replace(/index_key_file: .*/, `index_key_file: "${path}"`)));
		assert.match(text, message);
		assert.ok(text.includes(path));
	});
}

test('an issuer key that is missing or none stops the start', limit, async () => {
	const path = `${stack}/spoilt.pub`;
	const config = writeConfig('key', text => text.replace(/keys: \[.*\]/, `keys: ["${path}"]`));
	rmSync(path, { force: true });
	assert.match(await refused(config), /spoilt\.pub: No such file/);
	ownFile(path, 'none', 0o644);
	assert.match(await refused(config), /spoilt\.pub: not the PEM text of an RSA public key/);
});

test('a port that is taken stops the start, whichever it is', limit, async () => {
	const config = writeConfig('port');
	for (const number of [port, port + 1]) {
		const release = await takePort(number);
		try {
			assert.match(await refused(config), new RegExp(`cannot listen on 127\\.0\\.0\\.1:${number}: Address already in use`));
		} finally {
			await release();
		}
	}
});

test('a second daemon on the same ports ends, and the first serves on', limit, async () => {
	const config = writeConfig('port');
	const first = new Daemon(config).start();
	try {
		await first.ready();
		assert.match(await refused(config), /cannot listen on 127\.0\.0\.1:\d+: Address already in use/);
		assert.equal((await get('/v1/policy')).status, 200);
		await first.stop();
	} finally {
		await first.kill();
	}
});

// What it finds of the database -------------------------------------------------------------------

const failing = answer => (answer.body?.checks ?? []).filter(check => !check.ok).map(check => check.name);

test('without a database it starts, is not ready, and is when the database comes', limit, async () => {
	postgres.stop();
	try {
		start(writeConfig('late'));
		await until('it answers', async () => (await readyz()).status === 503);
		await until('it says what is missing', async () => failing(await readyz()).includes('database'));
		assert.equal((await readyz()).body.takes_reports, false);
		assert.equal((await get('/healthz', { url: new URL(`http://127.0.0.1:${port + 1}`) })).status, 200);
		const answer = await call('reporter', 'POST', '/v1/reports', { body: reportBody() });
		assert.equal(answer.status, 503);
		assert.ok(answer.headers['retry-after']);
	} finally {
		await postgres.start();
	}
	await daemon.ready();
	await expectCall(201, 'reporter', 'POST', '/v1/reports', { body: reportBody() });
	await daemon.stop();
});

test('without the vault it is not ready, says that reports are taken, and takes them', limit, async () => {
	start(writeConfig('vaultless'));
	await daemon.ready();
	const vault = daemon.children().get('vault');
	process.kill(vault, 'SIGSTOP');
	try {
		const { status, body } = await readyz();
		assert.equal(status, 503);
		assert.deepEqual(failing({ body }), ['vault']);
		assert.equal(body.takes_reports, true);
		assert.equal((await get('/healthz', { url: new URL(`http://127.0.0.1:${port + 1}`) })).status, 200);
		await expectCall(201, 'reporter', 'POST', '/v1/reports', { body: reportBody() });
	} finally {
		process.kill(vault, 'SIGCONT');
	}
	await daemon.ready();
	assert.equal((await readyz()).body.takes_reports, true);
	await daemon.stop();
});

for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit']) {
	test(`a server with ${setting}=off is not written to`, limit, async () => {
		postgres.stop();
		await postgres.start([`${setting}=off`]);
		try {
			const [[n]] = sql('select count(*) from conduct.report');
			start(writeConfig('lossy'));
			await daemon.heard(/^database: the server gets no call$/);
			const ready = await until('it says so', async () => {
				const answer = await readyz();
				return failing(answer).includes('database') && answer;
			});
			assert.equal(ready.status, 503);
			assert.match(ready.body.checks.find(check => check.name === 'database').detail,
				/^fsync, full_page_writes or synchronous_commit is off: turn them on$/);
			assert.equal((await call('reporter', 'POST', '/v1/reports', { body: reportBody() })).status, 503);
			assert.deepEqual(sql('select count(*) from conduct.report'), [[n]]);
			await daemon.stop();
		} finally {
			postgres.stop();
			await postgres.start();
		}
	});
}

test('a shifted clock is refused without a demo issuer', limit, async () => {
	sql('update conduct.clock_offset set shift_seconds = 3600');
	try {
		start(writeConfig('clock', text => text.replace(/issuers:\n(.*\n)*(?=processes)/, 'issuers: []\n')));
		await until('the check of the clock fails', async () => failing(await readyz()).includes('clock'));
		assert.deepEqual((await readyz()).status, 503);
	} finally {
		sql('update conduct.clock_offset set shift_seconds = 0');
	}
	await daemon.ready();
	await daemon.stop();
});
