'use strict';
'require baseclass';
'require rpc';
'require ui';

/* What the daemon says on ubus, and words for it. Answers come as they are in src/status/README.md. */

/* Where there is no daemon there is no object on ubus, and the call fails: `otherwise` is the answer then. */
function query(method, expect, params) {
	const call = rpc.declare({ object: 'roaming', method, params, expect });
	const otherwise = Object.values(expect)[0];

	return (...args) => call(...args).catch(() => otherwise);
}

/* A list that comes in parts where it is long: `next` is what to ask for the rest after. */
function queryList(method, list) {
	const call = rpc.declare({ object: 'roaming', method, params: [ 'after' ] });
	const from = (after, before) => call(after).then(answer => {
		const all = before.concat(answer[list]);

		return answer.next ? from(answer.next, all) : all;
	});

	return () => from('', []).catch(() => []);
}

const NAME_STYLE = 'display: inline-block; max-width: 14em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; vertical-align: bottom';

const callDisassociate = rpc.declare({ object: 'roaming', method: 'disassociate', params: [ 'mac' ] });
const callService = rpc.declare({ object: 'service', method: 'list', params: [ 'name', 'verbose' ], expect: { roaming: {} } });

return baseclass.extend({
	clients: queryList('clients', 'clients'),
	nodes: queryList('nodes', 'nodes'),
	peers: query('peers', { peers: [] }),
	history: query('history', { roams: [] }, [ 'limit' ]),
	status: query('status', { '': {} }),

	/* Has the access point here send a client away; what keeps it from that is shown. */
	disassociate(mac) {
		return callDisassociate(mac).then(answer => {
			if (answer != null && answer.error)
				ui.addNotification(null, E('p', {}, [ answer.error ]), 'warning');
		});
	},

	/* What procd was told about a configuration that cannot be used, a line each. */
	serviceErrors() {
		return callService('roaming', true).then(({ instances = {} }) =>
			Object.values(instances).flatMap(instance => instance.errors || [])).catch(() => []);
	},

	/* A router by its name, else by its id. */
	nameOf(node, name) {
		return name || node || '-';
	},

	/* A name in a column: a long one would take its room from the others. The pointer shows all of it. */
	cut(name) {
		return E('span', { 'style': NAME_STYLE, 'title': name }, [ name ]);
	},

	/* Seconds for people. */
	age(seconds) {
		const s = Math.max(0, Math.floor(seconds));

		if (s < 120)
			return _('%d s').format(s);

		if (s < 7200)
			return _('%d min').format(Math.floor(s / 60));

		return s < 172800 ? _('%d h').format(Math.floor(s / 3600)) : _('%d d').format(Math.floor(s / 86400));
	},

	/* Milliseconds for people. */
	gap(millis) {
		if (millis == null)
			return '-';

		return millis < 1000 ? _('%s ms').format(millis < 100 ? millis.toFixed(1) : millis.toFixed(0)) : _('%s s').format((millis / 1000).toFixed(1));
	},

	/* A field to type into; `changed` is called as its text does. */
	filter(changed) {
		return E('input', {
			'type': 'text',
			'role': 'searchbox',
			'class': 'cbi-input-text',
			'placeholder': _('Name, address or router'),
			'aria-label': _('Filter'),
			'input': changed
		});
	},

	isEmpty(filter) {
		return filter.value.trim() == '';
	},

	/* Whether one of the texts has in it what was typed into the field; a MAC may be typed with hyphens. */
	matches(filter, texts) {
		const wanted = filter.value.trim().toLowerCase();
		const spelled = /^[0-9a-f]{2}(-[0-9a-f]{1,2})+$/.test(wanted) ? [ wanted, wanted.replaceAll('-', ':') ] : [ wanted ];

		return texts.some(text => spelled.some(word => text.toLowerCase().includes(word)));
	},

	/* One box above the page: what keeps the daemon from serving clients. Null where all is well. */
	warning(status, errors) {
		const lines = status.version == null
			? [ _('The daemon does not answer.'), ...errors ]
			: status.problems;

		if (lines.length == 0)
			return null;

		return E('div', { 'class': 'alert-message warning' }, lines.map(line => E('p', {}, [ line ])));
	}
});
