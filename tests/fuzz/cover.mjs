// Reads what gcov counted and prints a table: cover.mjs BUILD [--missing FILE]. With --missing, the
// branches of one file that nothing took.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

const BAR = 95;
const READERS = {
	'HTTP parser': ['api/http/parser.c', 'api/http/language.c', 'api/http/idempotency.c'],
	'JSON reader': ['daemon/json/parse.c', 'daemon/json/memory.c', 'daemon/json/write.c'],
	'token (JWT)': ['api/auth/token.c'],
	receipt: ['api/auth/receipt.c', 'daemon/base/codec.c'],
	cursor: ['api/http/cursor.c'],
	'media types': ['daemon/base/media.c'],
	'YAML loader': ['daemon/yaml/parse.c', 'daemon/yaml/yaml.c', 'policy/source.c', 'policy/published.c',
		'policy/node.c', 'policy/schema.c', 'policy/scalar.c', 'policy/report.c'],
	configuration: ['daemon/app/config.c', 'daemon/app/config_issuers.c', 'daemon/app/config_dump.c', 'daemon/app/config_hosts.c',
		'daemon/app/address.c'],
	'IPC messages': ['daemon/ipc/channel.c', 'daemon/ipc/packet.c', 'daemon/ipc/message.c', 'daemon/ipc/pack.c',
		'daemon/ipc/vault.c', 'daemon/ipc/wiki.c'],
	'audit log': ['daemon/audit/leaf.c', 'daemon/audit/note.c', 'daemon/audit/bundle.c', 'daemon/audit/rows.c'],
	'sealed values': ['daemon/keys/envelope.c', 'daemon/keys/stanza.c'],
	'key files': ['daemon/keys/vault_file.c', 'daemon/keys/vault_keys.c', 'daemon/keys/public_file.c',
		'daemon/keys/escrow.c'],
	vault: ['daemon/keys/vault_server.c', 'daemon/keys/vault_quota.c'],
};

const [build, option, only] = process.argv.slice(2);

const findNotes = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
	const path = join(folder, entry.name);
	if (entry.isDirectory()) return findNotes(path);
	return entry.name.endsWith('.gcno') ? [path] : [];
});

/** The lines of one reader, from the object file of that name. */
function linesOf(file, notes) {
	const name = `${file.split('/').at(-1)}.gcno`;
	const folder = file.slice(0, file.lastIndexOf('/'));
	const note = notes.find((path) => path.endsWith(`/${name}`) && path.startsWith(`${join(build, folder)}/`));
	if (!note) throw new Error(`${file} was not built`);
	const json = execFileSync('gcov', ['--json-format', '--stdout', '--branch-probabilities', resolve(note)],
		{ cwd: build, maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
	const bytes = json[0] === 0x1f ? gunzipSync(json) : json;
	const report = JSON.parse(bytes.toString('utf8').split('\n')[0]);
	const found = report.files.find((entry) => resolve(build, entry.file).endsWith(`/${file}`));
	return found ? found.lines : [];
}

const percent = (part, whole) => whole ? (100 * part / whole).toFixed(1) : '100.0';

const notes = findNotes(build);
if (option === '--missing') {
	for (const line of linesOf(only, notes))
		if (line.branches.some((branch) => branch.count === 0))
			console.log(`${only}:${line.line_number} ${line.branches.map((b) => b.count).join(' ')}`);
	process.exit(0);
}
const row = (name, { taken, branches }, more = '') => console.log(`${name.padEnd(28)} ${String(branches).padStart(8)} `
	+ `${String(taken).padStart(7)} ${percent(taken, branches).padStart(7)}${more}`);
let isLow = false;
console.log(`${'reader'.padEnd(28)} branches   taken       %`);
for (const [reader, files] of Object.entries(READERS)) {
	const sum = { taken: 0, branches: 0 };
	const counts = files.map((file) => {
		const branches = linesOf(file, notes).flatMap((line) => line.branches);
		const count = { taken: branches.filter((branch) => branch.count > 0).length, branches: branches.length };
		sum.taken += count.taken;
		sum.branches += count.branches;
		return [file, count];
	});
	const isBelow = 100 * sum.taken < BAR * sum.branches;
	isLow ||= isBelow;
	row(reader, sum, isBelow ? `   below ${BAR}` : '');
	for (const [file, count] of counts) row(`  ${file}`, count);
}
process.exit(isLow ? 1 : 0);
