'use strict';
'require baseclass';

/* In which order routers stand in the picture, so that links are short. */

/* With more routers the search for a better order would take too long; neighbours are close all the same. */
const MOST_SEARCHED = 150;

/* In units of columns: rows are further apart. */
function distance(a, b, columns) {
	return Math.abs(a % columns - b % columns) + 1.2 * Math.abs(Math.floor(a / columns) - Math.floor(b / columns));
}

/* Routers one after the other as a search from one on the rim comes to them, so that neighbours are close. */
function byNeighbours(count, neighbours) {
	const search = (start, seen) => {
		const found = [ start ];

		seen.add(start);

		for (let i = 0; i < found.length; i++)
			for (const next of neighbours[found[i]])
				if (!seen.has(next)) {
					seen.add(next);
					found.push(next);
				}

		return found;
	};
	const order = [], seen = new Set();

	for (let i = 0; i < count; i++)
		if (!seen.has(i))
			order.push(...search(search(i, new Set()).pop(), seen));

	return order;
}

/* Every other row from right to left. */
function snake(order, columns) {
	const rows = [];

	for (let i = 0; i < order.length; i += columns)
		rows.push(order.slice(i, i + columns));

	return rows.flatMap((row, i) => i % 2 == 1 && row.length == columns ? row.reverse() : row);
}

function totalLength(at, pairs, columns) {
	return pairs.reduce((sum, [ a, b ]) => sum + distance(at[a], at[b], columns), 0);
}

/* Swaps places as long as that makes links shorter. */
function improve(order, neighbours, columns) {
	const at = [];
	const reach = router => neighbours[router].reduce((sum, other) => sum + distance(at[router], at[other], columns), 0);
	const swap = (a, b) => {
		[ order[at[a]], order[at[b]] ] = [ b, a ];
		[ at[a], at[b] ] = [ at[b], at[a] ];
	};
	let better = order.length <= MOST_SEARCHED;

	order.forEach((router, place) => at[router] = place);

	while (better) {
		better = false;

		for (let a = 0; a < order.length; a++)
			for (let b = 0; b < a; b++) {
				const before = reach(a) + reach(b);

				swap(a, b);

				if (reach(a) + reach(b) < before - 1e-9)
					better = true;
				else
					swap(a, b);
			}
	}

	return at;
}

/* The place of each router, by its number, for links that are short: `pairs` of numbers. */
function arrange(count, pairs, columns) {
	const neighbours = Array.from({ length: count }, () => []);

	for (const [ a, b ] of pairs) {
		neighbours[a].push(b);
		neighbours[b].push(a);
	}

	const order = byNeighbours(count, neighbours);
	const [ straight, winding ] = [ [ ...order ], snake(order, columns) ].map(start => improve(start, neighbours, columns));

	return totalLength(winding, pairs, columns) < totalLength(straight, pairs, columns) ? winding : straight;
}

return baseclass.extend({ arrange, totalLength });
