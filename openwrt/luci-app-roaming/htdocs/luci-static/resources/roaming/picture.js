'use strict';
'require baseclass';

/* The routers, and who is where: one box a router, its clients below it. A client that roams glides to its new router. */

const SVG = 'http://www.w3.org/2000/svg';

const CELL = 170;       /* least width of a router's column */
const BOX = { width: 132, height: 34 };
const PER_ROW = 3;
const MOST_ROWS = 4;
const ROW = 42;
const TOP = 52;         /* from the top of a cell to the middle of its router */
const HEAD = 94;        /* from the top of a cell to its first row of clients */
const FRESH = 10;       /* seconds for which a client that has come is marked */

const STYLE = `
.roaming-picture { display: block; width: 100%; font: 12px sans-serif; }
.roaming-picture text { fill: currentColor; text-anchor: middle; }
.roaming-picture .small { font-size: 10px; opacity: .75; }
.roaming-picture .link { fill: none; stroke: currentColor; opacity: .4; }
.roaming-picture .session { fill: none; stroke: currentColor; opacity: .3; stroke-dasharray: 4 3; }
.roaming-picture .router rect { fill: none; stroke: currentColor; stroke-width: 1.2; }
.roaming-picture .router.self rect { stroke: var(--primary-color-high, #2b7fd3); stroke-width: 2.5; }
.roaming-picture .router.self text { font-weight: bold; }
.roaming-picture .client { transition: transform .7s ease-in-out, opacity .4s; }
.roaming-picture .client circle { fill: var(--primary-color-high, #2b7fd3); }
.roaming-picture .client.fresh circle { fill: #e8890c; }
@media (prefers-reduced-motion: reduce) { .roaming-picture .client { transition: none; } }
`;

function svg(tag, attributes, ...children) {
	const element = document.createElementNS(SVG, tag);

	for (const [ name, value ] of Object.entries(attributes))
		element.setAttribute(name, value);

	element.append(...children);

	return element;
}

function shorten(text, length) {
	return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/* Where everything is drawn: cells left to right, each row of cells as high as its fullest router needs. */
function layOut(width, nodes, clients) {
	const columns = Math.max(1, Math.min(nodes.length, Math.floor(width / CELL)));
	const cell = width / columns;
	const at = new Map(nodes.map(node => [ node.node, [] ]));

	for (const client of clients)
		if (at.has(client.node))
			at.get(client.node).push(client);

	const rowsOf = node => Math.min(MOST_ROWS, Math.ceil(at.get(node.node).length / PER_ROW));
	const routers = [], dots = [], notes = [];
	let top = 0;

	for (let i = 0; i < nodes.length; i += columns) {
		const line = nodes.slice(i, i + columns);

		line.forEach((node, k) => {
			const x = (k + .5) * cell;
			const here = at.get(node.node);
			const most = PER_ROW * MOST_ROWS;
			const shown = here.length > most ? here.slice(0, most - 1) : here;

			routers.push({ node, x, y: top + TOP, count: here.length });
			const places = Math.min(here.length, most);

			shown.forEach((client, n) => dots.push({ client, ...place(x, top, cell, n, places) }));

			if (shown.length < here.length)
				notes.push({ text: `+${here.length - shown.length}`, ...place(x, top, cell, most - 1, places) });
		});

		top += HEAD + Math.max(...line.map(rowsOf)) * ROW + 8;
	}

	return { routers, dots, notes, height: top };
}

/* The n-th of `count` places below a router, each row in the middle. */
function place(x, top, cell, n, count) {
	const step = Math.min(60, cell / PER_ROW);
	const row = Math.floor(n / PER_ROW);
	const inRow = Math.min(PER_ROW, count - row * PER_ROW);

	return { x: x + (n % PER_ROW - (inRow - 1) / 2) * step, y: top + HEAD + row * ROW };
}

/* In one row: from top to top, with a bend that grows with the distance, so that arcs that end at one router stay apart. */
function arcAbove(a, b) {
	const edge = a.y - BOX.height / 2;
	const bend = edge - Math.min(50, 10 + Math.abs(a.x - b.x) / 8);

	return `M${a.x} ${edge} Q${(a.x + b.x) / 2} ${bend} ${b.x} ${edge}`;
}

/* From row to row: through the gap between the columns, where no clients are. */
function arcBeside(a, b) {
	const side = b.x < a.x ? -1 : 1;
	const [ from, to ] = [ a.x + side * BOX.width / 2, b.x == a.x ? b.x + side * BOX.width / 2 : b.x - side * BOX.width / 2 ];
	const gap = from + side * 24;

	return `M${from} ${a.y} C${gap} ${a.y} ${gap} ${b.y} ${to} ${b.y}`;
}

function arc(a, b) {
	return a.y == b.y ? arcAbove(a, b) : arcBeside(a, b);
}

return baseclass.extend({
	__init__() {
		this.back = svg('g', {});
		this.front = svg('g', {});
		this.moving = new Map();
		this.node = svg('svg', { 'class': 'roaming-picture', 'role': 'img', 'aria-label': _('Routers and their clients') },
			svg('style', {}, STYLE), this.back, this.front);
	},

	/* `now`: the router's clock, seconds since 1970. Clients that are at no router are not shown. */
	update(nodes, clients, peers, now) {
		const width = Math.max(280, this.node.parentNode ? this.node.parentNode.clientWidth : 0);
		const { routers, dots, notes, height } = layOut(width, nodes, clients);

		this.node.setAttribute('viewBox', `0 0 ${width} ${height}`);
		this.node.setAttribute('height', height);
		this.back.replaceChildren(
			...this.links(routers),
			...this.sessions(routers, peers),
			...routers.map(router => this.router(router)),
			...notes.map(({ x, y, text }) => svg('text', { x, y: y + 4 }, text)));
		this.placeClients(dots, now);
	},

	/* What routers flood from link to link, each pair once. */
	links(routers) {
		return routers.flatMap((a, i) => routers.slice(i + 1).filter(b => a.node.adjacencies.includes(b.node.node)).map(b =>
			svg('path', { 'class': 'link', d: arc(a, b) })));
	},

	/* The other flooding sessions of the router that answers. */
	sessions(routers, peers) {
		const self = routers.find(({ node }) => node.self);
		const up = new Set(peers.filter(({ state }) => state == 'up').map(({ node }) => node));

		return routers.filter(({ node }) => self && up.has(node.node) && !self.node.adjacencies.includes(node.node)).map(peer =>
			svg('path', { 'class': 'session', d: arc(self, peer) }));
	},

	router({ node, x, y, count }) {
		const name = shorten(node.name || node.node, 18);

		return svg('g', { 'class': node.self ? 'router self' : 'router', 'data-node': node.node },
			svg('title', {}, [ node.node, ...node.addresses ].join('\n')),
			svg('rect', { x: x - BOX.width / 2, y: y - BOX.height / 2, rx: 6, ...BOX }),
			svg('text', { x, y: y - 1 }, name),
			svg('text', { 'class': 'small', x, y: y + 12 }, N_(count, '%d client', '%d clients').format(count)));
	},

	/* Elements live as long as their clients, so that a move is seen as one. */
	placeClients(dots, now) {
		const gone = new Set(this.moving.keys());

		for (const { client, x, y } of dots) {
			gone.delete(client.mac);

			const element = this.moving.get(client.mac) || this.addClient(client);
			const label = client.hostname || client.mac.slice(-8);

			element.style.transform = `translate(${x}px, ${y}px)`;
			element.setAttribute('class', now - client.since < FRESH ? 'client fresh' : 'client');
			element.setAttribute('data-node', client.node);
			element.querySelector('text').textContent = shorten(label, 9);
			element.querySelector('title').textContent = [ client.hostname, client.mac, ...client.addresses ].filter(Boolean).join('\n');
		}

		for (const mac of gone) {
			this.moving.get(mac).remove();
			this.moving.delete(mac);
		}
	},

	addClient(client) {
		const element = svg('g', { 'data-mac': client.mac },
			svg('title', {}), svg('circle', { r: 6 }), svg('text', { 'class': 'small', y: 19 }));

		this.moving.set(client.mac, element);
		this.front.append(element);

		return element;
	}
});
