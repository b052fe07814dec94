// The Debian package: built, without fault, with everything in it; with EFFORT=full also its whole life in
// a fresh tree (tests/package/cycle).
import test from 'node:test';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const top = new URL('../../', import.meta.url).pathname;
const dir = `${top}build/deb`;
const options = { timeout: 300000, maxBuffer: 1 << 26, env: { ...process.env, DEB_BUILD_OPTIONS: 'noautodbgsym', LC_ALL: 'C.UTF-8' } };
let deb;

const FILES = ['/usr/sbin/conductd', '/usr/bin/conductctl', '/etc/conductd/conductd.yaml', '/etc/default/conductd',
	'/lib/systemd/system/conductd.service', '/lib/systemd/system/conductd.socket', '/usr/lib/sysusers.d/conductd.conf',
	'/usr/lib/tmpfiles.d/conductd.conf', '/usr/share/man/man8/conductd.8.gz', '/usr/share/man/man8/conductctl.8.gz',
	'/usr/share/man/man5/conductd.yaml.5.gz', '/usr/share/conductd/policy/base.yaml', '/usr/share/conductd/policy/manifest.yaml',
	'/usr/share/doc/conductd/README.Debian', '/usr/share/doc/conductd/copyright',
	'/usr/share/doc/conductd/examples/proxy/nginx.conf', '/usr/share/doc/conductd/examples/proxy/haproxy.cfg'];

test('the package builds', async () => {
	const { stdout } = await run(`${top}packaging/make-deb`, ['--dir', dir], options);
	deb = stdout.trim().split('\n').at(-1);
	assert.match(deb, /conductd_[^/]*\.deb$/);
});

test('lintian finds nothing in it', async () => {
	const changes = readdirSync(dir).filter(name => name.endsWith('.changes'));
	assert.equal(changes.length, 1);
	const args = ['--allow-root', '--fail-on', 'error,warning', '--tag-display-limit', '0', deb];
	const { stdout } = await run('lintian', args, options).catch(error => error);
	assert.equal(stdout, '');
});

test('it has every file, owned by root, and its configuration is kept on upgrades', async () => {
	const { stdout } = await run('dpkg-deb', ['-c', deb], options);
	const there = new Set(stdout.split('\n').map(line => line.split(' ').filter(Boolean)[5]?.slice(1)));
	assert.deepEqual(FILES.filter(file => !there.has(file)), []);
	assert.ok(stdout.trim().split('\n').every(line => / root\/root /.test(line)));
	const { stdout: kept } = await run('dpkg-deb', ['-I', deb, 'conffiles'], options);
	assert.equal(kept, '/etc/conductd/conductd.yaml\n/etc/default/conductd\n');
});

test('its programs are hardened', async () => {
	await run('dpkg-deb', ['-x', deb, `${dir}/content`], options);
	for (const file of ['usr/sbin/conductd', 'usr/bin/conductctl']) {
		const { stdout } = await run('readelf', ['-W', '-h', '-l', '-d', `${dir}/content/${file}`], options);
		assert.match(stdout, /Type: +DYN/);
		assert.match(stdout, /GNU_RELRO/);
		assert.match(stdout, /FLAGS.*(BIND_NOW|NOW)/);
		assert.doesNotMatch(stdout, /GNU_STACK.*RWE/);
	}
});

if (process.env.EFFORT === 'full') {
	test('in a fresh tree it installs, migrates, starts, upgrades and is purged', async context => {
		const { stdout, stderr } = await run(`${top}tests/package/tree`, [deb], { ...options, timeout: 580000 }).catch(error => error);
		const wrong = stdout.split('\n').filter(line => line.startsWith('not ok'));
		const right = stdout.split('\n').filter(line => line.startsWith('ok '));
		assert.deepEqual(wrong, []);
		assert.ok(right.length > 30, `${stdout.slice(-2000)}${String(stderr).slice(-2000)}`);
		context.diagnostic(`note: ${right.length} steps of its life`);
	});
}
