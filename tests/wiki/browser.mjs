// Debian's Chromium, headless, with a fresh profile: for what only a browser decides (preflights, cookies,
// popups). Pages of other origins come from little servers here; every *.localhost is this machine to it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';

const { chromium } = createRequire(`${process.env.CONDUCTD_WIKI_MODULES}/`)('playwright-core');
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync'];

/** Starts it; nothing in it waits longer than 15 s. */
export function launch() {
	return chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: FLAGS, timeout: 60000 });
}

/** A window with cookies of its own. */
export async function openWindow(browser) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true });
	context.setDefaultTimeout(15000);
	context.setDefaultNavigationTimeout(15000);
	return context;
}

/** Serves one page on a port, whatever the path and the host: {close()}. */
export async function servePage(port, html = '<!doctype html><title>page</title>', tls) {
	const answer = (request, response) => {
		response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
		response.end(html);
	};
	const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
	await new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, '127.0.0.1', resolve);
	});
	return {
		close: () => new Promise(resolve => {
			server.close(resolve);
			server.closeAllConnections();
		}),
	};
}

/** A certificate that nobody signed, for a page over TLS. */
export function makeCertificate() {
	const dir = mkdtempSync(`${tmpdir()}/conductd-wiki-`);
	try {
		const { status, stderr } = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
			'-nodes', '-days', '2', '-subj', '/CN=localhost', '-keyout', `${dir}/key`, '-out', `${dir}/cert`],
		{ encoding: 'utf8', timeout: 20000 });
		if (status !== 0) {
			throw new Error(stderr);
		}
		return { key: readFileSync(`${dir}/key`), cert: readFileSync(`${dir}/cert`) };
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
}
