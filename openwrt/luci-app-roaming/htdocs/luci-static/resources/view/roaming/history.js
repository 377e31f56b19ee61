'use strict';
'require view';
'require poll';
'require dom';
'require roaming.daemon as daemon';

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
		this.table = E('table', { 'class': 'table cbi-section-table' });
		this.filter = daemon.filter(() => this.show(this.seen));

		this.show(seen);
		poll.add(() => this.look().then(seen => this.show(seen)), INTERVAL);

		return E('div', { 'class': 'cbi-map' }, [
			E('h2', {}, [ _('Recent roams') ]),
			this.warning,
			E('div', { 'class': 'cbi-map-descr' }, [
				_('As this router saw them. Gap: how long packets to the client had no way, as far as this router can tell. Steps: milliseconds after the first.')
			]),
			E('div', { 'class': 'cbi-section' }, [ E('p', {}, [ this.filter ]), this.table ])
		]);
	},

	show(seen) {
		const { status, roams, errors } = this.seen = seen;
		const titles = [ _('Time'), _('Client'), _('From'), _('To'), _('Gap'), _('Steps') ];
		const warning = daemon.warning(status, errors);
		const wanted = roams.filter(roam => daemon.matches(this.filter, [ roam.mac, roam.hostname, roam.from_name, roam.to_name ]));
		const rows = wanted.slice(0, MOST_ROWS).map(roam => this.row(roam, titles));

		if (rows.length == 0)
			rows.push(E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td' }, [ E('em', {}, [ roams.length == 0 ? _('No roams yet') : _('No such roams') ]) ]) ]));

		dom.content(this.warning, warning ? [ warning ] : []);
		dom.content(this.table, [ E('tr', { 'class': 'tr table-titles' }, titles.map(title => E('th', { 'class': 'th' }, [ title ]))), ...rows ]);
	},

	row(roam, titles) {
		const steps = STEPS.filter(([ step ]) => roam.steps[step] != null).slice(1);
		const cells = [
			[ new Date(roam.time * 1000).toLocaleString() ],
			roam.hostname ? [ daemon.cut(roam.hostname), ` (${roam.mac})` ] : [ roam.mac ],
			[ daemon.cut(daemon.nameOf(roam.from, roam.from_name)) ],
			[ daemon.cut(daemon.nameOf(roam.to, roam.to_name)) ],
			[ daemon.gap(roam.gap) ],
			[ steps.map(([ step, title ]) => `${title} ${roam.steps[step]}`).join(', ') || '-' ]
		];

		return E('tr', { 'class': 'tr', 'data-mac': roam.mac },
			cells.map((content, i) => E('td', { 'class': 'td', 'data-title': titles[i] }, content)));
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
