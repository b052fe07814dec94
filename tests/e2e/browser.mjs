// A browser as far as signing in needs one: it keeps cookies, says where a request comes from, and reads the
// two pages. It follows nothing by itself.
import assert from 'node:assert/strict';
import { base, call, expectCall, people } from '../harness/api.mjs';

export const own = `http://${base.host}`;
export const wiki = 'https://en.wikipedia.org';
export const SESSION = '__Host-conductd';
export const LOGIN = '__Host-conductd-login';

export class Browser {
	cookies = new Map();

	/** What a page of our own sends along: `from` is another origin, or null for a typed address. */
	async request(method, path, { from = own, html = false, headers = {}, ...more } = {}) {
		const all = { ...headers };
		if (this.cookies.size) {
			all.Cookie ??= [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
		}
		if (html) {
			all.Accept ??= 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8';
		}
		if (method !== 'GET' && from) {
			all.Origin ??= from;
			all['Sec-Fetch-Site'] ??= from === own ? 'same-origin' : 'cross-site';
		}
		const answer = await call(null, method, path, { ...more, headers: all });
		for (const line of answer.headers['set-cookie'] ?? []) {
			const [pair, ...attributes] = line.split('; ');
			const at = pair.indexOf('=');
			if (attributes.includes('Max-Age=0')) {
				this.cookies.delete(pair.slice(0, at));
			} else {
				this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
			}
		}
		return answer;
	}

	get(path, options) {
		return this.request('GET', path, options);
	}

	post(path, options) {
		return this.request('POST', path, options);
	}

	/** The chooser, and the state that it carries. */
	async begin(returnTo, options = {}) {
		const query = returnTo === undefined ? '' : `?return_to=${encodeURIComponent(returnTo)}`;
		const page = await this.get(`/v1/auth/start${query}`, { html: true, ...options });
		assert.equal(page.status, 200, page.text);
		return { page, state: /name="state" value="([\w-]{43})"/.exec(page.text)[1] };
	}

	callback(who, state, options = {}) {
		const query = new URLSearchParams({ state, code: idOf(who) });
		return this.get(`/v1/auth/callback?${query}`, { html: true, ...options });
	}

	async signIn(who, returnTo) {
		const { state } = await this.begin(returnTo);
		const answer = await this.callback(who, state);
		assert.equal(answer.status, 303, answer.text);
		return answer;
	}

	/** The code that the popup of a gadget on `origin` hands over. */
	async popup(who, origin = wiki) {
		const { state } = await this.begin(origin);
		const page = await this.callback(who, state);
		assert.equal(page.status, 200, page.text);
		const [, code, told] = /data-code="([\w-]{43})" data-origin="([^"]*)"/.exec(page.text);
		assert.equal(told, origin);
		return { page, code };
	}
}

export function idOf(who) {
	return people[who].sub.replace(/^mw:[^:]*:/, '');
}

export function redeem(code, origin = wiki, more = {}) {
	const headers = origin === null ? {} : { Origin: origin, 'Sec-Fetch-Site': 'cross-site' };
	return call(null, 'POST', '/v1/auth/redeem', { body: { code }, headers: { ...headers, ...more } });
}

/** A bearer for a gadget. */
export async function bearer(who, origin = wiki) {
	const { code } = await new Browser().popup(who, origin);
	const answer = await redeem(code, origin);
	assert.equal(answer.status, 200, answer.text);
	return { ...answer.body, code };
}

export function withBearer(token, method, path, { origin = wiki, ...more } = {}) {
	const headers = { ...(origin ? { Origin: origin } : {}), ...more.headers };
	return call({ authorization: `Bearer ${token}` }, method, path, { ...more, headers });
}

export async function userOf(browser) {
	const answer = await browser.get('/v1/me');
	return answer.status === 200 ? answer.body.user : answer.status;
}

export { expectCall };
