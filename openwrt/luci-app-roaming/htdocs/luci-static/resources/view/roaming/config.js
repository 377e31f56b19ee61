'use strict';
'require view';
'require form';
'require uci';
'require roaming.daemon as daemon';
'require roaming.schema as schema';

/* Where an option stands; what is not named here is for those who know what they do. */
const TABS = {
	general: [ 'enabled', 'interface', 'prefix', 'key', 'auth', 'peer' ],
	clients: [
		'gateway', 'dns', 'domain', 'search', 'ntp', 'route', 'mtu', 'netmask', 'rapid_commit', 'captive_portal',
		'ipv6_only_wait', 'pref64', 'router_lifetime', 'exclude', 'lease_time', 'hold_time'
	]
};

const tabOf = name => Object.keys(TABS).find(tab => TABS[tab].includes(name)) || 'advanced';

/* Words that are not written as others are. */
const NAMES = { dns: 'DNS', id: 'ID', ip: 'IP', ipv6: 'IPv6', mac: 'MAC', mtu: 'MTU', ntp: 'NTP', ssid: 'SSID' };

/* `lease_time` -> `Lease time`, `gateway_mac` -> `Gateway MAC`. */
function titleOf(name) {
	const words = name.split('_').map(word => NAMES[word] || word).join(' ');

	return words.charAt(0).toUpperCase() + words.slice(1);
}

function widgetOf({ list, widget }) {
	if (list)
		return form.DynamicList;

	return { flag: form.Flag, choice: form.ListValue }[widget] || form.Value;
}

/* What the daemon says of a value is what the form says of it. */
function describe(option, entry, type) {
	option.rmempty = true;
	option.password = entry.widget == 'secret';
	entry.choices.forEach(choice => option.value(choice, choice));

	if (entry.widget == 'flag' || entry.widget == 'choice')
		option.default = entry.preset;
	else if (entry.preset != null)
		option.placeholder = entry.preset;

	/* One value, or all items of a list. */
	option.validate = (_section, value) => [ value ].flat()
		.filter(text => text != null && text !== '')
		.map(text => schema.checkValue(type, entry.name, text))
		.find(Boolean) || true;
}

/* 256 bits in characters that need no quoting anywhere, as `roaming keygen` makes them. */
function makeKey() {
	const bytes = window.crypto.getRandomValues(new Uint8Array(32));

	return window.btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

return view.extend({
	load() {
		return Promise.all([ daemon.serviceErrors(), uci.load('roaming') ]);
	},

	render([ errors ]) {
		const map = this.map = new form.Map('roaming', _('Roaming'),
			_('Clients keep their addresses and connections from router to router. All routers have the same options here, but for interfaces and peers.'));

		this.describeMain(map.section(form.NamedSection, 'main', 'roaming'));
		this.describeHosts(map.section(form.GridSection, 'host', _('Reserved addresses'),
			_('IPv4 addresses that are one client’s for ever, the same on every router.')));

		return map.render().then(node => E('div', {}, [
			E('div', {}, errors.map(line => E('div', { 'class': 'alert-message warning' }, [ E('p', {}, [ line ]) ]))),
			node
		]));
	},

	describeMain(section) {
		section.tab('general', _('General'));
		section.tab('clients', _('What clients are told'));
		section.tab('advanced', _('Advanced'));

		for (const entry of schema.options('roaming')) {
			describe(section.taboption(tabOf(entry.name), widgetOf(entry), entry.name, titleOf(entry.name), entry.help), entry, 'roaming');

			if (entry.name == 'key')
				this.offerKey(section);
		}
	},

	offerKey(section) {
		const button = section.taboption('general', form.Button, '_key', ' ');

		button.inputtitle = _('Make a new key');
		button.onclick = (_event, section_id) => this.map.lookupOption('key', section_id)[0].getUIElement(section_id).setValue(makeKey());
	},

	describeHosts(section) {
		section.anonymous = true;
		section.addremove = true;

		/* The table allows one MAC a section; the file may name it as option or as list. */
		for (const entry of schema.options('host'))
			describe(section.option(form.Value, entry.name, titleOf(entry.name), entry.help), { ...entry, list: false }, 'host');
	},

	/* Values that are good each by itself may not fit each other: nothing is saved then. */
	handleSave() {
		return this.map.save(() => {
			const problems = schema.checkSections(uci.sections('roaming'));

			if (problems.length > 0)
				throw new TypeError(problems.join('\n'));
		});
	}
});
