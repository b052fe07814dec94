// Runs every check on the repository, then the checks' own tests on trees that are wrong.
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { Tree } from './tree.mjs';
import { checks, problemsOf } from './checks.mjs';
import { runBadTrees } from './selftest.mjs';

const top = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const SHOWN = 15;
const tree = new Tree(top);
const count = { passed: 0, failed: 0 };

for (const [name, check] of checks) {
	const problems = problemsOf(check, tree);
	if (!problems.length) {
		count.passed++;
		console.log(`ok ${name}`);
		continue;
	}
	count.failed++;
	console.log(`not ok ${name}: ${problems[0]}${problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''}`);
	for (const problem of problems.slice(1, SHOWN)) console.log(`    ${problem}`);
}
runBadTrees(count);
console.log(`${count.passed} passed, ${count.failed} failed`);
process.exit(count.failed ? 1 : 0);
