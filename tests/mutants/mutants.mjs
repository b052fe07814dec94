// Runs the mutants in a copy of the tree: `node mutants.mjs TREE [NAME…]`. The head of a patch, before its
// first "--- ", says in words what is taken away, and then:
//
//   build: targets of ninja, where the test needs any
//   run: the test, a command in the tree's top
//   says: what its output has to match, as a regular expression, when it fails
//
// Every test is first run without a mutant, and has to pass: one that fails anyway proves nothing.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

const source = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const patches = join(source, 'tests/fault/mutants');
const [tree, ...wanted] = process.argv.slice(2);
const LIMIT_MS = 180000;
const SQL = 'tests/sql/run ';

export function readHead(text) {
	const head = text.slice(0, text.search(/^--- /m));
	const value = key => new RegExp(`^${key}: (.+)$`, 'm').exec(head)?.[1];
	return { build: value('build') ?? '', run: value('run'), says: value('says'),
		files: [...text.matchAll(/^\+\+\+ b\/(.+)$/mg)].map(([, path]) => path) };
}

function run(command) {
	const { status, signal, stdout, stderr } = spawnSync('bash', ['-c', command], { cwd: tree, encoding: 'utf8',
		timeout: LIMIT_MS, killSignal: 'SIGKILL', maxBuffer: 1 << 26,
		env: { ...process.env, CK_FORK: 'no', CK_VERBOSITY: 'normal', BUILD_DIR: join(tree, 'build') } });
	return { isGood: status === 0, how: signal ?? `status ${status}`, output: `${stdout}${stderr}` };
}

const count = { passed: 0, failed: 0 };
let since = performance.now();

function tell(name, why, output = '') {
	count[why ? 'failed' : 'passed']++;
	console.log(why ? `not ok ${name}: ${why}` : `ok ${name}   ${Math.round((performance.now() - since) / 1000)} s`);
	since = performance.now();
	if (why) console.log(output.split('\n').slice(-40).map(line => `    ${line}`).join('\n'));
}

/** What is wrong with a mutant: [why, output], or nothing. */
function judge(patch, { build, run: command, says }) {
	const applied = run(`patch -p1 -F0 --no-backup-if-mismatch <'${patch}'`);
	if (!applied.isGood) return ['the patch does not apply', applied.output];
	const built = build ? run(`ninja -C build ${build}`) : { isGood: true };
	if (!built.isGood) return ['it does not build', built.output];
	const tested = run(command);
	if (tested.isGood) return [`it lives: \`${command}\` passes`, tested.output];
	if (!new RegExp(says).test(tested.output)) return [`the test fails (${tested.how}), but does not say /${says}/`, tested.output];
	return [];
}

const names = readdirSync(patches).filter(name => name.endsWith('.patch')).map(name => name.slice(0, -'.patch'.length)).sort()
	.filter(name => !wanted.length || wanted.includes(name));
const heads = new Map(names.map(name => [name, readHead(readFileSync(join(patches, `${name}.patch`), 'utf8'))]));
const targets = [...heads.values()].map(({ build }) => build).join(' ').trim();
const built = targets ? run(`ninja -C build ${targets}`) : { isGood: true };
tell('the copy builds', built.isGood ? null : 'it does not', built.output);
const commands = [...new Set([...heads.values()].map(head => head.run))].filter(Boolean);
// Scripts of one suite share a database server.
const scripts = commands.filter(command => command.startsWith(SQL));
const controls = commands.filter(command => !scripts.includes(command));
if (scripts.length) controls.push(SQL + scripts.map(command => command.slice(SQL.length)).join(' '));
for (const command of controls) {
	const { isGood, how, output } = run(command);
	tell(`without a mutant: ${command}`, isGood ? null : `it fails (${how})`, output);
}
for (const [name, head] of heads) {
	const [why, output] = head.run && head.says ? judge(join(patches, `${name}.patch`), head) : ['its head names no test'];
	tell(name, why, output);
	for (const path of head.files) {
		// With a time of its own: what was built of the mutant is older.
		copyFileSync(join(source, path), join(tree, path));
		utimesSync(join(tree, path), new Date(), new Date());
	}
}
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exit(count.failed ? 1 : 0);
