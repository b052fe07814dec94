// Checks of the source itself: floors, walls, sizes, form, words. A check takes a tree and gives back
// what is wrong with it, one line for each problem.
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { C_FILE, C_OR_TEST, bare, folderOf } from './tree.mjs';

const FLOORS = {
	'daemon/base': 0, sql: 0.5,
	'daemon/json': 1, 'daemon/yaml': 1, 'daemon/crypto': 1, 'daemon/ipc': 1, 'daemon/pg': 1,
	'daemon/fetch': 1, 'api/i18n': 1,
	'api/http': 2, policy: 2, 'daemon/keys': 2, 'daemon/audit': 2,
	'daemon/cases': 3,
	'api/auth': 4,
	'api/handlers': 5, 'daemon/worker': 5,
	'daemon/app': 6,
	daemon: 7,
};

const LIBEVENT = ['api/http', 'daemon/pg', 'daemon/ipc', 'daemon/fetch', 'daemon/worker', 'daemon/app'];
const WALLS = [
	[/^jansson/, ['daemon/json']],
	[/^yaml\.h/, ['daemon/yaml']],
	[/^openssl\//, ['daemon/crypto']],
	[/^(libpq|postgres)/, ['daemon/pg']],
	[/^utf8proc/, ['daemon/base']],
	[/^curl\//, ['daemon/fetch']],
	[/^seccomp/, ['daemon/app']],
	[/^glpk/, ['daemon/worker']],
	[/^event2\//, LIBEVENT],
];
const LIBC = new RegExp('^(assert|ctype|dirent|endian|errno|fcntl|float|fnmatch|ftw|getopt|glob|grp|inttypes|libgen|'
	+ 'limits|locale|math|netdb|poll|pwd|regex|sched|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|'
	+ 'stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|sysexits|termios|time|uchar|ucontext|unistd|'
	+ 'wchar|(arpa|linux|net|netinet|sys)/[a-z_0-9]+)\\.h$');

function* includes(tree) {
	for (const path of tree.matching(C_FILE)) {
		for (const [i, line] of tree.lines(path).entries()) {
			const found = /^\s*#\s*include\s*([<"])([^>"]+)[>"]/.exec(line);
			if (found) yield { path, at: `${path}:${i + 1}`, isOwn: found[1] === '"', name: found[2] };
		}
	}
}

export function floorsPointDown(tree) {
	const problems = [];
	for (const { path, at, isOwn, name } of includes(tree)) {
		if (!isOwn) continue;
		const from = folderOf(path);
		const to = folderOf(name);
		if (!name.includes('/')) problems.push(`${at}: "${name}" is not rooted at the repository`);
		else if (!(from in FLOORS)) problems.push(`${at}: ${from} has no floor`);
		else if (!(to in FLOORS)) problems.push(`${at}: ${to} has no floor`);
		else if (from !== to && FLOORS[to] >= FLOORS[from])
			problems.push(`${at}: ${from} (floor ${FLOORS[from]}) includes ${to} (floor ${FLOORS[to]})`);
	}
	return problems;
}

export function foreignHeadersStayInTheirWall(tree) {
	const problems = [];
	for (const { path, at, isOwn, name } of includes(tree)) {
		if (isOwn || LIBC.test(name)) continue;
		const wall = WALLS.find(([pattern]) => pattern.test(name));
		if (!wall) problems.push(`${at}: <${name}> has no wall`);
		else if (!wall[1].includes(folderOf(path)))
			problems.push(`${at}: <${name}> belongs in ${wall[1].join(', ')}`);
	}
	return problems;
}

export function filesAreShort(tree) {
	const problems = [];
	for (const path of tree.matching(/^(daemon|api|policy|sql|tests)\/.*\.(c|h|mjs|sql|psql)$/)) {
		const n = tree.lines(path).length - 1;
		const most = path.endsWith('.h') ? 150 : 600;
		if (n > most) problems.push(`${path}: ${n} lines, at most ${most}`);
	}
	return problems;
}

export function functionsAreShort(tree) {
	const files = tree.matching(C_OR_TEST).filter((path) => path.endsWith('.c'));
	if (!files.length) return [];
	const tags = execFileSync('ctags', ['-x', '--languages=C', '--kinds-C=f', '--fields=+ne',
		'--_xformat=%F\t%n\t%{end}\t%N', '-L', '-'],
	{ cwd: tree.top, input: files.join('\n'), encoding: 'utf8', maxBuffer: 1 << 26 });
	const problems = [];
	for (const line of tags.split('\n').filter(Boolean)) {
		const [path, first, last, name] = line.split('\t');
		/* The main function of a suite is a table of its tests. */
		if (name === 'main' && path.startsWith('tests/')) continue;
		const n = Number(last) - Number(first) + 1;
		if (n > 80) problems.push(`${path}:${first}: ${name} has ${n} lines, at most 80`);
	}
	return problems;
}

export function codeHasTheForm(tree) {
	const files = tree.matching(C_OR_TEST);
	const { stderr, error, status } = spawnSync('clang-format',
		['--dry-run', '--Werror', '--style=file', ...files],
		{ cwd: tree.top, encoding: 'utf8', maxBuffer: 1 << 28 });
	if (error) return [`clang-format: ${error.message}`];
	const bad = new Set([...stderr.matchAll(/^([^:\n]+):\d+:\d+: (?:error|warning)/gm)].map(([, path]) => path));
	if (status && !bad.size) return [stderr.trim()];
	return [...bad].map((path) => `${path}: not as clang-format writes it (tests/lint/run --fix)`);
}

const width = (line) => [...line].reduce((n, c) => c === '\t' ? (n >> 3 << 3) + 8 : n + 1, 0);

export function linesFit(tree) {
	const problems = [];
	for (const path of tree.matching(C_OR_TEST)) {
		let isLaidOutByHand = false;
		for (const [i, line] of tree.lines(path).entries()) {
			if (/clang-format (off|on)/.test(line)) isLaidOutByHand = line.includes('clang-format off');
			if (width(line) > 100 && !isLaidOutByHand) problems.push(`${path}:${i + 1}: ${width(line)} columns, at most 100`);
		}
	}
	return problems;
}

/** Debian 12 has Node 18, whose modules know `crypto` by an import alone. */
export function cryptoIsImported(tree) {
	return tree.matching(/\.mjs$/).flatMap((path) => {
		const lines = tree.lines(path);
		if (lines.some((line) => /^import (\* as )?crypto\b/.test(line))) return [];
		const at = lines.findIndex((line) => /(^|[^.\w'])crypto\.[a-z]/.test(line));
		return at < 0 ? [] : [`${path}:${at + 1}: crypto is used and not imported`];
	});
}

export function textIsClean(tree) {
	const problems = [];
	const texts = /\.(c|h|mjs|js|css|html|sql|yaml|json|build|sh|md|spec|conf)$|(^|\/)(run|README|selftest)$/;
	for (const path of tree.matching(texts)) {
		const text = tree.read(path);
		if (text && !text.endsWith('\n')) problems.push(`${path}: no line end at its end`);
		if (text.endsWith('\n\n')) problems.push(`${path}: an empty line at its end`);
		for (const [i, line] of text.split('\n').entries())
			if (/[ \t\r]$/.test(line)) problems.push(`${path}:${i + 1}: white space at the end`);
	}
	return problems;
}

export function filesSayWhatTheyAreFor(tree) {
	const problems = [];
	for (const path of tree.matching(C_OR_TEST)) {
		const text = tree.read(path).trimStart();
		const start = path.endsWith('.h') ? /^#pragma once\n\/\*/ : /^\/\*/;
		if (!start.test(text))
			problems.push(`${path}: does not open with ${path.endsWith('.h') ? '#pragma once and ' : ''}a comment`);
	}
	for (const path of tree.matching(/^sql\/.*\.sql$/))
		if (!/^(--|\/\*)/.test(tree.read(path))) problems.push(`${path}: does not open with a comment`);
	return problems;
}

export function structsHaveNoTypedef(tree) {
	const problems = [];
	for (const path of tree.matching(C_OR_TEST))
		for (const [i, line] of bare(tree.read(path)).split('\n').entries())
			if (/\btypedef\s+(struct|union|enum)\b/.test(line)) problems.push(`${path}:${i + 1}: ${line.trim()}`);
	return problems;
}

const UNFINISHED = /\b(TODO|FIXME|XXX|HACK)\b|\b[Ff]or now\b|\b(not |not yet |un)implemented\b/;

export function nothingIsLeftUnfinished(tree) {
	return grep(tree, (path) => !/^(LICENSE$|tests\/lint\/)|^\.git|\.(png|svg|pem)$/.test(path), UNFINISHED);
}

/** Homes, and build directories that nobody else has. */
export function nothingPointsAtThisMachine(tree) {
	return grep(tree, (path) => !/^tests\/lint\//.test(path),
		/(?<![\w.])\/(home|root|Users)\/|\bbuild-(?!asan\b|essential\b)[a-z]/);
}

function grep(tree, isMeant, pattern) {
	const problems = [];
	for (const path of tree.files.filter(isMeant))
		for (const [i, line] of tree.lines(path).entries())
			if (pattern.test(line)) problems.push(`${path}:${i + 1}: ${line.trim().slice(0, 100)}`);
	return problems;
}

const TOP = new Set(['daemon', 'policy', 'sql', 'api', 'tests', 'packaging', 'meson.build', 'README',
	'CONTRIBUTING.md', 'README.md', 'LICENSE']);

export function topLevelIsFixed(tree) {
	const present = readdirSync(tree.top).filter((name) => !/^(\.|build)/.test(name));
	return [
		...present.filter((name) => !TOP.has(name)).map((name) => `${name} does not belong to the top level`),
		...[...TOP].filter((name) => !present.includes(name)).map((name) => `${name} is missing`),
	];
}
