'use strict';
'require view';
'require poll';
'require dom';
'require roaming.daemon as daemon';
'require roaming.table as Table';

const INTERVAL = 5;
const MOST_ROWS = 200;

/* All that the daemon keeps: of those the filter chooses. */
const MOST_ROAMS = 500;

/* In the order in which they follow. */
const STEPS = [
	[ 'left', _('left') ],
	[ 'authorized', _('authorised') ],
	[ 'known', _('known') ],
	[ 'routed', _('routed') ],
	[ 'announced', _('announced') ]
];

function stepsOf({ steps }) {
	const taken = STEPS.filter(([ step ]) => steps[step] != null).slice(1);

	return taken.map(([ step, title ]) => `${title} ${steps[step]}`).join(', ') || '-';
}

function routerColumn(title, nameOf) {
	return { title, text: nameOf, draw: roam => [ daemon.cut(nameOf(roam)) ], sort: nameOf };
}

const COLUMNS = [
	{ title: _('Time'), text: ({ time }) => new Date(time * 1000).toLocaleString(), sort: ({ time }) => time },
	{
		title: _('Client'),
		text: ({ hostname, mac }) => `${hostname} ${mac}`,
		draw: ({ hostname, mac }) => hostname ? [ daemon.cut(hostname), ` (${mac})` ] : [ mac ],
		sort: ({ hostname }) => hostname
	},
	routerColumn(_('From'), ({ from, from_name }) => daemon.nameOf(from, from_name)),
	routerColumn(_('To'), ({ to, to_name }) => daemon.nameOf(to, to_name)),
	{ title: _('Gap'), text: ({ gap }) => daemon.gap(gap), sort: ({ gap }) => gap },
	{ title: _('Steps'), text: stepsOf }
];

return view.extend({
	load() {
		return this.look();
	},

	async look() {
		const [ status, roams ] = await Promise.all([ daemon.status(), daemon.history(MOST_ROAMS) ]);
		const errors = status.version == null ? await daemon.serviceErrors() : [];

		return { status, roams, errors };
	},

	render(seen) {
		this.warning = E('div');
		this.table = Table.make({
			id: 'roams',
			label: _('Recent roams'),
			columns: COLUMNS,
			keyOf: ({ time, mac }) => `${time} ${mac}`,
			attributes: ({ mac }) => ({ 'data-mac': mac }),
			most: MOST_ROWS
		});
		this.filter = daemon.filter(() => this.show(this.seen));

		this.show(seen);
		poll.add(() => this.look().then(seen => this.show(seen)), INTERVAL);

		return E('div', { 'class': 'cbi-map' }, [
			E('h2', {}, [ _('Recent roams') ]),
			this.warning,
			E('div', { 'class': 'cbi-map-descr' }, [
				_('As this router saw them. Gap: how long packets to the client had no way, as far as this router can tell. Steps: milliseconds after the first.')
			]),
			E('div', { 'class': 'cbi-section' }, [ E('p', {}, [ this.filter, ' ', this.table.chooser ]), this.table.node ])
		]);
	},

	show(seen) {
		const { status, roams, errors } = this.seen = seen;
		const warning = daemon.warning(status, errors);
		const wanted = roams.filter(roam => daemon.matches(this.filter, [ roam.mac, roam.hostname, roam.from_name, roam.to_name ]));

		dom.content(this.warning, warning ? [ warning ] : []);
		this.table.update(wanted, roams.length == 0 ? _('No roams yet') : _('No such roams'));
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
