'use strict';
'require view';
'require poll';
'require dom';
'require ui';
'require roaming.daemon as daemon';
'require roaming.picture as Picture';
'require roaming.table as Table';

/* Seconds between two looks: a roam is seen at once, as a person counts. */
const INTERVAL = 2;

/* More rows than that are no help to anybody: there is a filter. */
const MOST_ROWS = 500;

/* 48 bits, so that hexadecimal digits count as what they are. */
const macNumber = mac => parseInt(mac.replaceAll(':', ''), 16);

const routerOf = client => daemon.nameOf(client.node, client.node_name);

/* As the table wants them: `now` is the router's clock, seconds since 1970; `sendAway` makes the button of a client. */
function columns(now, sendAway) {
	return [
		{
			title: _('Name'),
			text: ({ hostname }) => hostname || '-',
			draw: ({ hostname }) => [ hostname ? daemon.cut(hostname) : '-' ],
			sort: ({ hostname }) => hostname
		},
		{ title: _('MAC address'), text: ({ mac }) => mac, sort: ({ mac }) => macNumber(mac) },
		{
			title: _('Addresses'),
			text: ({ addresses }) => addresses.join(' '),
			draw: ({ addresses }) => addresses.map(address => E('div', {}, [ address ])),
			sort: ({ addresses }) => addresses[0]
		},
		{
			title: _('Router'),
			text: client => routerOf(client) + (client.here ? ` (${_('here')})` : ''),
			draw: client => [ daemon.cut(routerOf(client)), client.here ? ` (${_('here')})` : '' ],
			sort: client => client.node && routerOf(client)
		},
		{ title: _('Network'), text: ({ ssid }) => ssid || '-', sort: ({ ssid }) => ssid },
		{
			title: _('Since'),
			text: ({ since }) => since ? daemon.age(now() - since) : '-',
			sort: ({ since }) => since ? -since : null
		},
		{ title: _('Roams'), text: ({ roams }) => `${roams}`, sort: ({ roams }) => roams },
		{ title: '', text: ({ here, hostname, mac }) => here ? hostname || mac : '', draw: client => client.here ? [ sendAway(client) ] : [] }
	];
}

return view.extend({
	load() {
		return this.look();
	},

	async look() {
		const [ status, clients, nodes, peers ] = await Promise.all([ daemon.status(), daemon.clients(), daemon.nodes(), daemon.peers() ]);
		const errors = status.version == null ? await daemon.serviceErrors() : [];

		return { status, clients, nodes, peers, errors };
	},

	render(seen) {
		this.warning = E('div');
		this.summary = E('div', { 'class': 'cbi-map-descr' });
		this.picture = Picture;
		this.filter = daemon.filter(() => this.show(this.seen));
		this.found = E('span', { 'role': 'status' });
		this.table = Table.make({
			id: 'clients',
			label: _('Clients'),
			columns: columns(() => this.seen.status.time, client => this.sendAway(client)),
			keyOf: ({ mac }) => mac,
			attributes: ({ mac }) => ({ 'data-mac': mac }),
			most: MOST_ROWS
		});

		const page = E('div', { 'class': 'cbi-map' }, [
			E('h2', {}, [ _('Roaming clients') ]),
			this.warning,
			this.summary,
			E('div', { 'class': 'cbi-section' }, [ this.picture.node ]),
			E('div', { 'class': 'cbi-section' }, [ E('p', {}, [ this.filter, ' ', this.table.chooser, ' ', this.found ]), this.table.node ])
		]);

		this.show(seen);
		window.addEventListener('resize', () => this.show(this.seen));
		poll.add(() => this.look().then(seen => this.show(seen)), INTERVAL);
		/* The picture's width is known once it stands on the page. */
		window.requestAnimationFrame(() => this.show(this.seen));

		return page;
	},

	show(seen) {
		const { status, clients, nodes, peers, errors } = this.seen = seen;
		const present = clients.filter(({ node }) => node != '');
		const warning = daemon.warning(status, errors);

		dom.content(this.warning, warning ? [ warning ] : []);
		dom.content(this.summary, [ status.version == null ? '' : this.summarise(status, present) ]);
		this.picture.update(nodes, present, peers, status.time || 0);
		this.list(clients);
	},

	list(clients) {
		const wanted = clients.filter(client => this.isWanted(client));
		const found = daemon.isEmpty(this.filter) ? '' : _('%d of %d clients').format(wanted.length, clients.length);

		/* It is read aloud when it changes. */
		if (this.found.textContent != found)
			this.found.textContent = found;

		this.table.update(wanted, clients.length == 0 ? _('No clients') : _('No such clients'));
	},

	summarise(status, present) {
		return [
			N_(present.length, '%d client', '%d clients').format(present.length),
			_('%d here').format(status.clients_here),
			N_(status.nodes, '%d router', '%d routers').format(status.nodes),
			N_(status.peers, '%d session up', '%d sessions up').format(status.peers)
		].join(', ');
	},

	isWanted({ mac, hostname, addresses, node_name, ssid }) {
		return daemon.matches(this.filter, [ mac, hostname, node_name, ssid, ...addresses ]);
	},

	sendAway(client) {
		return E('button', {
			'class': 'btn cbi-button cbi-button-remove',
			'disabled': L.hasViewPermission() ? null : '',
			'aria-label': _('Disconnect %s').format(client.hostname || client.mac),
			'click': ui.createHandlerFn(this, () => daemon.disassociate(client.mac))
		}, [ _('Disconnect') ]);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
