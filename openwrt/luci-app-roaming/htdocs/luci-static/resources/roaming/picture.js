'use strict';
'require baseclass';
'require roaming.arrangement as Arrangement';
'require roaming.layout as Layout';

/* The routers, and who is where: one box a router, its clients below it. A client that roams glides to its new router. */

const SVG = 'http://www.w3.org/2000/svg';

const FRESH = 10;       /* seconds for which a client that has come is marked */

const STYLE = `
.roaming-picture { display: block; width: 100%; font: 12px sans-serif; }
.roaming-picture text { fill: currentColor; text-anchor: middle; paint-order: stroke; stroke: var(--roaming-background); stroke-width: 4px; stroke-linejoin: round; }
.roaming-picture .small { font-size: 10px; opacity: .75; }
.roaming-picture .link { fill: none; stroke: currentColor; opacity: .4; }
.roaming-picture .session { fill: none; stroke: currentColor; opacity: .3; stroke-dasharray: 4 3; }
.roaming-picture .router rect { fill: var(--roaming-background); stroke: currentColor; stroke-width: 1.2; }
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

/* The colour behind an element: themes differ in how they set it. */
function backgroundOf(element) {
	for (let at = element; at; at = at.parentElement) {
		const colour = getComputedStyle(at).backgroundColor;

		if (colour != 'transparent' && !/, 0\)$/.test(colour))
			return colour;
	}

	return 'Canvas';
}

/* Pairs of numbers of routers, each once: links that routers flood over, and other sessions of the one that answers. */
function connect(nodes, peers) {
	const numbers = new Map(nodes.map(({ node }, i) => [ node, i ]));
	const self = nodes.findIndex(node => node.self);
	const links = nodes.flatMap(({ adjacencies }, a) =>
		adjacencies.map(node => numbers.get(node)).filter(b => b > a).map(b => ({ a, b, kind: 'link' })));
	const up = new Set(peers.filter(({ state, unresponsive, node }) => state == 'up' && !unresponsive && numbers.has(node)).map(({ node }) => numbers.get(node)));
	const sessions = self < 0 ? [] : [ ...up ]
		.filter(b => b != self && !links.some(link => link.a == Math.min(self, b) && link.b == Math.max(self, b)))
		.map(b => ({ a: self, b, kind: 'session' }));

	return [ ...links, ...sessions ];
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
		const at = new Map(nodes.map(({ node }) => [ node, [] ]));

		for (const client of clients)
			if (at.has(client.node))
				at.get(client.node).push(client);

		const here = [ ...at.values() ];
		const links = connect(nodes, peers);
		const { routers, dots, notes, links: ways, height, ...look } = Layout.layOut({ width, places: this.arrange(nodes, links, width), links, clients: here });

		this.node.setAttribute('viewBox', `0 0 ${width} ${height}`);
		this.node.setAttribute('height', height);
		this.node.style.setProperty('--roaming-background', backgroundOf(this.node));
		this.back.replaceChildren(
			...ways.map(({ kind, points }) => svg('path', { 'class': kind, d: Layout.pathOf(points) })),
			...routers.map((router, i) => this.router(nodes[i], router, here[i].length, look)),
			...notes.map(({ x, y, count }) => svg('text', { x, y: y + 4 }, `+${count}`)));
		this.placeClients(dots, look.label, now);
	},

	/* Routers keep their places as long as they are the same; a link that comes or goes moves none. */
	arrange(nodes, links, width) {
		const columns = Layout.columnsOf(width, nodes.length);
		const key = [ columns, ...nodes.map(({ node }) => node) ].join();

		if (key != this.arranged) {
			const pairs = links.filter(({ kind }) => kind == 'link').map(({ a, b }) => [ a, b ]);

			this.places = Arrangement.arrange(nodes.length, pairs, columns);
			this.arranged = key;
		}

		return this.places;
	},

	router(node, { x, y }, count, { box, name }) {
		const title = shorten(node.name || node.node, name);

		return svg('g', { 'class': node.self ? 'router self' : 'router', 'data-node': node.node },
			svg('title', {}, [ node.node, ...node.addresses ].join('\n')),
			svg('rect', { x: x - box.width / 2, y: y - box.height / 2, rx: 6, ...box }),
			svg('text', { x, y: y - 1 }, title),
			svg('text', { 'class': 'small', x, y: y + 12 }, N_(count, '%d client', '%d clients').format(count)));
	},

	/* Elements live as long as their clients, so that a move is seen as one. Without `letters` there are no names. */
	placeClients(dots, letters, now) {
		const gone = new Set(this.moving.keys());

		for (const { client, x, y } of dots) {
			gone.delete(client.mac);

			const element = this.moving.get(client.mac) || this.addClient(client);
			const label = client.hostname || client.mac.slice(-8);

			element.style.transform = `translate(${x}px, ${y}px)`;
			element.setAttribute('class', now - client.since < FRESH ? 'client fresh' : 'client');
			element.setAttribute('data-node', client.node);
			element.querySelector('text').textContent = letters > 0 ? shorten(label, letters) : '';
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
