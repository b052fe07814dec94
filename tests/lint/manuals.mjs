// Checks that the manual pages say all that the programs say: keys, commands, options, metrics.
import { differences } from './tree.mjs';

const page = (tree, name) => tree.need(`packaging/man/${name}`);

/** What the items of a page are headed with, roff's escapes and macros for arguments taken out. */
const itemsOf = text => [...text.matchAll(/^\.It (?:Cm|Fl|Ev|Pa) (.*)$/gm)].map(([, head]) => head);

/** Every key, "issuers[].clients[].id"; the rows of a list of mappings are an array of their own. */
function keysOf(text) {
	const arrays = new Map();
	for (const [, name, rows] of text.matchAll(/const struct config_row (\w+)\[\] = \{\n(.*?)\n\};/gs)) {
		arrays.set(name, [...rows.matchAll(/^\t\{ "([\w.]+)", CONFIG_\w+(?:(?!^\t\{ ").)*/gms)].map(([row, key]) =>
			({ key, rows: /\.rows = (\w+)/.exec(row)?.[1] })));
	}
	const walk = (name, prefix) => (arrays.get(name) ?? []).flatMap(({ key, rows }) =>
		[prefix + key, ...(rows ? walk(rows, `${prefix}${key}[].`) : [])]);
	return walk('config_rows', '');
}

export function manualNamesEveryKey(tree) {
	const keys = keysOf(tree.need('daemon/app/config_rows.c'));
	const named = new Set(itemsOf(page(tree, 'conductd.yaml.5')).filter(name => !name.startsWith('/')));
	if (!keys.length) return ['daemon/app/config_rows.c: no row is read'];
	return differences(new Set(keys), named, key => `${key} is not in packaging/man/conductd.yaml.5`,
		key => `${key} is in packaging/man/conductd.yaml.5 and no key`);
}

/** The keys that a reload does not change stand in the first paragraph of RELOADING. */
export function manualNamesEveryFixedKey(tree) {
	const rows = tree.need('daemon/app/config_rows.c').matchAll(/^\t\{ "([\w.]+)", CONFIG_\w+(?:(?!^\t\{ ").)*/gms);
	const fixed = new Set([...rows].filter(([row]) => /\.is_fixed = true/.test(row)).map(([, key]) => key));
	const [, text] = /^\.Sh RELOADING\n(.*?)^\.Pp$/ms.exec(page(tree, 'conductd.yaml.5')) ?? [];
	if (!text) return ['packaging/man/conductd.yaml.5: there is no section RELOADING'];
	return differences(fixed, new Set([...text.matchAll(/^\.Cm (\S+)/gm)].map(([, key]) => key)),
		key => `${key} is not in RELOADING of packaging/man/conductd.yaml.5`,
		key => `${key} is in RELOADING of packaging/man/conductd.yaml.5, and a reload changes it`);
}

/** "keys init", with the options that its arguments and help name. */
function commandsOf(text) {
	const rows = text.matchAll(/\{ "(\w+)", (?:"(\w+)"|NULL),\s*((?:"(?:[^"\\]|\\.)*"[\s,]*)+)control_/g);
	return [...rows].map(([, group, name, words]) => ({
		name: name ? `${group} ${name}` : group,
		options: new Set([...words.matchAll(/(?<![\w-])--(?!database)[a-z-]+/g)].map(([option]) => option)),
	}));
}

export function manualNamesEveryCommand(tree) {
	const commands = commandsOf(tree.need('daemon/app/control_commands.c'));
	const heads = itemsOf(page(tree, 'conductctl.8'));
	if (!commands.length) return ['daemon/app/control_commands.c: no row is read'];
	const problems = [];
	for (const { name, options } of commands) {
		const head = heads.find(one => one === name || new RegExp(`^${name} (Op|Oo|Fl|Ar|No) `).test(one));
		if (!head) problems.push(`${name} is not in packaging/man/conductctl.8`);
		for (const option of head ? options : [])
			if (!head.includes(`Fl ${option.slice(1)}`)) problems.push(`${name} ${option} is not in packaging/man/conductctl.8`);
	}
	const known = new Set(commands.map(({ name }) => name));
	for (const head of heads.filter(one => /^[a-z]/.test(one))) {
		const [first, second = ''] = head.split(' ');
		if (!known.has(first) && !known.has(`${first} ${second}`) && !/^(c|h)\b/.test(head))
			problems.push(`${head} is in packaging/man/conductctl.8 and no command`);
	}
	return problems;
}

/** Options that a program's own help lists at the start of a line. */
const optionsOf = text => [...text.matchAll(/"(-[a-zA-Z]|--[a-z-]+)(?:, (--[a-z-]+))?[ ,]/g)].flatMap(([, one, two]) =>
	two ? [one, two] : [one]);

export function manualNamesEveryOption(tree) {
	const problems = [];
	for (const [source, name] of [['daemon/main.c', 'conductd.8'], ['daemon/ctl.c', 'conductctl.8']]) {
		const usage = /usage\[\] =((?:\s*"(?:[^"\\]|\\.)*")+);/.exec(tree.need(source))?.[1] ?? '';
		const options = optionsOf(usage);
		const heads = [...page(tree, name).matchAll(/^\.It Fl (.*)$/gm)].flatMap(([, head]) => head.split(/ (?:Ar \w+|, )\s*/));
		if (!options.length) problems.push(`${source}: no option is read`);
		for (const option of options)
			if (!heads.some(head => head.split(' ')[0] === option.slice(1)))
				problems.push(`${option} is not in packaging/man/${name}`);
		for (const head of heads.filter(Boolean))
			if (!options.includes(`-${head.split(' ')[0]}`))
				problems.push(`-${head.split(' ')[0]} is in packaging/man/${name} and not in the help of ${source}`);
	}
	return problems;
}

export function manualNamesEveryMetric(tree) {
	const made = new Set([...tree.need('daemon/worker/metrics.c').matchAll(/"(conductd_[a-z_]+)"/g)].map(([, name]) => name));
	const named = new Set(itemsOf(page(tree, 'conductd.8')).filter(name => name.startsWith('conductd_')));
	if (!made.size) return ['daemon/worker/metrics.c: no metric is read'];
	return differences(made, named, name => `${name} is not in packaging/man/conductd.8`,
		name => `${name} is in packaging/man/conductd.8 and no metric`);
}

export function manualNamesEverySignal(tree) {
	const text = page(tree, 'conductd.8');
	const caught = new Set([...tree.need('daemon/app/parent.c').matchAll(/\{ (SIG[A-Z0-9]+), on_/g)].map(([, name]) => name));
	caught.delete('SIGCHLD');
	if (!caught.size) return ['daemon/app/parent.c: no signal is read'];
	return [...caught].filter(name => !new RegExp(`^\\.It Dv .*\\b${name}\\b`, 'm').test(text))
		.map(name => `${name} is not in packaging/man/conductd.8`);
}
