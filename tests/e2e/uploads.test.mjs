// Files: brought by a receipt or by those who handle the case, sealed in pieces, hashed, read by who may. What
// is brought stays, and makes every bundle of the log larger: other files of this suite that export it go first.
import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { assertProblem, base, call, expectCall, people, query, reportBody } from '../harness/api.mjs';
import { endAll, processes, start, until } from '../harness/beside.mjs';
import { personOf, reported, unknownId } from '../harness/cases.mjs';

const MIB = 1024 * 1024;
const own = '/v1/receipt/attachments';
const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('\0\0\0\rIHDR of a canary picture')]);
// A directory of one entry, which points to where it was.
const placed = Buffer.concat([
	Buffer.from('ffd8ffe10040', 'hex'), Buffer.from('Exif\0\0MM\0*'), Buffer.from('000000080001', 'hex'),
	Buffer.from('88250004000000010000001a', 'hex'), Buffer.alloc(100),
]);
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex');
// Of the ordinary build, whose memory can be measured and whose processes may be killed.
let plain;
before(async () => { plain = await start('attachment', Number(base.port) + 70, text => text); });
after(endAll);

const paths = c => `/v1/cases/${c.id}/attachments`;

const bring = (c, bytes, name = 'file', options = {}) => call({ receipt: c.receipt }, 'POST', own, {
	raw: bytes, ...options, headers: { 'Conduct-Filename': encodeURIComponent(name), ...options.headers },
});
async function brought(c, bytes, name) {
	const answer = await bring(c, bytes, name);
	assert.equal(answer.status, 201, answer.text);
	return answer.body;
}

/** A download as bytes. */
function fetchFile(who, path, headers = {}, method = 'GET', url = base) {
	return new Promise((resolve, reject) => {
		const request = http.request({
			host: url.hostname, port: url.port, method, path,
			headers: { Authorization: `Bearer ${people[who].token}`, ...headers },
		}, response => {
			const chunks = [];
			response.on('data', chunk => chunks.push(chunk));
			response.on('error', reject);
			response.on('end', () => resolve({
				status: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks),
			}));
		});
		request.on('error', reject);
		request.end();
	});
}

test('a file that a reporter brings is read by who handles the case, as it came, and that is written down', async () => {
	const c = await reported();
	const bytes = randomBytes(3 * 65536 + 1234);
	const file = await brought(c, bytes, 'Beweis 1 – Ü.bin');
	assert.deepEqual([file.media_type, file.size, file.warnings], ['application/octet-stream', bytes.length, []]);
	const { body } = await expectCall(200, 'functionary', 'GET', paths(c));
	assert.equal(body.next, null);
	assert.equal(body.items.length, 1);
	const [item] = body.items;
	assert.equal(item.id, file.id);
	assert.equal(item.name, 'Beweis 1 – Ü.bin');
	assert.equal(item.sha256, sha256(bytes));
	assert.deepEqual([item.source, item.author, item.readings], ['upload', null, []]);
	const answer = await fetchFile('functionary', `${paths(c)}/${file.id}`);
	assert.equal(answer.status, 200);
	assert.ok(answer.bytes.equals(bytes));
	const { items: [after] } = (await expectCall(200, 'functionary', 'GET', paths(c))).body;
	assert.deepEqual(after.readings.map(r => [r.person, r.from]), [[await personOf('functionary'), 0]]);
	// What lies in the database is none of it, and its hashes are in the log with its row.
	const chunks = await query(`select nth, octet_length(body), encode(substr(body, 1, 4), 'hex')
		from conduct.attachment_chunk where attachment_id = '${file.id}' order by nth`);
	assert.deepEqual(chunks, [['0', '65572', 'c5d20101'], ['1', '65572', 'c5d20101'], ['2', '65572', 'c5d20101'],
		['3', '1270', 'c5d20101']]);
	await until('each piece stands in the log by its hash', async () => (await query(`select count(*)
		from conduct.attachment_chunk c join conduct.audit_leaf l on position(uuid_send(c.chunk_id) || c.hash in l.leaf) > 0
		where c.attachment_id = '${file.id}' and c.hash = sha256(c.body)`))[0][0] === '4');
});

test('what a browser gets is saved, not shown, and never runs', async () => {
	const c = await reported();
	const script = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>');
	const file = await brought(c, script, 'picture.svg');
	assert.equal(file.media_type, 'text/plain');
	const { headers } = await fetchFile('functionary', `${paths(c)}/${file.id}`);
	assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
	assert.equal(headers['content-disposition'], 'attachment; filename="picture.svg"; filename*=UTF-8\'\'picture.svg');
	assert.equal(headers['x-content-type-options'], 'nosniff');
	assert.match(headers['content-security-policy'], /^sandbox; default-src 'none'/);
	assert.equal(headers['cache-control'], 'no-store');
	assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
	assert.equal(headers['accept-ranges'], 'bytes');
	assert.equal(headers.etag, `"${file.id}"`);
});

test('the type is what the bytes say, whatever the client calls it', async () => {
	const c = await reported();
	for (const [bytes, type] of [
		[png, 'image/png'],
		[Buffer.from('<!DOCTYPE html><script>alert(1)</script>'), 'text/plain'],
		[Buffer.from('GIF89a=1;alert(1)'), 'image/gif'],
		[Buffer.from('PK\x03\x04', 'latin1'), 'application/octet-stream'],
	]) {
		const answer = await bring(c, bytes, 'x', { headers: { 'Content-Type': 'text/html' } });
		assert.equal(answer.status, 201, answer.text);
		assert.equal(answer.body.media_type, type);
	}
});

test('who sends a picture that says where it was made is told so', async () => {
	const c = await reported();
	const file = await brought(c, placed, 'home.jpg');
	assert.deepEqual(file.warnings, ['location', 'metadata']);
	assert.match(file.messageTranslations.en, /where it was made/);
	assert.match(file.messageTranslations.de, /entstanden/);
	assert.ok(!('messageTranslations' in await brought(c, png)));
});

test('names are what is left when folders, directions and what hides is taken away', async () => {
	const c = await reported();
	const names = [
		['../../etc/passwd', 'passwd'], ['C:\\fakepath\\a.png', 'a.png'], ['.htaccess', 'htaccess'],
		['a\u202egnp.exe', 'agnp.exe'], ['a\r\nSet-Cookie: x=y', 'aSet-Cookie_ x=y'], ['..', 'file'],
		['a"b.txt', 'a_b.txt'], ['e\u0301.txt', '\u00e9.txt'], ['x'.repeat(300), 'x'.repeat(200)],
	];
	for (const [name] of names) {
		await brought(c, png, name);
	}
	const { items } = (await expectCall(200, 'functionary', 'GET', paths(c))).body;
	assert.deepEqual(items.map(item => item.name), names.map(([, clean]) => clean));
	const answer = await fetchFile('functionary', `${paths(c)}/${items[4].id}`);
	assert.ok(!('set-cookie' in answer.headers));
	assertProblem(await bring(c, png, 'x', { headers: { 'Conduct-Filename': '%ff%fe' } }), 400, 'conduct-bad-filename');
	assertProblem(await bring(c, png, 'x', { headers: { 'Conduct-Filename': '%zz' } }), 400, 'conduct-bad-filename');
	const answerless = await call({ receipt: c.receipt }, 'POST', own, { raw: png });
	assert.equal(answerless.status, 201);
});

test('a download that was cut goes on', async () => {
	const c = await reported();
	const bytes = randomBytes(200000);
	const path = `${paths(c)}/${(await brought(c, bytes)).id}`;
	const { headers: { etag } } = await fetchFile('functionary', path, {}, 'HEAD');
	for (const [range, from, to] of [
		['bytes=0-0', 0, 1], ['bytes=65535-65536', 65535, 65537], ['bytes=70000-', 70000, 200000],
		['bytes=-5', 199995, 200000], ['bytes=199999-999999', 199999, 200000], ['bytes=-999999', 0, 200000],
	]) {
		const answer = await fetchFile('functionary', path, { Range: range, 'If-Range': etag });
		assert.equal(answer.status, 206, range);
		assert.equal(answer.headers['content-range'], `bytes ${from}-${to - 1}/200000`);
		assert.ok(answer.bytes.equals(bytes.subarray(from, to)), range);
	}
	for (const headers of [
		{ Range: 'bytes=0-1,5-6' }, { Range: 'items=0-1' }, { Range: 'bytes=5-2' }, { Range: 'bytes=' },
		{ Range: 'bytes=0-1', 'If-Range': '"other"' }, { Range: 'bytes=0-1', 'If-Range': `W/${etag}` },
	]) {
		const answer = await fetchFile('functionary', path, headers);
		assert.equal(answer.status, 200, JSON.stringify(headers));
		assert.ok(answer.bytes.equals(bytes));
	}
	for (const range of ['bytes=200000-', 'bytes=-0']) {
		const beyond = await fetchFile('functionary', path, { Range: range });
		assert.equal(beyond.status, 416, range);
		assert.equal(beyond.headers['content-range'], 'bytes */200000');
	}
	const head = await fetchFile('functionary', path, {}, 'HEAD');
	assert.deepEqual([head.status, head.headers['content-length'], head.bytes.length], [200, '200000', 0]);
	const same = await fetchFile('functionary', path, { 'If-None-Match': etag, Range: 'bytes=0-1' });
	assert.deepEqual([same.status, same.bytes.length], [304, 0]);
	// Where each began is written down.
	const froms = await query(`select from_byte from conduct.attachment_read
		where attachment_id = '${path.split('/').pop()}' order by at`);
	assert.ok(froms.some(([from]) => from === '70000') && froms.some(([from]) => from === '199995'));
});

test('a file is seen by nobody who does not see the case', async () => {
	const c = await reported({ exclude_handlers: [{ user: people.functionary5.user, reason: 'A friend of his.' }] });
	const other = await reported();
	const file = await brought(c, png);
	const path = `${paths(c)}/${file.id}`;
	const absent = await call('functionary', 'GET', `${paths(c)}/${unknownId()}`);
	assertProblem(absent, 404, 'conduct-not-found');
	for (const [who, target] of [
		['functionary5', path], ['functionary5', paths(c)], ['functionary_dewiki', path], ['reporter', path],
		['functionary', `${paths(other)}/${file.id}`], ['functionary', `${paths(c)}/x`],
	].filter(([who]) => people[who])) {
		const answer = await call(who, 'GET', target);
		assert.ok([403, 404].includes(answer.status), `${who} ${target}: ${answer.status}`);
		if (answer.status === 404) {
			assert.equal(answer.text, absent.text);
		}
	}
	assertProblem(await call('functionary5', 'POST', paths(c), { raw: png }), 404, 'conduct-not-found');
	assertProblem(await call(null, 'GET', path), 401);
	assertProblem(await call({ receipt: c.receipt }, 'GET', path), 401);
	assert.deepEqual(await query(`select count(*) from conduct.attachment_read where attachment_id = '${file.id}'`), [['0']]);
	// A receipt brings files to its own case alone.
	assert.equal(await countOf('attachment', other), 0);
});

test('who handles a case adds files to it', async () => {
	const c = await reported();
	const answer = await call('functionary', 'POST', paths(c), { raw: png, headers: { 'Conduct-Filename': 'log.png' } });
	assert.equal(answer.status, 201, answer.text);
	const { items: [item] } = (await expectCall(200, 'functionary2', 'GET', paths(c))).body;
	assert.deepEqual([item.name, item.author, item.party], ['log.png', await personOf('functionary'), null]);
});

test('ten files and no more, of ten megabytes and no more, and none that is empty', async () => {
	const c = await reported();
	for (let i = 0; i < 10; i++) {
		await brought(c, png, `${i}.png`);
	}
	const eleventh = assertProblem(await bring(c, png), 409, 'conduct-attachments-full');
	assert.match(eleventh.detail, /10/);
	const other = await reported();
	assertProblem(await bring(other, Buffer.alloc(0)), 422, 'conduct-attachment-empty');
	const pages = [];
	let path = `${paths(c)}?limit=4`;
	while (path) {
		const { body } = await expectCall(200, 'functionary', 'GET', path);
		pages.push(body.items.length);
		path = body.next && `${paths(c)}?limit=4&cursor=${body.next}`;
	}
	assert.deepEqual(pages, [4, 4, 2]);
});

/** A raw request: what the server says to a head alone. */
function say(head, after = '') {
	return new Promise((resolve, reject) => {
		const socket = net.connect(base.port, base.hostname);
		let text = '';
		socket.setTimeout(20000, () => socket.destroy(new Error(`no answer to ${head}`)));
		socket.on('error', reject);
		socket.on('data', data => {
			text += data.toString('latin1');
			if (text.startsWith('HTTP/1.1 100') && after) {
				socket.write(after);
				after = '';
			}
		});
		socket.on('close', () => resolve(text));
		socket.write(head);
	});
}

test('what will be refused is refused before it is sent', async () => {
	const c = await reported();
	const head = (receipt, length, more = '') => `POST ${own} HTTP/1.1\r\nHost: ${base.host}\r\nAuthorization: Receipt ${receipt}\r\n`
		+ `Idempotency-Key: ${randomUUID()}\r\nConnection: close\r\nContent-Length: ${length}\r\n${more}\r\n`;
	const expect = 'Expect: 100-continue\r\n';
	assert.match(await say(head(c.receipt, 10 * MIB + 1)), /^HTTP\/1\.1 413 /);
	assert.match(await say(head('0'.repeat(5), 5 * MIB, expect)), /^HTTP\/1\.1 40[14] /);
	assert.match(await say(head(c.receipt, 5 * MIB, `${expect}Conduct-Filename: %ff\r\n`)), /^HTTP\/1\.1 400 /);
	assert.match(await say(head(c.receipt, 5, `${expect}`), 'hello'), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /);
	assert.match(await say(head(c.receipt, 5).replace('Content-Length: 5', 'Transfer-Encoding: chunked')), /^HTTP\/1\.1 501 /);
});

test('the same request again gets the same answer, and another file under its key none', async () => {
	const c = await reported();
	const bytes = randomBytes(150000);
	const key = randomUUID();
	const first = await bring(c, bytes, 'a.bin', { key });
	assert.equal(first.status, 201, first.text);
	const again = await bring(c, bytes, 'a.bin', { key });
	assert.equal(again.status, 201, again.text);
	assert.deepEqual(again.body, first.body);
	bytes[149999] ^= 1;
	assertProblem(await bring(c, bytes, 'a.bin', { key }), 422, 'conduct-idempotency-key-reused');
	bytes[149999] ^= 1;
	assertProblem(await bring(c, bytes, 'b.bin', { key }), 422, 'conduct-idempotency-key-reused');
	assert.equal(await countOf('attachment', c), 1);
	assert.equal(await countOf('attachment_upload', c), 0);
	assert.equal(await countOf('attachment_chunk', c), 3);
});

const countOf = async (table, c) => Number((await query(`select count(*) from conduct.${table} where case_id = '${c.id}'`))[0][0]);

/** Sends half a file. */
async function leaveHalfway(c, key, { size = MIB, url = base } = {}) {
	const socket = net.connect(url.port, url.hostname);
	socket.on('error', () => {});
	socket.write(`POST ${own} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Receipt ${c.receipt}\r\n`
		+ `Idempotency-Key: ${key}\r\nContent-Length: ${size}\r\n\r\n`);
	socket.write(randomBytes(size / 2));
	// Whoever says nothing for long is given up.
	const timer = setInterval(() => socket.write('x'), 1000);
	socket.on('close', () => clearInterval(timer));
	await until('half of it is put away', async () => Number((await query(`select count(*) from conduct.attachment_chunk
		join conduct.attachment_upload u using (attachment_id) where u.case_id = '${c.id}'`))[0][0]) >= 2);
	return socket;
}

test('what a client leaves halfway is forgotten, and its key is as good as new', async () => {
	const c = await reported();
	const key = randomUUID();
	(await leaveHalfway(c, key)).destroy();
	await until('it is forgotten', async () => await countOf('attachment_chunk', c) === 0);
	assert.equal(await countOf('attachment_upload', c), 0);
	const answer = await bring(c, png, 'a.png', { key });
	assert.equal(answer.status, 201, answer.text);
	const { items } = (await expectCall(200, 'functionary', 'GET', paths(c))).body;
	assert.equal(items.length, 1);
});

test('a second try takes the place of the first, which is told so', async () => {
	const c = await reported();
	const key = randomUUID();
	const socket = await leaveHalfway(c, key);
	let text = '';
	socket.on('data', data => { text += data; });
	const answer = await bring(c, png, 'a.png', { key });
	assert.equal(answer.status, 201, answer.text);
	socket.write(randomBytes(MIB / 4));
	await until('the first is told', () => text.includes('\r\n\r\n'));
	assert.match(text, /^HTTP\/1\.1 409 /);
	socket.destroy();
	assert.equal(await countOf('attachment', c), 1);
});

test('where sexual material of minors may be meant, links alone are taken', async () => {
	const c = await reported({ category: 'sexual-harassment', minor_at_risk: true });
	assertProblem(await bring(c, png), 409, 'conduct-attachments-not-taken');
	assert.equal(await countOf('attachment_upload', c), 0);
});

/** Proportional memory of the web processes, in KiB. */
const memoryOfWeb = () => processes(plain, 'web').reduce((sum, pid) =>
	sum + Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))[1]), 0);

test('eight files of ten megabytes at once are taken and given back, and memory does not grow with them', async t => {
	const cs = [];
	for (let i = 0; i < 8; i++) {
		cs.push(await reported());
	}
	const bytes = randomBytes(10 * MIB);
	const at = memoryOfWeb();
	let most = at;
	const timer = setInterval(() => { most = Math.max(most, memoryOfWeb()); }, 100);
	const answers = await Promise.all(cs.map(c => bring(c, bytes, 'large.bin', { url: plain.url })));
	const files = await Promise.all(answers.map((answer, i) => {
		assert.equal(answer.status, 201, answer.text);
		return fetchFile('functionary', `${paths(cs[i])}/${answer.body.id}`, {}, 'GET', plain.url);
	}));
	clearInterval(timer);
	for (const file of files) {
		assert.equal(file.status, 200);
		assert.ok(file.bytes.equals(bytes));
	}
	t.diagnostic(`note: web had ${at} KiB, and ${most} KiB at most with 8 files of 10 MiB in and out at once`);
	assert.ok(most - at < 16 * 1024, `${most - at} KiB more`);
});

test('a web process that dies takes nothing along that was acknowledged, and leaves nothing half', async () => {
	const c = await reported();
	const kept = await bring(c, randomBytes(200000), 'kept.bin', { url: plain.url });
	assert.equal(kept.status, 201, kept.text);
	const key = randomUUID();
	const socket = await leaveHalfway(c, key, { url: plain.url });
	for (const pid of processes(plain, 'web')) {
		process.kill(pid, 'SIGKILL');
	}
	await until('the client is told', () => socket.destroyed);
	await until('web is back', () => call(null, 'GET', '/v1/policy?wiki=enwiki', { url: plain.url })
		.then(answer => answer.status === 200, () => false));
	assert.equal(await countOf('attachment', c), 1);
	assert.equal(await countOf('attachment_upload', c), 1);
	const list = (await expectCall(200, 'functionary', 'GET', paths(c))).body.items;
	assert.deepEqual(list.map(item => item.id), [kept.body.id]);
	const whole = randomBytes(MIB);
	const again = await bring(c, whole, 'a.bin', { key, url: plain.url });
	assert.equal(again.status, 201, again.text);
	assert.ok((await fetchFile('functionary', `${paths(c)}/${again.body.id}`, {}, 'GET', plain.url)).bytes.equals(whole));
	assert.equal(await countOf('attachment_upload', c), 0);
});
