// api/openapi.yaml: linted, with examples of everything, and obeyed by the running daemon. Runs inside
// tests/harness/stack with the modules that tests/contract/run installed.
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { call } from '../harness/api.mjs';
import { endAll, start } from '../harness/beside.mjs';
import { linesOf } from '../harness/lines.mjs';

const run = promisify(execFile);
const top = new URL('../../', import.meta.url).pathname;
const modules = process.env.CONDUCTD_CONTRACT_MODULES;
const dir = process.env.CONDUCTD_CONTRACT_DIR;
const port = Number(process.env.CONDUCTD_PROXY_PORT);
const need = createRequire(`${modules}/`);
const Ajv = need('ajv/dist/2020').default;
const addFormats = need('ajv-formats').default ?? need('ajv-formats');

const METHODS = ['get', 'put', 'post', 'patch', 'delete'];
// Files that send what is no JSON, or ask on sockets of their own, have no place behind a proxy.
const SMALL = ['audit', 'policy', 'grants', 'handling', 'legal_intake', 'scenarios', 'sight'];
const FULL = [...SMALL, 'legal_matter', 'legal_appeal', 'illegal'];
const files = process.env.EFFORT === 'full' ? FULL : SMALL;
// What needs a wiki is walked by tests/identity.
const AT_A_WIKI = ['finishLogin', 'redeemCode'];
const calls = `${dir}/calls.jsonl`;

/** The description as the daemon serves it. */
let description;
before(async () => {
	description = (await call(null, 'GET', '/v1/openapi.json')).body;
});

const follow = node => (node?.$ref ? node.$ref.slice(2).split('/').reduce((at, key) => at[key], description) : node);

function operations() {
	return Object.entries(description.paths).flatMap(([path, item]) =>
		METHODS.filter(method => item[method]).map(method => ({ path, method, ...item[method] }))
	);
}

async function lint(tool, file) {
	const args = {
		redocly: ['lint', '--config', `${top}tests/contract/redocly.yaml`, '--format', 'json', file],
		spectral: ['lint', '-r', `${top}tests/contract/spectral.yaml`, '-F', 'hint', file],
	}[tool];
	try {
		await run(`${modules}/node_modules/.bin/${tool}`, args, { timeout: 60000, maxBuffer: 1 << 24, cwd: dir });
		return '';
	} catch (error) {
		return error.stdout || error.stderr || String(error);
	}
}

for (const tool of ['redocly', 'spectral']) {
	test(`${tool} finds nothing in api/openapi.yaml`, async () => {
		assert.equal(await lint(tool, `${top}api/openapi.yaml`), '');
	});

	test(`${tool} finds an example that its schema refuses`, async () => {
		const text = readFileSync(`${top}api/openapi.yaml`, 'utf8');
		const wrong = text.replace('severity_floor: S3', 'severity_floor: S9');
		assert.notEqual(wrong, text);
		writeFileSync(`${dir}/wrong-${tool}.yaml`, wrong);
		assert.match(await lint(tool, `${dir}/wrong-${tool}.yaml`), /severity_floor/);
	});
}

test('every request body and every answer with a body has an example', () => {
	const missing = [];
	const look = (name, content) => {
		for (const [type, media] of Object.entries(content ?? {})) {
			if (!Object.keys(media.examples ?? {}).length) {
				missing.push(`${name} ${type}`);
			}
		}
	};
	for (const operation of operations()) {
		look(`${operation.operationId} request`, operation.requestBody?.content);
		for (const [status, answer] of Object.entries(operation.responses)) {
			look(`${operation.operationId} ${status}`, follow(answer).content);
		}
	}
	assert.deepEqual(missing, []);
});

test('every action has an example that its own schema accepts', () => {
	const ajv = new Ajv({ strict: false, allErrors: true });
	addFormats(ajv);
	ajv.addSchema({ ...description, $id: 'openapi' });
	for (const [id, prefix] of [['act', 'CaseAction'], ['actAsParty', 'PartyAction']]) {
		const { parameters, requestBody } = operations().find(operation => operation.operationId === id);
		const actions = parameters.map(follow).find(parameter => parameter.name === 'action').schema.enum;
		const { examples } = requestBody.content['application/json'];
		assert.deepEqual(Object.keys(examples), actions);
		for (const action of actions) {
			const validate = ajv.getSchema(`openapi#/components/schemas/${prefix}.${action}`);
			assert.ok(validate(follow(examples[action]).value), `${action}: ${JSON.stringify(validate.errors)}`);
		}
	}
});

/**
 * What Prism reads: the description, with the one path whose parameter has slashes spelt out, which
 * its router cannot match otherwise.
 */
function forPrism(change = () => {}) {
	const copy = structuredClone(description);
	const rule = copy.paths['/v1/policy/rules/{id}'];
	delete copy.paths['/v1/policy/rules/{id}'];
	const parts = ['source', 'section', 'name'];
	rule.get.parameters = [
		...rule.get.parameters.filter(parameter => !parameter.$ref.endsWith('/rule')),
		...parts.map(name => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
	];
	copy.paths['/v1/policy/rules/{source}/{section}/{name}'] = rule;
	change(copy);
	return copy;
}

const isListening = () =>
	new Promise(resolve => {
		const socket = connect(port, '127.0.0.1', () => {
			socket.destroy();
			resolve(true);
		}).on('error', () => resolve(false));
	});

/** Runs work with Prism before the API; everything is passed on, what is wrong is told in a header. */
async function withPrism(document, work, behind = process.env.CONDUCTD_BASE) {
	writeFileSync(`${dir}/prism.json`, JSON.stringify(document));
	const prism = spawn(
		`${modules}/node_modules/.bin/prism`,
		['proxy', `${dir}/prism.json`, behind, '-p', String(port), '--cors', 'false', '-v', 'fatal'],
		{ stdio: 'ignore' }
	);
	try {
		const until = Date.now() + 60000;
		while (!(await isListening())) {
			assert.ok(Date.now() < until && prism.exitCode === null, 'Prism does not start');
			await new Promise(resolve => setTimeout(resolve, 100));
		}
		return await work();
	} finally {
		prism.kill('SIGTERM');
		await new Promise(resolve => (prism.exitCode !== null || prism.signalCode ? resolve() : prism.once('exit', resolve)));
	}
}

/** Runs one test file through the proxy, which must not make a difference. */
async function runFile(file) {
	const env = { ...process.env, CONDUCTD_PROXY: `http://127.0.0.1:${port}`, CONDUCTD_CALLS: calls };
	delete env.NODE_TEST_CONTEXT;
	const { stdout } = await run(`${top}tests/harness/node-suite`, [file], { env, timeout: 300000, maxBuffer: 1 << 24 }).catch(
		error => error
	);
	assert.match(stdout, /\n[1-9]\d* passed, 0 failed\n$/, stdout);
}

const readCalls = () => linesOf(calls).map(line => JSON.parse(line));
const violationsOf = (entry, side) => entry.violations.filter(({ location }) => location[0] === side);
const say = ({ method, path, status, violations }) => `${method} ${path} ${status}: ${JSON.stringify(violations)}`;

/** Emergencies are taken with members that nobody knows, and public pages with whatever credentials. */
function isTolerated({ path, sent }, { message }) {
	return (path === '/v1/reports' && sent?.lane === 'emergency') || message === 'Invalid security scheme used';
}

test('through the proxy the tests of tests/e2e find what they find without', async context => {
	rmSync(calls, { force: true });
	await withPrism(forPrism(), async () => {
		for (const file of [...files.map(name => `${top}tests/e2e/${name}.test.mjs`), `${top}tests/contract/rest.test.mjs`]) {
			await context.test(file.slice(top.length), () => runFile(file));
		}
	});
});

test('no answer breaks the description', () => {
	const wrong = readCalls().filter(entry => violationsOf(entry, 'response').length);
	assert.deepEqual(wrong.map(say), []);
});

test('no request that breaks the description is accepted', () => {
	const wrong = readCalls().filter(entry =>
		entry.status < 300 && violationsOf(entry, 'request').some(violation => !isTolerated(entry, violation)));
	assert.deepEqual(wrong.map(say), []);
});

test('every operation was seen to succeed', context => {
	const seen = readCalls().filter(({ status }) => status < 300);
	const unseen = operations().filter(({ path, method, operationId }) => {
		if (AT_A_WIKI.includes(operationId)) {
			return false;
		}
		const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replace('rules/{id}', 'rules/.+').replace(/\{\w+\}/g, '[^/]+')}$`);
		return !seen.some(entry => entry.method.toLowerCase() === method && pattern.test(entry.path.split('?')[0]));
	});
	assert.deepEqual(unseen.map(({ path, method }) => `${method} ${path}`), []);
	context.diagnostic(`note: ${readCalls().length} calls, ${operations().length} operations`);
});

test('who has used up a budget is told so as described', async () => {
	const limited = await start('limited', port + 1, text => text);
	try {
		rmSync(calls, { force: true });
		await withPrism(forPrism(), () => runFile(`${top}tests/contract/limits.test.mjs`), limited.url.origin);
	} finally {
		await endAll();
	}
	const refused = readCalls().filter(({ status }) => status === 429);
	assert.deepEqual([...new Set(refused.map(({ path }) => path))].sort(), ['/v1/me', '/v1/receipt', '/v1/reports']);
	assert.deepEqual(readCalls().filter(entry => violationsOf(entry, 'response').length).map(say), []);
});

test('the proxy finds an answer that breaks the description', async () => {
	const broken = forPrism(copy => {
		copy.components.schemas.Me.properties.bodies.items = { type: 'integer' };
		copy.components.schemas.Me.required.push('absent');
	});
	rmSync(calls);
	await withPrism(broken, () => runFile(`${top}tests/e2e/grants.test.mjs`));
	const found = readCalls().filter(({ path }) => path === '/v1/me');
	assert.ok(found.length);
	assert.ok(found.every(entry => violationsOf(entry, 'response').length), found.map(say).join('\n'));
});
