// A tree of files as the checks see it: paths relative to its top, texts read when asked for.
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const ignored = (path, name) => name === '.git' || name === 'node_modules' || path === 'tests/lint/bad'
	|| (path === name && /^build/.test(name));

function walk(top, path, files) {
	for (const entry of readdirSync(join(top, path), { withFileTypes: true })) {
		const inside = path ? `${path}/${entry.name}` : entry.name;
		if (ignored(inside, entry.name)) continue;
		if (entry.isDirectory()) walk(top, inside, files);
		else if (entry.isFile()) files.push(inside);
	}
	return files;
}

export class Tree {
	#texts = new Map();

	constructor(top) {
		this.top = top;
		this.files = walk(top, '', []).sort();
	}

	matching(pattern) {
		return this.files.filter((path) => pattern.test(path));
	}

	has(path) {
		return existsSync(join(this.top, path));
	}

	read(path) {
		if (!this.#texts.has(path)) this.#texts.set(path, readFileSync(join(this.top, path), 'utf8'));
		return this.#texts.get(path);
	}

	lines(path) {
		return this.read(path).split('\n');
	}

	/** The text of a file, or throws what the check then says. */
	need(path) {
		if (!this.has(path)) throw new Error(`${path} is missing`);
		return this.read(path);
	}
}

export const C_FILE = /^(daemon|api|policy|sql)\/.*\.[ch]$/;
export const C_OR_TEST = /^(daemon|api|policy|sql|tests)\/.*\.[ch]$/;
export const folderOf = (path) => path.slice(0, path.lastIndexOf('/'));

/** C without comments and string contents; line numbers stay. */
export function bare(text) {
	const blank = (part) => part.replace(/[^\n]/g, ' ');
	return text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"/g,
		(part) => part[0] === '"' ? `"${blank(part.slice(1, -1))}"` : blank(part));
}

/** What stands in one and not in the other, said for both sides. */
export function differences(one, other, isMissing, isExtra) {
	const problems = [];
	for (const name of one) if (!other.has(name)) problems.push(isMissing(name));
	for (const name of other) if (!one.has(name)) problems.push(isExtra(name));
	return problems;
}
