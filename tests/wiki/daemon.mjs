// The daemon of this suite: the stack's database, and configurations of the tests' own. Parts and waits are
// those of the fault suite.
import { Daemon, postgres, until, writeConfig } from '../fault/parts.mjs';
import { base } from '../harness/api.mjs';

export { base, postgres, until };
export const daemonOrigin = base.origin;

let running;

/**
 * Starts PostgreSQL and the daemon with the stack's configuration and `more` YAML after it. `edit` changes
 * the text before that.
 */
export async function startDaemon(name, { edit, more = '' } = {}) {
	await postgres.start();
	const config = writeConfig(name, edit, `processes: {web: 2, drain: 5s}\n${more}`);
	running = new Daemon(config, { name: `conductd-${name}` }).start();
	await running.ready(30000);
	return running;
}

/** Ends both, whatever the test left. */
export async function stopDaemon() {
	const daemon = running;
	running = undefined;
	try {
		await daemon?.stop();
	} finally {
		await daemon?.kill();
		postgres.stop();
	}
}
