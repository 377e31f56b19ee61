'use strict';
'require baseclass';

/*
 * Where everything in the picture of routers is drawn, from numbers alone: cells in rows and columns, in each a router
 * with its clients below it. Links run in channels between columns and above rows, where there are no names.
 */

/* More routers than this have their clients without names, close together. */
const MOST_NAMED = 12;

/*
 * `cell`: least width of a column; `box`, `name`: size of a router, letters of its name; `least`, `step`: from one client
 * to the next; `perRow`, `rows`: how many there are at the most; `under`: from the bottom of a router to the first row;
 * `row`: from row to row; `below`: what is left free under a router without clients; `spare`: places that the number of
 * those who have none takes.
 */
const NAMED = { cell: 160, box: { width: 128, height: 34 }, name: 17, least: 44, step: 60, perRow: 3, rows: 4, under: 24, row: 42, below: 16, spare: 1 };
const DENSE = { cell: 108, box: { width: 80, height: 32 }, name: 11, least: 13, step: 13, perRow: 8, rows: 3, under: 14, row: 14, below: 10, spare: 2 };

const CHANNEL = 28;     /* width of what lies between the clients of two columns */
const LANE = 5;         /* from one link in a channel to the next, where there is room */
const MARGIN = 14;      /* of the channel above a row, beside its lanes */
const LETTER = 5.6;     /* width of a letter of a client's name */

/* Rows as full as each other. */
function columnsOf(width, count) {
	const { cell } = count > MOST_NAMED ? DENSE : NAMED;
	const rows = Math.ceil(count / Math.max(1, Math.floor(width / cell)));

	return Math.max(1, Math.ceil(count / Math.max(1, rows)));
}

/*
 * The way of a link from `a` to `b`, which is in no higher row: what it takes of which channel. A channel beside column c
 * is c + 0.5, and one above row r is r - 0.5. `side`: whether it ends at the side of `b`, else at its top.
 */
function route(a, b, columns) {
	if (a.row == b.row)
		return Math.abs(a.column - b.column) == 1 ? {} : { across: { from: a.column, to: b.column } };

	const right = b.column > a.column || (b.column == a.column && a.column < columns - 1) || columns == 1;
	const channel = a.column + (right ? .5 : -.5);
	const side = Math.abs(b.column - channel) == .5;

	return {
		down: { channel, from: a.row, to: side ? b.row : b.row - .5 },
		across: side ? undefined : { from: channel, to: b.column },
		side
	};
}

/* Gives each of the stretches of a channel a lane in which it meets no other; returns how many there are. */
function assignLanes(stretches) {
	const ends = [];

	for (const stretch of [ ...stretches ].sort((a, b) => Math.min(a.from, a.to) - Math.min(b.from, b.to))) {
		const free = ends.findIndex(end => end < Math.min(stretch.from, stretch.to));

		stretch.lane = free < 0 ? ends.length : free;
		ends[stretch.lane] = Math.max(stretch.from, stretch.to);
	}

	return ends.length;
}

function groupBy(list, keyOf) {
	const groups = new Map();

	for (const item of list) {
		const key = keyOf(item);

		groups.set(key, [ ...(groups.get(key) || []), item ]);
	}

	return groups;
}

/* The corners of a link, from router to router; `x` of a stretch down and `y` of one across are known. */
function corners({ a, b, down, across, side }, box) {
	const sign = Math.sign(b.x - a.x);

	if (!down && !across)
		return [ [ a.x + sign * box.width / 2, a.y ], [ b.x - sign * box.width / 2, b.y ] ];

	const top = router => router.y - box.height / 2;

	if (!down)
		return [ [ a.x + sign * 20, top(a) ], [ a.x + sign * 20, across.y ], [ b.x - sign * 20, across.y ], [ b.x - sign * 20, top(b) ] ];

	/* What two routers beside one channel have in it is at different heights: below the middle what leaves, above what comes. */
	const out = Math.sign(down.x - a.x), into = Math.sign(down.x - b.x);
	const leave = a.y + 7 + out * 3, come = b.y - 7 + into * 3;
	const start = [ [ a.x + out * box.width / 2, leave ], [ down.x, leave ] ];

	if (side)
		return [ ...start, [ down.x, come ], [ b.x + into * box.width / 2, come ] ];

	const end = b.x + into * 8;

	return [ ...start, [ down.x, across.y ], [ end, across.y ], [ end, top(b) ] ];
}

/* An SVG path along the corners, each of which is rounded. */
function pathOf(points) {
	const towards = ([ x, y ], [ x2, y2 ], radius) => {
		const length = Math.hypot(x2 - x, y2 - y);
		const part = length == 0 ? 0 : Math.min(radius, length / 2) / length;

		return `${x + (x2 - x) * part} ${y + (y2 - y) * part}`;
	};
	const bends = points.slice(1, -1).map((point, i) =>
		`L${towards(point, points[i], 6)} Q${point.join(' ')} ${towards(point, points[i + 2], 6)}`);

	return `M${points[0].join(' ')} ${bends.join(' ')} L${points[points.length - 1].join(' ')}`;
}

/* Where the clients below a router stand, and the number of those for whom there is no place. */
function placeClients(router, here, kind, step, perRow) {
	const most = perRow * kind.rows;
	const shown = here.length > most ? here.slice(0, most - kind.spare) : here;
	const places = Math.min(here.length, most);
	const at = n => {
		const row = Math.floor(n / perRow);
		const inRow = Math.min(perRow, places - row * perRow);

		return { x: router.x + (n % perRow - (inRow - 1) / 2) * step, y: router.y + kind.box.height / 2 + kind.under + row * kind.row };
	};
	const last = at(most - 1);

	return {
		dots: shown.map((client, n) => ({ client, ...at(n) })),
		notes: shown.length < here.length ? [ { count: here.length - shown.length, x: last.x - (kind.spare - 1) / 2 * step, y: last.y } ] : []
	};
}

/* Gives what runs down its `x`, side by side in the channel beside its column; of a single column that is a narrow one. */
function placeDown(routes, columns, cell) {
	const room = columns > 1 ? CHANNEL : CHANNEL / 2;
	const left = columns > 1 ? cell / 2 : cell / 2 - room / 2;

	for (const [ channel, stretches ] of groupBy(routes.flatMap(({ down }) => down || []), ({ channel }) => channel)) {
		const lanes = assignLanes(stretches);
		const gap = Math.min(LANE, (room - 2) / lanes);

		for (const stretch of stretches)
			stretch.x = channel * cell + left + (stretch.lane - (lanes - 1) / 2) * gap;
	}
}

/* Stacks the rows, each as high as its channel and its fullest router need; returns the height of all. */
function placeRows(routers, routes, heightOf, box) {
	const across = groupBy(routes.filter(route => route.across), ({ b }) => b.row);
	let top = 0;

	for (const [ row, line ] of groupBy(routers, router => router.row)) {
		const stretches = (across.get(row) || []).map(route => route.across);
		const lanes = assignLanes(stretches);

		for (const stretch of stretches)
			stretch.y = top + MARGIN / 2 + stretch.lane * LANE;

		top += MARGIN + lanes * LANE;

		for (const router of line)
			router.y = top + box.height / 2;

		top += box.height + Math.max(...line.map(heightOf));
	}

	return top;
}

/*
 * `places`: of each router, as arrange() gives them; `links`: { a, b, ... }, numbers of routers; `clients`: of each router,
 * a list. Returns `routers` with the middle of each, `dots` and `notes` of clients, `links` with the `points` of their
 * way, the `box` of a router, how many letters a `name` and a `label` may have, and the `height` of it all.
 */
function layOut({ width, places, links, clients }) {
	const kind = places.length > MOST_NAMED ? DENSE : NAMED;
	const columns = columnsOf(width, places.length);
	const cell = width / columns;
	const perRow = Math.max(1, Math.min(kind.perRow, Math.floor((cell - CHANNEL) / kind.least)));
	const step = Math.min(kind.step, (cell - CHANNEL) / perRow);
	const routers = places.map((place, i) => ({
		row: Math.floor(place / columns), column: place % columns, x: (place % columns + .5) * cell, y: 0, rows: Math.min(kind.rows, Math.ceil(clients[i].length / perRow))
	}));
	const routes = links.map(({ a, b, ...rest }) => {
		const [ from, to ] = places[a] < places[b] ? [ routers[a], routers[b] ] : [ routers[b], routers[a] ];

		return { ...rest, a: from, b: to, ...route(from, to, columns) };
	});
	const inOrder = [ ...routers ].sort((a, b) => a.row - b.row);

	placeDown(routes, columns, cell);

	const height = placeRows(inOrder, routes, ({ rows }) => rows > 0 ? kind.under + rows * kind.row : kind.below, kind.box);
	const placed = routers.map((router, i) => placeClients(router, clients[i], kind, step, perRow));

	return {
		routers: routers.map(({ x, y }) => ({ x, y })),
		dots: placed.flatMap(({ dots }) => dots),
		notes: placed.flatMap(({ notes }) => notes),
		links: routes.map(({ a, b, down, across, side, ...rest }) => ({ ...rest, points: corners({ a, b, down, across, side }, kind.box) })),
		box: kind.box,
		name: kind.name,
		label: kind === DENSE ? 0 : Math.floor(step / LETTER),
		height
	};
}

return baseclass.extend({ columnsOf, layOut, pathOf });
