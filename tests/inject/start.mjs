// A migrated database with the policy published and the demo people known, by the real daemon; then
// tests/inject's program beside it: start.mjs PROGRAM STEP SEED. Its exit status is this one's.
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, chmodSync, readFileSync } from 'node:fs';
import { Daemon, Deployment, conninfo, ctl, sql, until } from '../db/daemon.mjs';

const [program, step, seed] = process.argv.slice(2);
const deployment = await Deployment.make('inject', { web: 1 });
const daemon = await Daemon.start(deployment);
const { people } = JSON.parse(readFileSync(`${deployment.dir}/people.json`, 'utf8'));
const known = Object.keys(JSON.parse(readFileSync(`${deployment.dir}/demo-people.json`, 'utf8')).people);
await until('everybody is known', () =>
	Number(sql('inject', 'select count(*) from conduct.person_account')) === known.length);
const granted = await ctl('-c', deployment.file, 'demo', 'grants');
if (granted.code !== 0) {
	throw new Error(granted.stderr);
}
await daemon.stop();

const certificate = `${deployment.dir}/tls.pem`;
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
	'-subj', '/CN=localhost', '-keyout', `${deployment.dir}/tls.key`, '-out', certificate], { stdio: 'ignore' });
appendFileSync(certificate, readFileSync(`${deployment.dir}/tls.key`));
chmodSync(certificate, 0o600);

const child = spawn(program, [deployment.file, conninfo('inject'), people.reporter.token, people.functionary.token,
	people.respondent.user, step, seed, certificate], { stdio: 'inherit' });
const [code, signal] = await new Promise((done) => { child.on('close', (...end) => done(end)); });
deployment.remove();
process.exit(signal ? 70 : code);
