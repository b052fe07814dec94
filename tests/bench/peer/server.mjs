// The peer: the same SQL functions behind Fastify and pg, as a good Node service would call them. It checks
// the token's signature and claims, the body's shape, the idempotency scope, makes the indexes and the
// receipt, seals and opens words as conductd does (sealing.mjs), and answers alike. One process a core, as conductd has.
import cluster from 'node:cluster';
import { createHash, createHmac, hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { createVerifier } from 'fast-jwt';
import pg from 'pg';
import { Sealer, idOf } from './sealing.mjs';

const setup = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const sealer = new Sealer(setup.vault);
const index_key = Buffer.from(setup.index_key, 'hex');
const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const indexOf = (column, ...values) => hmac(index_key, column, ...values.flatMap(value => ['\x1f', value]));
const bytes = buffer => `\\x${buffer.toString('hex')}`;

const reportSchema = {
	type: 'object',
	required: ['wiki', 'category', 'details'],
	additionalProperties: false,
	properties: {
		wiki: { type: ['string', 'null'] },
		lang: { type: 'string' },
		category: { type: 'string' },
		details: { type: 'string', minLength: 1, maxLength: 10000 },
		privacy: { enum: ['parties', 'handlers', 'restricted'] },
		identity: { enum: ['named', 'sealed', 'anonymous'] },
		incidents: {
			type: 'array',
			maxItems: 20,
			items: {
				type: 'object',
				required: ['venue'],
				additionalProperties: false,
				properties: {
					venue: { enum: ['on_wiki', 'technical_space', 'event', 'off_wiki', 'private_message'] },
					wiki: { type: 'string' },
					page: { type: 'string', maxLength: 512 },
					revision: { type: 'integer', minimum: 0 },
				},
			},
		},
		respondents: {
			type: 'array',
			maxItems: 20,
			items: {
				type: 'object',
				additionalProperties: false,
				properties: { user: { type: 'string', maxLength: 255 } },
			},
		},
		targets: {
			type: 'array',
			maxItems: 20,
			items: { type: 'object', additionalProperties: false, properties: { self: { const: true } } },
		},
	},
};

/** The report as the function takes it: words by id and sealed, names by index, keys as stanzas. */
function makeCase(body, receipt) {
	const ids = [];
	const kinds = [];
	const words = [];
	const add = (id, kind, bytes) => {
		ids.push(id);
		kinds.push(kind);
		words.push(bytes);
	};
	const units = { report: randomUUID(), identity: randomUUID() };
	const id = randomUUID();
	const reporter = randomUUID();
	units.case_file = id;
	const keyOf = unit => {
		const [key, stanza] = sealer.newKey(idOf(unit));
		add(unit, '$vault', stanza);
		return key;
	};
	const reportKey = keyOf(units.report);
	const caseKey = keyOf(units.case_file);
	add(units.report, '$receipt', sealer.receiptStanza(reportKey, idOf(reporter), receipt));
	const word = (key, kind, text) => {
		const content = randomUUID();
		add(content, kind, sealer.sealWord(key, idOf(content), kind, text.normalize('NFC')));
		return content;
	};
	const fold = name => name.normalize('NFC').replaceAll('_', ' ').trim();
	const report = {
		lane: 'standard', harm_type: null, minor_at_risk: false, about_functionary: 'no', privacy: 'handlers',
		identity: 'sealed', publish_after: false, contain: [], unverified: false, lang: 'en', ...body,
		details: word(reportKey, 'details', body.details),
		incidents: (body.incidents ?? []).map(one => ({ ...one, page: one.page && word(caseKey, 'page', one.page),
			revision: one.revision && word(caseKey, 'revision', String(one.revision)) })),
		respondents: (body.respondents ?? []).map(one => ({
			user: word(caseKey, 'name', one.user),
			name_ix: indexOf('name', setup.scope, fold(one.user)).toString('hex'),
			skeleton_ix: indexOf('skeleton', fold(one.user).toLowerCase()).toString('hex'),
		})),
		units,
		report: randomUUID(),
		case: id,
		reporter,
	};
	return { report, ids, kinds, words };
}

const SUBMIT = 'select * from conduct_api_1.submit_report($1::bytea, $2::bytea, $3::bytea, $4::bytea, $5::bytea,'
	+ ' $6::jsonb, $7::uuid[], $8::text[], $9::bytea[])';

function serve() {
	const pool = new pg.Pool({ ...setup.database, max: 10 });
	const verify = createVerifier({ key: setup.key, algorithms: ['RS256'], allowedAud: setup.audience,
		allowedIss: setup.iss, cache: false });
	const app = Fastify({ bodyLimit: 65536, logger: false });

	app.decorateRequest('account', null);
	app.addHook('onRequest', async (request, reply) => {
		try {
			const claims = verify(request.headers.authorization.slice('Bearer '.length));
			request.account = indexOf('id', setup.iss, setup.scope, claims.sub);
		} catch {
			return reply.code(401).send({ errorKey: 'conduct-unauthorized' });
		}
	});

	app.post('/v1/reports', { schema: { body: reportSchema } }, async (request, reply) => {
		const key = request.headers['idempotency-key'];
		if (!key || key.length < 22) {
			return reply.code(400).send({ errorKey: 'conduct-idempotency-key-missing' });
		}
		const secret = randomBytes(16);
		const receipt = sha256(Buffer.from(hkdfSync('sha256', secret, '', 'conductd receipt v1', 32)));
		const scope = sha256(request.account, 'report', key);
		const mac = hmac(Buffer.from(hkdfSync('sha256', key, '', 'conductd idempotency body v1', 32)),
			JSON.stringify(request.body));
		const { report, ids, kinds, words } = makeCase(request.body, secret);
		const { rows: [row] } = await pool.query({ name: 'submit', text: SUBMIT, values: [bytes(request.account),
			bytes(receipt), bytes(scope), bytes(mac), bytes(randomBytes(44)), report, ids, kinds, words] });
		if (row.status !== 201) {
			return reply.code(row.status).send(row.body);
		}
		return reply.code(201).header('Location', '/v1/receipt')
			.send({ ...row.body, receipt: secret.toString('hex'), resources: [], notice: {} });
	});

	/** The words of a row by id, opened: an entry is unit, party, a kind with its length, and bytes. */
	function openAll({ word_ids: ids, words }) {
		const entries = (ids ?? []).map((id, i) => {
			const kindEnd = 33 + words[i][32];
			return { id, unit: words[i].subarray(0, 16), kind: words[i].toString('latin1', 33, kindEnd), bytes: words[i].subarray(kindEnd) };
		});
		const nameOf = (unit, generation) => unit.toString('hex') + generation.toString('hex');
		const keys = new Map(entries.filter(({ kind }) => kind === '$vault')
			.map(({ unit, bytes }) => [nameOf(unit, bytes.subarray(0, 4)), sealer.openKey(unit, bytes)]));
		return new Map(entries.filter(({ kind }) => !kind.startsWith('$')).map(({ id, unit, kind, bytes }) => {
			const word = sealer.openWord(keys.get(nameOf(unit, bytes.subarray(4, 8))), unit, idOf(id), kind, bytes);
			return [id, kind === 'revision' ? Number(word) : word];
		}));
	}

	/** The words of an answer in their places. */
	function fill(value, words) {
		if (Array.isArray(value)) {
			return value.map(item => fill(item, words));
		}
		if (value === null || typeof value !== 'object') {
			return value;
		}
		if (value.$word) {
			return words.get(value.$word) ?? null;
		}
		return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, words)]));
	}

	async function show(request, reply, name, text, values) {
		const { rows: [row] } = await pool.query({ name, text, values });
		return reply.code(row.status).header('Cache-Control', 'no-store')
			.send(fill(row.body, openAll(row)));
	}

	app.get('/v1/cases/:id', (request, reply) => show(request, reply, 'show',
		'select * from conduct_api_1.case_show($1::bytea, $2::uuid)', [bytes(request.account), request.params.id]));
	app.listen({ host: '127.0.0.1', port: setup.port });
}

if (cluster.isPrimary) {
	for (let i = 0; i < setup.processes; i++) {
		cluster.fork();
	}
	cluster.on('exit', () => process.exit(1));
} else {
	serve();
}
