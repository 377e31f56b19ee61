'use strict';
'require baseclass';
'require dom';
'require session';

/*
 * A table that is shown anew every few seconds. It is sorted by the column that the reader chose, and only what has
 * changed is touched, so that focus, selection and the place on the page stay. Its attributes are those of LuCI's own
 * sortable tables, which themes know, and the order is remembered where theirs is.
 */

const STYLE = `
.roaming-table th button { all: unset; cursor: pointer; }
.roaming-table th button:focus-visible { outline: 2px solid; outline-offset: 2px; }
.roaming-table th[data-sort-direction] { white-space: nowrap; }
.roaming-table th[data-sort-direction="asc"]::after { content: "\\a0\\25b2"; }
.roaming-table th[data-sort-direction="desc"]::after { content: "\\a0\\25bc"; }
`;

const STORE = 'tablesort';

const collator = new Intl.Collator(undefined, { numeric: true });

function compare(a, b) {
	return typeof(a) == 'number' ? a - b : collator.compare(a, b);
}

const isNothing = key => key == null || key === '';

/* Rows by their keys: numbers by size, texts as people sort them, what has no key last in either direction. */
function order(rows, keyOf, descending) {
	const sign = descending ? -1 : 1;

	return rows.map(row => [ keyOf(row), row ])
		.sort(([ a ], [ b ]) => isNothing(a) || isNothing(b) ? isNothing(a) - isNothing(b) : sign * compare(a, b))
		.map(([ , row ]) => row);
}

function note(text) {
	return E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td' }, [ E('em', {}, [ text ]) ]) ]);
}

/* Puts nodes after `first` in this order, and removes what else is there. One that is in its place is not moved. */
function arrange(first, nodes) {
	const wanted = new Set(nodes);

	for (let node = first.nextSibling, next; node; node = next) {
		next = node.nextSibling;

		if (!wanted.has(node))
			node.remove();
	}

	let next = first.nextSibling;

	for (const node of nodes) {
		/* One that has gone further down: the others need not make way. */
		if (next && next !== node && next.nextSibling === node)
			next = node;

		if (next === node)
			next = node.nextSibling;
		else
			first.parentNode.insertBefore(node, next);
	}
}

/*
 * A column is { title, text(row), draw(row), sort(row) }. `text` is what a cell says; `draw` makes its content where that
 * is more, and is asked again when the text has changed. By a column without `sort` nothing is sorted.
 */
class Table {
	/* `id`: among the tables of the page; `keyOf`, `attributes`: of a row; `most`: rows that are shown. */
	constructor({ id, label, columns, keyOf, attributes, most }) {
		Object.assign(this, { columns, keyOf, attributes, most });
		this.store = `${document.body.getAttribute('data-page')}.${id}`;
		this.sorting = this.recall();
		this.kept = new Map();
		this.rows = [];
		this.nothing = '';
		this.titles = E('tr', { 'class': 'tr table-titles' }, columns.map((column, i) => this.makeTitle(column, i)));
		this.node = E('table', { 'class': 'table cbi-section-table roaming-table', 'aria-label': label }, [ this.titles ]);
		this.chooser = this.makeChooser();
		this.showSorting();
	}

	makeTitle({ title, sort }, index) {
		if (!sort)
			return E('th', { 'class': 'th' }, [ title ]);

		return E('th', { 'class': 'th', 'data-sortable-row': 'true', 'click': () => this.toggle(index) }, [ E('button', { 'type': 'button' }, [ title ]) ]);
	}

	/* For screens on which themes hide the titles, since each cell has its own there. */
	makeChooser() {
		const options = this.columns.flatMap(({ title, sort }, i) => !sort ? [] : [
			E('option', { 'value': `${i} asc` }, [ `${title} ▲` ]),
			E('option', { 'value': `${i} desc` }, [ `${title} ▼` ])
		]);

		return E('select', { 'class': 'cbi-input-select', 'aria-label': _('Sort by'), 'change': event => this.choose(event.target.value) },
			[ E('option', { 'value': '' }, [ _('Sort by') ]), ...options ]);
	}

	/* Which column is sorted by, and whether downwards; null: none. */
	recall() {
		const [ index, descending ] = (session.getLocalData(STORE) || {})[this.store] || [];

		return this.columns[index] && this.columns[index].sort ? [ index, descending ] : null;
	}

	toggle(index) {
		const [ before, descending ] = this.sorting || [];

		this.sortBy([ index, index === before && !descending ]);
	}

	choose(value) {
		const [ index, direction ] = value.split(' ');

		this.sortBy(value == '' ? null : [ Number(index), direction == 'desc' ]);
	}

	sortBy(sorting) {
		this.sorting = sorting;
		session.setLocalData(STORE, { ...session.getLocalData(STORE), [this.store]: sorting });
		this.showSorting();
		this.update(this.rows, this.nothing);
	}

	showSorting() {
		const [ sorted, descending ] = this.sorting || [];

		[ ...this.titles.children ].forEach((th, i) => {
			th.removeAttribute('data-sort-direction');
			th.removeAttribute('aria-sort');

			if (i === sorted) {
				th.setAttribute('data-sort-direction', descending ? 'desc' : 'asc');
				th.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
			}
		});
		this.chooser.value = this.sorting ? `${sorted} ${descending ? 'desc' : 'asc'}` : '';
	}

	/* `nothing`: what is said where there are no rows. */
	update(rows, nothing) {
		Object.assign(this, { rows, nothing });

		const [ index, descending ] = this.sorting || [];
		const sorted = this.sorting ? order(rows, this.columns[index].sort, descending) : rows;
		const kept = new Map();

		for (const row of sorted.slice(0, this.most)) {
			let key = this.keyOf(row);

			/* Rows with one key are told apart by which of them comes first. */
			while (kept.has(key))
				key += '+';

			kept.set(key, this.refresh(this.kept.get(key) || this.makeRow(), row));
		}

		this.kept = kept;
		this.place(rows.length - kept.size);
		this.chooser.style.display = this.titles.getClientRects().length > 0 ? 'none' : '';
	}

	place(missing) {
		const focused = document.activeElement;
		const nodes = [ ...this.kept.values() ].map(({ node }) => node);

		if (nodes.length == 0)
			nodes.push(note(this.nothing));
		else if (missing > 0)
			nodes.push(note(_('%d more: use the filter').format(missing)));

		arrange(this.titles, nodes);

		/* A row that has moved has lost it. */
		if (focused !== document.activeElement && this.node.contains(focused))
			focused.focus({ preventScroll: true });
	}

	makeRow() {
		const cells = this.columns.map(({ title }) => E('td', { 'class': 'td', 'data-title': title }));

		return { node: E('tr', { 'class': 'tr' }, cells), cells, texts: [] };
	}

	refresh(shown, row) {
		const { node, cells, texts } = shown;

		for (const [ name, value ] of Object.entries(this.attributes(row)))
			if (node.getAttribute(name) !== value)
				node.setAttribute(name, value);

		this.columns.forEach((column, i) => {
			const text = column.text(row);

			if (text === texts[i])
				return;

			texts[i] = text;
			dom.content(cells[i], column.draw ? column.draw(row) : [ text ]);
		});

		return shown;
	}
}

return baseclass.extend({
	__init__() {
		document.head.append(E('style', {}, [ STYLE ]));
	},

	make: description => new Table(description),
	order
});
