// Checks of what two sides say of one thing: C and SQL, routes and openapi, actions and transitions,
// the drawn procedure, the runner and its suites.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bare, differences } from './tree.mjs';
import { drawProcedure, readTransitions } from './procedure.mjs';

/** Functions of a SQL text: name, line, and the clauses in front of the body. */
function functionsOf(tree, path) {
	const found = [];
	const text = tree.read(path).replace(/--[^\n]*/g, (comment) => ' '.repeat(comment.length));
	const start = /\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\s+([a-z_0-9.]+)\s*\(/gi;
	for (const match of text.matchAll(start)) {
		const rest = text.slice(match.index);
		const body = /\bas\s+(\$[a-z_]*\$|')|\bbegin\s+atomic\b|\breturn\b/i.exec(rest);
		const head = rest.slice(0, body ? body.index : rest.length).replace(/\s+/g, ' ');
		found.push({ name: match[1], head, at: `${path}:${text.slice(0, match.index).split('\n').length}` });
	}
	return found;
}

const sqlFiles = (tree) => tree.matching(/^sql\/(api|migrations)\/.*\.sql$/);
const isDefiner = ({ head }) => /\bsecurity definer\b/i.test(head);

/** The clause of one setting, without what may follow it. */
const settingOf = (head, name) =>
	new RegExp(String.raw`\bset ${name.replace('.', '\\.')} *(?:=|to) *(.*?)(?= set | security | language | volatile| stable| immutable| cost | parallel | as |$)`,
		'i').exec(head)?.[1].trim();

const SEARCH_PATHS = ['', 'conduct_gate, ', 'conduct_api_1, ', 'conduct_gate, conduct_api_1, ',
	'conduct_api_1, conduct_gate, '].map((more) => `pg_catalog, conduct, ${more}pg_temp`);

export function definersAreClosed(tree) {
	const problems = [];
	for (const path of sqlFiles(tree)) {
		for (const one of functionsOf(tree, path).filter(isDefiner)) {
			const searchPath = settingOf(one.head, 'search_path');
			if (!SEARCH_PATHS.includes(searchPath))
				problems.push(`${one.at}: ${one.name}: search_path is ${searchPath ?? 'not set'}`);
			if (!one.name.startsWith('conduct_api_1.')) continue;
			for (const setting of ['conduct.actor', 'conduct.case_id'])
				if (settingOf(one.head, setting) !== "''")
					problems.push(`${one.at}: ${one.name}: no set ${setting} = ''`);
		}
		if (/\balter (function|procedure|routine)\b[^;]*\b(security definer|search_path)\b/i.test(tree.read(path)))
			problems.push(`${path}: a function is altered, not written so`);
	}
	return problems;
}

/** Functions that each login role may call, by sql/api/99_grants.sql: security definer ones. */
function grantedFunctions(tree) {
	const definers = new Set();
	for (const path of tree.matching(/^sql\/api\/.*\.sql$/))
		for (const one of functionsOf(tree, path).filter(isDefiner))
			if (one.name.startsWith('conduct_api_1.')) definers.add(one.name.slice('conduct_api_1.'.length));
	const grants = tree.need('sql/api/99_grants.sql');
	const byMigrate = /in \(([^)]*)\) then array\['conduct_migrate'\]/.exec(grants)?.[1] ?? '';
	for (const [, name] of byMigrate.matchAll(/'([a-z_0-9]+)'/g)) definers.delete(name);
	return definers;
}

export function statementsAreFunctions(tree) {
	const called = new Set();
	for (const [, name] of bare(tree.need('daemon/cases/statements.h')).matchAll(/\bROW\(\w+, (\w+), \w+\)/g))
		called.add(name);
	if (!called.size) return ['daemon/cases/statements.h: no statement is read'];
	return differences(called, grantedFunctions(tree),
		(name) => `conduct_api_1.${name} is prepared in C and not in sql/api`,
		(name) => `conduct_api_1.${name} is granted to the daemon and no statement calls it`);
}

export function callsNameFunctions(tree) {
	const known = new Set();
	for (const path of tree.matching(/^sql\/api\/.*\.sql$/))
		for (const { name } of functionsOf(tree, path)) known.add(name);
	const problems = [];
	for (const path of tree.matching(/^(daemon|api|policy|tests)\/.*\.(c|mjs|sql|spec)$/)) {
		if (path.startsWith('tests/lint/')) continue;
		for (const [i, line] of tree.lines(path).entries())
			for (const [, name] of line.matchAll(/\b(conduct_api_1\.[a-z_0-9]+) ?\(/g))
				if (!known.has(name) && name !== 'conduct_api_1.answer')
					problems.push(`${path}:${i + 1}: ${name} is not in sql/api`);
	}
	return problems;
}

/** The operations of openapi.yaml, "GET /v1/x/{id}". */
export function operationsOf(text) {
	const operations = new Set();
	let path = null;
	let isInside = false;
	for (const line of text.split('\n')) {
		if (/^\S/.test(line)) isInside = line.startsWith('paths:');
		if (!isInside) continue;
		const inPaths = /^ {2}["']?(\/[^"':]*)["']?:/.exec(line);
		const method = /^ {4}(get|put|post|delete|patch|options|head):/.exec(line);
		if (inPaths) path = inPaths[1];
		else if (method && path) operations.add(`${method[1].toUpperCase()} ${path}`);
	}
	return operations;
}

function routesOf(text) {
	const routes = new Set();
	for (const [, method, path] of text.matchAll(/\bHTTP_([A-Z]+),\s*"([^"]+)"/g))
		routes.add(`${method} ${path.replace('…}', '}')}`);
	return routes;
}

export function routesAreInTheInterface(tree) {
	const routes = routesOf(tree.need('api/handlers/routes.c'));
	if (!routes.size) return ['api/handlers/routes.c: no route is read'];
	return differences(routes, operationsOf(tree.need('api/openapi.yaml')),
		(name) => `${name} is routed and not in api/openapi.yaml`,
		(name) => `${name} is in api/openapi.yaml and not routed`);
}

/** The statuses that each operation of openapi.yaml names. */
function statusesOf(text) {
	const statuses = new Map();
	let path = null;
	let operation = null;
	for (const line of text.slice(text.indexOf('\npaths:')).split('\n')) {
		path = /^ {2}["']?(\/[^"':]*)["']?:/.exec(line)?.[1] ?? path;
		const method = /^ {4}(get|put|post|delete|patch):/.exec(line)?.[1];
		if (method) {
			operation = `${method.toUpperCase()} ${path}`;
			statuses.set(operation, new Set());
		}
		const status = /^ {8}'(\d{3})':/.exec(line)?.[1];
		if (status && operation) statuses.get(operation).add(status);
	}
	return statuses;
}

/** Whoever is within a budget may be told 429, and nobody else; anybody may be told 503. */
export function budgetsAreInTheInterface(tree) {
	const rows = [...tree.need('api/handlers/routes.c')
		.matchAll(/\bHTTP_([A-Z]+),\s*"([^"]+)",\s*AUDIENCE_(\w+),\s*[^,]+,\s*([^,]+),/g)];
	if (!rows.length) return ['api/handlers/routes.c: no budget is read'];
	const statuses = statusesOf(tree.need('api/openapi.yaml'));
	const problems = [];
	for (const [, method, path, audience, flags] of rows) {
		const name = `${method} ${path.replace('…}', '}')}`;
		const isCounted = audience !== 'PUBLIC' || /\bROUTE_COUNTED\b/.test(flags);
		const named = statuses.get(name) ?? new Set();
		if (isCounted && !named.has('429')) problems.push(`${name} has a budget, and api/openapi.yaml no 429`);
		if (!isCounted && named.has('429')) problems.push(`${name} has no budget, and api/openapi.yaml a 429`);
		if (!named.has('503')) problems.push(`${name} has no 503 in api/openapi.yaml`);
	}
	return problems;
}

function actionsOf(tree) {
	const rows = [...tree.need('daemon/cases/actions.c').matchAll(/^\s*\{ "(\w+)", ACTION_(\w+), /gm)];
	return rows.map(([, name, audience]) => ({ name, audience }));
}

export function actionsAreTransitions(tree) {
	const actions = new Set(actionsOf(tree).map(({ name }) => name));
	if (!actions.size) return ['daemon/cases/actions.c: no action is read'];
	const rows = readTransitions(tree.need('sql/data/transitions.sql'));
	/* A submitted report and what only time or another act does have no row in C. */
	const system = new Set(['system']);
	const people = new Set(rows.filter(({ role, needsCause }) => !system.has(role) && !needsCause)
		.map(({ action }) => action));
	const known = new Set(rows.map(({ action }) => action));
	people.delete('submit');
	// A word is proved by whoever has it, at an address of its own.
	people.delete('prove');
	return [
		...[...actions].filter((name) => !known.has(name)).map((name) => `${name} is an action in C and no transition`),
		...[...people].filter((name) => !actions.has(name)).map((name) => `${name} is a transition of people and no action in C`),
	];
}

export function actionsAreInTheInterface(tree) {
	const text = tree.need('api/openapi.yaml');
	const problems = [];
	for (const { name, audience } of actionsOf(tree))
		if (!new RegExp(String.raw`(/|[\s\[,'"])${name}(?=[\s:,\]'"]|$)`, 'm').test(text))
			problems.push(`${name} (${audience.toLowerCase()}) is not in api/openapi.yaml`);
	return problems;
}

export function procedureIsDrawnAnew(tree) {
	return drawProcedure(tree.need('sql/data/transitions.sql')) === tree.need('sql/PROCEDURE.md') ? []
		: ['sql/PROCEDURE.md is not what sql/data/transitions.sql says: node tests/lint/procedure.mjs --write'];
}

export function suitesAreInTheRunner(tree) {
	const rows = /readonly SUITES='\n([^']*)'/.exec(tree.need('tests/run'))?.[1] ?? '';
	const named = new Set(rows.split('\n').filter(Boolean).map((row) => row.split('|')[0]));
	// What tests/bench says depends on the machine: it is no suite.
	const scripts = new Set(tree.matching(/^tests\/[^/]+\/run$/).map((path) => path.split('/')[1])
		.filter((name) => name !== 'bench'));
	return differences(named, scripts,
		(name) => `tests/run names ${name}, and there is no tests/${name}/run`,
		(name) => `tests/${name}/run is not named in tests/run`);
}

/** Each folder of C has a build file, and each C file stands in the one of its folder. */
export function sourcesAreBuilt(tree) {
	const problems = [];
	for (const path of tree.matching(/^(daemon|api|policy|sql|tests)\/.*\.c$/)) {
		const folder = path.slice(0, path.lastIndexOf('/'));
		const name = path.slice(folder.length + 1);
		const build = `${folder}/meson.build`;
		const stem = name.replace(/^test_|\.c$/g, '');
		if (tree.has('meson.build') && tree.read('meson.build').includes(`'${path}'`)) continue;
		if (!existsSync(join(tree.top, build))) problems.push(`${path}: there is no ${build}`);
		else if (!tree.read(build).includes(name) && !new RegExp(`'${stem}'`).test(tree.read(build)))
			problems.push(`${path}: ${build} does not name it`);
	}
	return problems;
}
