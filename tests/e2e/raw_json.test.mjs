// Hostile JSON bodies over raw sockets: 400 for what is no acceptable JSON, 422 for what has the
// wrong shape; the connection goes on after each.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, exchange, post, start, stop } from './raw.mjs';

before(start);
after(stop);

const report = { wiki: 'enwiki', category: 'doxing', details: 'x' };
const withDetails = (details) => `{"wiki":"enwiki","category":"doxing","details":${details}}`;

const malformed = {
	'nothing': '',
	'only spaces': '   ',
	'a bare word': 'nonsense',
	'half an object': '{"wiki":',
	'a trailing comma': '{"wiki":"enwiki",}',
	'a comment': '{/* */"wiki":"enwiki"}',
	'bytes behind the end': '{"wiki":"enwiki"}x',
	'a second document': '{}{}',
	'a NUL behind the end': '{}\0',
	'a byte order mark': '\xef\xbb\xbf{}',
	'duplicate members': '{"wiki":"enwiki","wiki":"dewiki"}',
	'duplicate members by escape': '{"wiki":"enwiki","\\u0077iki":"dewiki"}',
	'U+0000 by escape': withDetails('"a\\u0000b"'),
	'U+0000 in a member name': '{"wi\\u0000ki":1}',
	'a lone high surrogate': withDetails('"\\ud800"'),
	'a lone low surrogate': withDetails('"\\udc00"'),
	'surrogates in the wrong order': withDetails('"\\udc00\\ud800"'),
	'invalid UTF-8': withDetails('"\xff"'),
	'overlong UTF-8': withDetails('"\xc0\xaf"'),
	'an encoded surrogate': withDetails('"\xed\xa0\x80"'),
	'a raw control character': withDetails('"\n"'),
	'17 levels': '['.repeat(17) + ']'.repeat(17),
	'10,000 levels': '['.repeat(10000),
	'a number beyond every double': '{"wiki":1e400}',
	'an integer beyond 64 bits': '{"wiki":99999999999999999999}',
	'NaN': '{"wiki":NaN}',
	'a text as root': '"text"',
	'a number as root': '1',
};

for (const [name, body] of Object.entries(malformed)) {
	test(`${name} is refused with 400`, () => answered(post(body), 400, 'conduct-malformed-json'));
}

test('an empty object lists every member that is missing', async () => {
	const { errors } = await answered(post('{}'), 422, 'conduct-invalid-body');
	const pointers = errors.map(({ pointer }) => pointer);
	for (const member of ['/category', '/details', '/wiki']) assert.ok(pointers.includes(member));
});

test('an array as root is refused with 422', async () => {
	const { errors } = await answered(post('[]'), 422, 'conduct-invalid-body');
	assert.deepEqual(errors.map(({ pointer }) => pointer), ['']);
});

test('an unknown member is refused with 422', async () => {
	const { errors } = await answered(post(JSON.stringify({ ...report, colour: 'red' })), 422);
	assert.deepEqual(errors.map(({ pointer }) => pointer), ['/colour']);
});

test('members that only the daemon sets are refused with 422', async () => {
	const slipped = { state: 'accepted', reporter_id: 1, revision: 9, severity: 'S4', __proto__: null };
	const { errors } = await answered(post(JSON.stringify({ ...report, ...slipped })), 422);
	assert.deepEqual(errors.map(({ pointer }) => pointer).sort(),
		['/reporter_id', '/revision', '/severity', '/state']);
});

test('every fault is told at once', async () => {
	const { errors } = await answered(post('{"wiki":1,"category":null,"details":"","a/b~c":1}'), 422);
	const pointers = errors.map(({ pointer }) => pointer);
	for (const pointer of ['/wiki', '/details', '/a~1b~0c']) assert.ok(pointers.includes(pointer), pointer);
});

test('a text of 10,001 code points is refused with 422', async () => {
	const { errors } = await answered(post(JSON.stringify({ ...report, details: 'x'.repeat(10001) })), 422);
	assert.deepEqual(errors.map(({ pointer }) => pointer), ['/details']);
});

test('100,000 members cost a refusal, not the server', async () => {
	const members = Array.from({ length: 8000 }, (_, i) => `"${i.toString(36)}":1`).join(',');
	const problem = await answered(post(`{${members}}`), 422);
	assert.ok(problem.errors.length <= 100);
	const large = Array.from({ length: 100000 }, (_, i) => `"${i}":1`).join(',');
	const { answers } = await exchange(post(`{${large}}`));
	assert.equal(answers[0].status, 413);
});

test('a member name of SQL is only a name', async () => {
	const { errors } = await answered(post(JSON.stringify({ ...report, "'; drop table x; --": 1 })), 422);
	assert.deepEqual(errors.map(({ pointer }) => pointer), ["/'; drop table x; --"]);
});

test('trailing spaces are padding', async () => {
	const { errors } = await answered(post('{}'.padEnd(4096)), 422);
	assert.ok(errors.length >= 3);
});
