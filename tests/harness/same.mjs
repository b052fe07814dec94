// Whether two samples of times may come from one distribution: what somebody who measures could tell apart.

/** Ranks of a joined sample, ties with their mean; and the sum of t³ − t over the ties. */
function rank(values) {
	const order = values.map((value, i) => [value, i]).sort((a, b) => a[0] - b[0]);
	const ranks = new Array(values.length);
	let ties = 0;
	for (let i = 0; i < order.length;) {
		let j = i;
		while (j < order.length && order[j][0] === order[i][0]) j++;
		for (let k = i; k < j; k++) ranks[order[k][1]] = (i + j + 1) / 2;
		ties += (j - i) ** 3 - (j - i);
		i = j;
	}
	return { ranks, ties };
}

/** 1 − Φ(z), Abramowitz and Stegun 7.1.26; good to 1e-7. */
function tail(z) {
	const x = z / Math.SQRT2;
	const t = 1 / (1 + 0.3275911 * x);
	return 0.5 * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
		* Math.exp(-x * x);
}

/**
 * The Mann-Whitney U test, corrected for ties, two-sided: `p`, and the effect: how far the chance that
 * one of `a` is above one of `b` is from one half (0: not to be told apart, 0.5: always).
 */
export function mannWhitney(a, b) {
	const { ranks, ties } = rank([...a, ...b]);
	const n = a.length + b.length;
	const u = ranks.slice(0, a.length).reduce((sum, r) => sum + r, 0) - a.length * (a.length + 1) / 2;
	const spread = Math.sqrt(a.length * b.length / 12 * (n + 1 - ties / (n * (n - 1))));
	const z = spread && Math.max(0, Math.abs(u - a.length * b.length / 2) - 0.5) / spread;
	return { p: Math.min(1, 2 * tail(z)), effect: Math.abs(u / (a.length * b.length) - 0.5) };
}

/** The Kolmogorov-Smirnov test of two samples: the largest distance of their distributions, and `p`. */
export function kolmogorovSmirnov(a, b) {
	const all = [...a.map(value => [value, 0]), ...b.map(value => [value, 1])].sort((x, y) => x[0] - y[0]);
	const seen = [0, 0];
	let distance = 0;
	all.forEach(([value, side], i) => {
		seen[side]++;
		if (i + 1 === all.length || all[i + 1][0] !== value) {
			distance = Math.max(distance, Math.abs(seen[0] / a.length - seen[1] / b.length));
		}
	});
	const size = Math.sqrt(a.length * b.length / (a.length + b.length));
	const lambda = (size + 0.12 + 0.11 / size) * distance;
	let p = 0;
	for (let k = 1; k <= 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * lambda * lambda);
	return { p: lambda < 0.2 ? 1 : Math.max(0, Math.min(1, p)), effect: distance };
}
