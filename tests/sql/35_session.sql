-- Sessions: how long they last, that a code is good once and for one page, and what logout ends.
create function t.open(p_name text, p_kind text, p_who text default 'Rep', p_seconds integer default 999999,
	p_origin text default 'https://aa.example', p_from text default null) returns text language sql
as $$
	select status || ' ' || (body ->> case when status = 201 then 'seconds' else 'errorKey' end)
	from conduct_api_1.session_open(t.ix(p_name), p_kind, t.ix('id:' || p_who),
		convert_to(rpad(p_name, 40, '.'), 'UTF8'), case when p_kind <> 'cookie' then p_origin end, p_seconds,
		t.ix(p_from))
$$;
create function t.find(p_name text, p_kind text default 'cookie', p_origin text default null) returns text
language sql
as $$
	select status || ' ' || coalesce(rtrim(convert_from(decode(body ->> 'sealed', 'hex'), 'UTF8'), '.'),
		body ->> 'errorKey')
	from conduct_api_1.session_find(t.ix(p_name), p_kind, p_origin)
$$;
create function t.take(p_name text, p_origin text default 'https://aa.example') returns text language sql
as $$
	select status || ' ' || coalesce(rtrim(convert_from(decode(body ->> 'sealed', 'hex'), 'UTF8'), '.'),
		body ->> 'errorKey')
	from conduct_api_1.session_take_code(t.ix(p_name), p_origin)
$$;
create function t.wait(p_seconds integer) returns void language sql
as $$ update conduct.clock_offset set shift_seconds = shift_seconds + p_seconds $$;

\echo a cookie lasts eight hours, or as long as the token, or fifteen minutes without use
select t.open('long', 'cookie'), t.open('short', 'cookie', 'Rep', 600), t.open('over', 'cookie', 'Rep', -5);
select t.find('long'), t.find('short'), t.find('nobody');
select t.wait(601) \g /dev/null
select t.find('long'), t.find('short');
select t.wait(899) \g /dev/null
select t.find('long');
select t.wait(901) \g /dev/null
select t.find('long');
select t.open('busy', 'cookie') \g /dev/null
select count(*) filter (where t.find('busy') = '200 busy') from (
	select t.wait(840) from generate_series(1, 34)) w;
select t.find('busy');
select t.wait(240) \g /dev/null
select t.find('busy');

\echo use is not noted with each request
select t.open('noted', 'cookie') \g /dev/null
select expires_at as before from conduct.session where session_hash = t.ix('noted') \gset
select t.wait(29), t.find('noted') \g /dev/null
select expires_at = :'before' from conduct.session where session_hash = t.ix('noted');
select t.wait(2), t.find('noted') \g /dev/null
select expires_at > :'before' from conduct.session where session_hash = t.ix('noted');

\echo a secret is good for its own kind and page alone
select t.open('c1', 'code');
select t.find('noted', 'bearer'), t.find('c1', 'code', 'https://aa.example'), t.find('c1');
select t.take('noted'), t.find('noted');

\echo a code is taken once, in sixty seconds, by its own page
select t.take('c1'), t.open('b1', 'bearer', p_from => 'c1');
select t.find('b1', 'bearer', 'https://aa.example'), t.find('b1', 'bearer', 'https://bb.example'),
	t.find('b1', 'bearer'), t.find('b1');
select t.wait(61), t.open('c2', 'code') \g /dev/null
select t.wait(61) \g /dev/null
select t.take('c2');
select t.open('c3', 'code') \g /dev/null
select t.take('c3', 'https://bb.example'), t.take('c3');

\echo a code that comes a second time takes its bearer with it, made or still to be made
select t.find('b1', 'bearer', 'https://aa.example'), t.take('c1'), t.find('b1', 'bearer', 'https://aa.example');
select t.open('c4', 'code') \g /dev/null
select t.take('c4') \g /dev/null
select t.take('c4'), t.open('b4', 'bearer', p_from => 'c4');

\echo a bearer needs its code, of the same account and page, and lasts an hour
select t.open('c5', 'code') \g /dev/null
select t.open('b5', 'bearer', p_from => 'c5');
select t.take('c5') \g /dev/null
select t.open('b5', 'bearer', 'Fa', p_from => 'c5'), t.open('b5', 'bearer', p_origin => 'https://bb.example',
	p_from => 'c5'), t.open('b5', 'bearer', p_from => 'nothing'), t.open('b5', 'bearer', p_from => 'c5');
select t.wait(3599), t.find('b5', 'bearer', 'https://aa.example') as in_time;
select t.wait(1), t.find('b5', 'bearer', 'https://aa.example') as too_late;

\echo a login ends what the browser had before, and nothing else
select t.open('o0', 'cookie'), t.open('c6', 'code'), t.open('o1', 'cookie', p_from => 'o0'),
	t.open('o2', 'cookie', p_from => 'c6'), t.open('o3', 'cookie', p_from => 'nothing');
select t.find('o0'), t.find('o1'), t.take('c6');
\echo logout ends one, or all of the account
select t.open('other', 'cookie', 'Fa') \g /dev/null
select status from conduct_api_1.session_close(t.ix('o1'), false);
select t.find('o1'), t.find('o2'), t.find('o3');
select status from conduct_api_1.session_close(t.ix('o2'), true);
select t.find('o2'), t.find('o3'), t.find('other');
select status from conduct_api_1.session_close(t.ix('o2'), true);
select t.find('other');

\echo one account has twenty at most
select count(t.open('many' || n, 'cookie', 'Fb')) from generate_series(1, 22) n;
select count(*) from conduct.session where id_ix = t.ix('id:Fb');
\echo what ended an hour ago is swept, in pieces, and nothing that lives; keys after their day
select t.open('code', 'code', 'Fb'), t.take('code'), t.open('bearer', 'bearer', 'Fb', p_from => 'code');
select count(*) > 20 as is_more_than_twenty, count(distinct kind) as kinds from conduct.session;
select body from conduct_api_1.sweep(1000);
select t.wait(3600 + 61 + 1), t.open('last', 'cookie', 'Fb') \g /dev/null
select count(*) filter (where kind = 'code') as codes, count(*) filter (where kind = 'bearer') as bearers
from conduct.session where session_hash in (t.ix('code'), t.ix('bearer'));
select body ->> 'is_more' from conduct_api_1.sweep(1);
select body ->> 'is_more' from conduct_api_1.sweep(1000);
select kind, count(*) from conduct.session where session_hash in (t.ix('code'), t.ix('bearer'), t.ix('last'))
group by kind order by kind;
select t.wait(8 * 3600 + 3601), t.open('later', 'cookie', 'Fb') \g /dev/null
select status from conduct_api_1.sweep(1000);
select session_hash = t.ix('later') as is_the_last from conduct.session;
select (conduct_api_1.claim_row(t.ix('old key'), t.ix('mac'), conduct.clock() - interval '1 day 1 second')).scope is null
	as is_new_key, (conduct_api_1.claim_row(t.ix('new key'), t.ix('mac'), conduct.clock() - interval '23 hours')).scope
	is null as is_new_key;
select body ->> 'keys' as swept_keys from conduct_api_1.sweep(1000);
select count(*) from conduct.idempotency where scope in (t.ix('old key'), t.ix('new key'));

\echo nothing longer can be stored, and nothing without its page
select t.attempt('a cookie of nine hours', $$insert into conduct.session values (t.ix('x'), 'cookie', t.ix('y'),
	t.ix('z'), null, null, now(), null, now(), now() + interval '9 hours')$$);
select t.attempt('a code of two minutes', $$insert into conduct.session values (t.ix('x'), 'code', t.ix('y'),
	t.ix('z'), 'https://aa.example', null, now(), null, now(), now() + interval '2 minutes')$$);
select t.attempt('a bearer of no page', $$insert into conduct.session values (t.ix('x'), 'bearer', t.ix('y'),
	t.ix('z'), null, t.ix('c'), now(), null, now(), now() + interval '1 minute')$$);
select t.attempt('a bearer of no code', $$insert into conduct.session values (t.ix('x'), 'bearer', t.ix('y'),
	t.ix('z'), 'https://aa.example', null, now(), null, now(), now() + interval '1 minute')$$);
