// Sums up what the Check programs counted, from meson's log: one line of JSON for each program.
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
const lines = readFileSync(process.argv[2], 'utf8').split('\n').filter(Boolean);

for (const line of lines) {
	const { name, result, stdout = '', stderr = '' } = JSON.parse(line);
	const count = /\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)/.exec(stdout);
	const bad = count ? Number(count[2]) + Number(count[3]) : 0;
	if (count) passed += Number(count[1]) - bad;
	failed += bad;
	if (!count || count[1] === '0') {
		failed++;
		console.log(`not ok ${name}: ${result}, it printed no count`);
	} else if (bad > 0) {
		const why = stdout.split('\n').filter((text) => /:[FE]:/.test(text));
		for (const text of why) console.log(`not ok ${name}: ${text.trim()}`);
	} else if (result !== 'OK') {
		failed++;
		const why = /SUMMARY: .*/.exec(stderr + stdout)?.[0] ?? result;
		console.log(`not ok ${name}: ${why}`);
	} else {
		console.log(`ok ${name}: ${count[1]} checks`);
	}
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
