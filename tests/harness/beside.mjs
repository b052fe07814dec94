// Daemons beside the stack's, on the same database, with configurations of their own.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { call, stack } from './api.mjs';

const top = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const { uid, gid } = statSync(`${stack}/private`);
const account = process.getuid() === 0 && uid !== 0 ? { uid, gid } : {};
const daemons = [];

export async function until(what, probe, ms = 60000) {
	const end = Date.now() + ms;
	for (;;) {
		const answer = await probe();
		if (answer) return answer;
		assert.ok(Date.now() < end, `in vain: ${what}`);
		await new Promise(resolve => setTimeout(resolve, 20));
	}
}

/** A daemon of the ordinary build beside the stack's, with another configuration. */
export async function start(name, port, edit) {
	const binary = `${stack}/conductd-${name}`;
	rmSync(binary, { force: true });
	copyFileSync(`${process.env.BUILD_DIR ?? `${top}/build`}/conductd`, binary);
	chmodSync(binary, 0o755);
	const text = readFileSync(`${stack}/conductd.yaml`, 'utf8')
		.replace(/^listen:.*$/m, `listen: ["127.0.0.1:${port}"]`)
		.replace(/^ops_listen:.*$/m, `ops_listen: "127.0.0.1:${port + 1}"`)
		.replace(/^limits:.*$/m, 'processes: {web: 2, drain: 5s}');
	const file = `${stack}/${name}.yaml`;
	writeFileSync(file, edit(text), { mode: 0o644 });
	const log = `${stack}/${name}.log`;
	const out = openSync(log, 'w');
	if (account.uid) chownSync(log, account.uid, account.gid);
	const child = spawn(binary, ['-c', file], { stdio: ['ignore', out, out], cwd: '/', ...account });
	const daemon = { child, log, url: new URL(`http://127.0.0.1:${port}`),
		ops: new URL(`http://${/^ops_listen: "(.*)"$/m.exec(readFileSync(file, 'utf8'))[1]}`) };
	daemons.push(daemon);
	await until(`${name} is ready: ${readFileSync(log, 'utf8').slice(-500)}`, () =>
		call(null, 'GET', '/readyz', { url: daemon.ops }).then(answer => answer.status === 200, () => {
			assert.equal(child.exitCode, null, readFileSync(log, 'utf8'));
			return false;
		}));
	return daemon;
}

/** Ends them in order; for after(). */
export async function endAll() {
	for (const { child } of daemons) {
		if (child.exitCode === null) {
			const ended = new Promise(resolve => child.once('exit', resolve));
			child.kill('SIGTERM');
			await ended;
		}
	}
}

/** Processes of the daemon's kind, by their titles. */
export function processes(daemon, kind) {
	const all = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', `${daemon.child.pid}`], { encoding: 'utf8' });
	return all.split('\n').filter(line => line.includes(`conductd: ${kind}`)).map(line => Number.parseInt(line, 10));
}
