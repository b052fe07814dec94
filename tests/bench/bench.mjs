// The benchmark: rows of contenders that take turns (A B C A B C …), the ratios of each round, and the table.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { Stack, say, startNginx, startPeer, stopAll, top } from './parts.mjs';
import { rows } from './rows.mjs';

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: {
	work: { type: 'string' }, port: { type: 'string' }, rounds: { type: 'string', default: '4' },
	seconds: { type: 'string', default: '6' }, sizes: { type: 'string', default: '10000,100000,1000000' },
	out: { type: 'string', default: `${top}/tests/bench/RESULTS.md` },
} });
const port = Number(options.port);
const setup = {
	work: options.work,
	port,
	rounds: Number(options.rounds),
	seconds: Number(options.seconds),
	sizes: options.sizes.split(',').map(Number),
	peer: port + 10,
	nginx: port + 12,
};
const unknown = positionals.filter(name => !(name in rows));
if (unknown.length || !(setup.rounds > 0) || !(setup.seconds > 0)) {
	say(`tests/bench/run: ${unknown.length ? `unknown row ${unknown[0]}` : 'bad number'}; --help lists the arguments`);
	process.exit(2);
}

const median = list => [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) / 2)];
const short = n => n >= 100 ? Math.round(n).toLocaleString('en') : n.toPrecision(3);

/** Runs the contenders of a row in turn; ratios are of the first one to each of the others. */
async function compare(name, { contenders, inverse = false }) {
	const figures = new Map(contenders.map(({ label }) => [label, []]));
	for (let round = 1; round <= setup.rounds; round++) {
		for (const { label, run } of contenders) {
			figures.get(label).push(await run());
		}
		say(`${name} ${round}/${setup.rounds}: ${contenders.map(({ label }) =>
			`${label} ${short(figures.get(label).at(-1).rate)}/s`).join(', ')}`);
	}
	const [own, ...others] = contenders;
	return contenders.map(({ label, bar }) => {
		const list = figures.get(label);
		const ratios = list.map((one, i) => inverse ? one.rate / figures.get(own.label)[i].rate
			: figures.get(own.label)[i].rate / one.rate);
		return { label, bar, rate: median(list.map(one => one.rate)), p50: median(list.map(one => one.p50)),
			p99: list[0].p99 && median(list.map(one => one.p99)),
			ratio: others.length && label !== own.label ? { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) } : undefined };
	});
}

function machine() {
	const run = (program, ...args) => {
		try {
			return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
		} catch {
			return '';
		}
	};
	const sync = /^\s*fdatasync\s+[\d.]+ ops\/sec\s+(\d+) usecs/m.exec(
		run('/usr/lib/postgresql/15/bin/pg_test_fsync', '-s', '1', '-f', `${setup.work}/fsync.tmp`))?.[1];
	return [`${cpus().length} cores (${cpus()[0].model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB`,
		`Linux ${run('uname', '-r')}`, run('/usr/lib/postgresql/15/bin/postgres', '--version'),
		`Node ${process.version}`, run('sh', '-c', 'nginx -v 2>&1'), `fdatasync ${sync ?? '?'} µs`].join('; ');
}

const table = [];
const notes = [];
try {
	const stack = await Stack.start(setup.work, port);
	await startPeer(setup.work, stack, setup.peer);
	const policy = await (await fetch(`http://127.0.0.1:${port}/v1/policy?wiki=enwiki&lang=en`)).text();
	await startNginx(setup.work, setup.nginx, policy);
	for (const name of positionals.length ? positionals : Object.keys(rows)) {
		const made = await rows[name]({ ...setup, stack });
		for (const comparison of made.comparisons ?? []) {
			table.push([comparison.name, await compare(comparison.name, comparison)]);
		}
		notes.push(...await made.after?.() ?? []);
	}
} finally {
	stopAll();
}

const lines = ['# Results', '', `One run of \`tests/bench/run\` (${setup.rounds} rounds of ${setup.seconds} s, interleaved; medians of the rounds;`,
	'ratios are conductd ÷ the contender, median [least–most] of the rounds). Client, servers and PostgreSQL share the machine.',
	'', machine(), '', '| work | contender | req/s | p50 / p99 ms | conductd ÷ it | bar |', '|---|---|---|---|---|---|'];
for (const [name, list] of table) {
	list.forEach(({ label, bar, rate, p50, p99, ratio }, i) => lines.push(`| ${i ? '' : name} | ${label} | ${short(rate)} | ${short(p50)} / `
		+ `${p99 ? short(p99) : '–'} | ${ratio ? `${ratio.median.toFixed(2)} [${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}]` : ''} | ${bar ?? ''} |`));
}
lines.push('', ...notes.map(note => `- ${note}`), '');
writeFileSync(options.out, lines.join('\n'));
process.stdout.write(lines.join('\n'));
process.exit(0);
