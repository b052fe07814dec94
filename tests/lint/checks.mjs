// All checks by name. A name is what holds when the check passes.
import * as manuals from './manuals.mjs';
import * as mutants from './mutants.mjs';
import * as source from './source.mjs';
import * as tables from './tables.mjs';

const sentence = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

export const checks = new Map([...Object.entries(source), ...Object.entries(tables), ...Object.entries(manuals),
	...Object.entries(mutants)]
	.filter(([name, check]) => typeof check === 'function' && name !== 'operationsOf')
	.map(([name, check]) => [sentence(name), check]));

/** Problems of one check on one tree; a check that cannot run has one. */
export function problemsOf(check, tree) {
	try {
		return check(tree);
	} catch (error) {
		return [error.message];
	}
}
