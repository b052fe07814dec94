// Sums up what the Check programs counted, from meson's log: one line of JSON for each program.
import { readFileSync } from 'node:fs';

/** Check's words, or those of node:test, whose cancelled tests have failed as well. */
function countOf(output) {
	const check = /\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)/.exec(output);
	if (check) {
		const failed = Number(check[2]) + Number(check[3]);
		return { passed: Number(check[1]) - failed, failed };
	}
	const of = (word) => new RegExp(`^[#ℹ] ${word} (\\d+)$`, 'm').exec(output)?.[1];
	return of('tests') && { passed: Number(of('pass')), failed: Number(of('fail')) + Number(of('cancelled')) };
}

let passed = 0;
let failed = 0;
const lines = readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean);

for (const line of lines) {
	const { name, result, stdout = '', stderr = '' } = JSON.parse(line);
	const count = countOf(stdout);
	const bad = count ? count.failed : 0;
	if (count) passed += count.passed;
	failed += bad;
	if (!count || count.passed + bad === 0) {
		failed++;
		console.log(`not ok ${name}: ${result}, it printed no count`);
	} else if (bad > 0) {
		const why = stdout.split('\n').filter((text) => /:[FE]:|^not ok /.test(text));
		for (const text of why) console.log(`not ok ${name}: ${text.trim()}`);
	} else if (result !== 'OK') {
		failed++;
		const why = /SUMMARY: .*/.exec(stderr + stdout)?.[0] ?? result;
		console.log(`not ok ${name}: ${why}`);
	} else {
		// Seeds and counts of what is drawn at random.
		for (const text of stdout.split('\n').filter(line => line.startsWith('note: '))) console.log(text);
		console.log(`ok ${name}: ${count.passed} checks`);
	}
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
