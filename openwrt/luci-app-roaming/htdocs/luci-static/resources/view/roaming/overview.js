'use strict';
'require view';
'require poll';
'require dom';
'require ui';
'require roaming.daemon as daemon';
'require roaming.picture as Picture';

/* Seconds between two looks: a roam is seen at once, as a person counts. */
const INTERVAL = 2;

/* More rows than that are no help to anybody: there is a filter. */
const MOST_ROWS = 200;

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
		this.table = E('table', { 'class': 'table cbi-section-table' });
		this.filter = daemon.filter(() => this.show(this.seen));

		const page = E('div', { 'class': 'cbi-map' }, [
			E('h2', {}, [ _('Roaming clients') ]),
			this.warning,
			this.summary,
			E('div', { 'class': 'cbi-section' }, [ this.picture.node ]),
			E('div', { 'class': 'cbi-section' }, [ E('p', {}, [ this.filter ]), this.table ])
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
		dom.content(this.table, this.rows(clients.filter(client => this.isWanted(client)), status));
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

	rows(clients, status) {
		const titles = [ _('Name'), _('MAC address'), _('Addresses'), _('Router'), _('Network'), _('Since'), _('Roams'), '' ];
		const rows = clients.slice(0, MOST_ROWS).map(client => this.row(client, status, titles));
		const missing = clients.length - rows.length;

		if (clients.length == 0)
			rows.push(E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td' }, [ E('em', {}, [ _('No clients') ]) ]) ]));
		else if (missing > 0)
			rows.push(E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td' }, [ _('%d more: use the filter').format(missing) ]) ]));

		return [ E('tr', { 'class': 'tr table-titles' }, titles.map(title => E('th', { 'class': 'th' }, [ title ]))), ...rows ];
	},

	row(client, status, titles) {
		const cells = [
			[ client.hostname ? daemon.cut(client.hostname) : '-' ],
			[ client.mac ],
			client.addresses.map(address => E('div', {}, [ address ])),
			[ daemon.cut(daemon.nameOf(client.node, client.node_name)), client.here ? ` (${_('here')})` : '' ],
			[ client.ssid || '-' ],
			[ client.since ? daemon.age(status.time - client.since) : '-' ],
			[ `${client.roams}` ],
			[ client.here ? this.sendAway(client) : '' ]
		];

		return E('tr', { 'class': 'tr', 'data-mac': client.mac },
			cells.map((content, i) => E('td', { 'class': 'td', 'data-title': titles[i] }, content)));
	},

	sendAway(client) {
		return E('button', {
			'class': 'btn cbi-button cbi-button-remove',
			'disabled': L.hasViewPermission() ? null : '',
			'click': ui.createHandlerFn(this, () => daemon.disassociate(client.mac))
		}, [ _('Disconnect') ]);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
