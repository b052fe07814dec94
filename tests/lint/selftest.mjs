// Shows that each check can fail. A file of bad/ is one wrong tree: the check's name, what it must
// say, and the files; "good" files of the same form show what must pass.
//
//   check: floors point down
//   says: part of a problem          (or, for a tree that is right: passes)
//   --- path/of/a/file
//   its text
import { mkdtempSync, mkdirSync, writeFileSync, readFileSync, readdirSync, rmSync, copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { Tree } from './tree.mjs';
import { checks, problemsOf } from './checks.mjs';

const here = dirname(fileURLToPath(import.meta.url));

function write(top, text) {
	const [head, ...parts] = text.split(/^--- /m);
	for (const part of parts) {
		const path = part.slice(0, part.indexOf('\n'));
		mkdirSync(dirname(join(top, path)), { recursive: true });
		writeFileSync(join(top, path), part.slice(path.length + 1).replaceAll('␠', ' '));
	}
	copyFileSync(join(here, '../../.clang-format'), join(top, '.clang-format'));
	const value = (key) => new RegExp(`^${key}(?:: (.*))?$`, 'm').exec(head);
	return { check: value('check')?.[1], says: value('says')?.[1], isGood: Boolean(value('passes')) };
}

function judge(file) {
	const top = mkdtempSync(join(tmpdir(), 'lint-'));
	try {
		const { check, says, isGood } = write(top, readFileSync(join(here, 'bad', file), 'utf8'));
		if (!checks.has(check)) return { check, why: `there is no check "${check}"` };
		const problems = problemsOf(checks.get(check), new Tree(top));
		if (isGood) return { check, why: problems.length ? `said: ${problems[0]}` : null };
		if (problems.some((problem) => says && problem.includes(says))) return { check, why: null };
		return { check, why: `did not say "${says}" but: ${problems[0] ?? 'nothing'}` };
	} finally {
		rmSync(top, { recursive: true });
	}
}

export function runBadTrees(count) {
	const tested = new Set();
	for (const file of readdirSync(join(here, 'bad')).sort()) {
		const { check, why } = judge(file);
		if (!why) tested.add(check);
		console.log(why ? `not ok selftest ${file}: ${why}` : `ok selftest ${file}`);
		count[why ? 'failed' : 'passed']++;
	}
	const untested = [...checks.keys()].filter((name) => !tested.has(name));
	console.log(untested.length ? `not ok each check is shown able to fail: ${untested.join('; ')}`
		: 'ok each check is shown able to fail');
	count[untested.length ? 'failed' : 'passed']++;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const count = { passed: 0, failed: 0 };
	runBadTrees(count);
	console.log(`${count.passed} passed, ${count.failed} failed`);
	process.exit(count.failed ? 1 : 0);
}
