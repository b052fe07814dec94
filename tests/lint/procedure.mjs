// Draws the procedure from sql/data/transitions.sql: the tables and state diagrams of sql/PROCEDURE.md.
// node tests/lint/procedure.mjs --write rewrites the file; the lint suite compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';

const top = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The rows of the procedure, one per (kind, from, action, to, role). */
export function readTransitions(sql) {
	const rows = [];
	const cte = sql.slice(sql.indexOf('with procedure_row'), sql.indexOf('insert into transition ('));
	for (const [, line] of cte.matchAll(/\('((?:[^']|'')*)'\)/g)) {
		const [kind, from, action, to, roles, cause, comment] = line.replaceAll("''", "'").split('|');
		for (const fromState of from.split(',')) {
			for (const role of roles.split(',')) {
				rows.push({ kind, from: fromState, action, to: to === '=' ? fromState : to, role,
					moves: to !== '=', needsCause: cause === '*', comment });
			}
		}
	}
	return rows;
}

function readTuples(sql, table) {
	const start = sql.indexOf(`insert into ${table} (`);
	const body = sql.slice(sql.indexOf('values', start), sql.indexOf('on conflict', start));
	return [...body.matchAll(/\(('(?:[^']|'')*'(?:, '(?:[^']|'')*')*)\)/g)]
		.map(([, row]) => [...row.matchAll(/'((?:[^']|'')*)'/g)].map(([, cell]) => cell.replaceAll("''", "'")));
}

/** Markdown with one diagram and one table per kind of proceeding. */
export function drawProcedure(sql) {
	const rows = readTransitions(sql);
	const guards = readTuples(sql, 'transition_guard');
	const causes = readTuples(sql, 'transition_cause');
	const meanings = readTuples(sql, 'guard');
	const out = ['# The procedure', '',
		'Drawn from `data/transitions.sql` by `node tests/lint/procedure.mjs --write`; the lint suite compares.',
		'A row with * needs a cause in the same act.', ''];
	for (const kind of ['intake', 'matter', 'appeal']) {
		const own = rows.filter(r => r.kind === kind);
		out.push(`## ${kind}`, '', '```mermaid', 'stateDiagram-v2');
		const edges = new Set(own.filter(r => r.moves).map(r =>
			`\t${r.from === 'new' ? '[*]' : r.from} --> ${r.to}: ${r.action}${r.needsCause ? ' *' : ''}`));
		out.push(...edges, '```', '', '| from | action | to | roles | guards | |', '|---|---|---|---|---|---|');
		const grouped = new Map();
		for (const r of own) {
			const key = [r.from, r.action, r.to].join('|');
			if (!grouped.has(key)) {
				grouped.set(key, { ...r, roles: [] });
			}
			grouped.get(key).roles.push(r.role);
		}
		for (const r of grouped.values()) {
			const own_guards = guards.filter(g => g[0] === kind && g[1] === r.action).map(g => g[2]).join(', ');
			const cause = causes.filter(c => c[0] === kind && c[1] === r.from && c[2] === r.action && c[3] === r.to)
				.map(c => `${c[4]} ${c[5]}`).join(', ');
			out.push(`| ${r.from} | ${r.action}${r.needsCause ? ` * (${cause})` : ''} | ${r.moves ? r.to : '–'} | `
				+ `${r.roles.join(', ')} | ${own_guards} | ${r.comment} |`);
		}
		out.push('');
	}
	out.push('## Guards', '', '| guard | implemented by | meaning |', '|---|---|---|');
	out.push(...meanings.map(([guard, by, meaning]) => `| ${guard} | ${by} | ${meaning} |`), '');
	return out.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const text = drawProcedure(readFileSync(join(top, 'sql/data/transitions.sql'), 'utf8'));
	const file = join(top, 'sql/PROCEDURE.md');
	if (process.argv[2] === '--write') {
		writeFileSync(file, text);
	} else if (readFileSync(file, 'utf8') !== text) {
		console.error('sql/PROCEDURE.md is not what data/transitions.sql says: node tests/lint/procedure.mjs --write');
		process.exit(1);
	}
}
