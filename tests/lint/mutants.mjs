// Checks of the patches that tests/mutants applies: each still applies, and names the test that catches it.

/** The texts that a patch finds and replaces: one for each hunk, by file. */
function foundBy(text) {
	const found = [];
	let path;
	for (const line of text.slice(text.search(/^--- /m)).split('\n')) {
		if (line.startsWith('--- ')) path = line.slice('--- a/'.length);
		else if (line.startsWith('@@ ')) found.push({ path, lines: [] });
		else if (/^[ -]/.test(line)) found.at(-1)?.lines.push(line.slice(1));
	}
	return found;
}

export function mutantsApply(tree) {
	const problems = [];
	for (const path of tree.matching(/^tests\/fault\/mutants\/.*\.patch$/)) {
		const text = tree.read(path);
		const head = text.slice(0, text.search(/^--- a\//m));
		for (const key of ['run', 'says'])
			if (!new RegExp(`^${key}: .`, 'm').test(head)) problems.push(`${path}: its head does not say "${key}: …"`);
		const hunks = foundBy(text);
		if (!hunks.length) problems.push(`${path}: it changes nothing`);
		for (const hunk of hunks)
			if (!tree.has(hunk.path) || !`\n${tree.read(hunk.path)}`.includes(`\n${hunk.lines.join('\n')}\n`))
				problems.push(`${path}: it does not apply to ${hunk.path} any more`);
	}
	return problems;
}
