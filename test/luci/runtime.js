/*
 * A stand-in for LuCI's runtime in the browser, for tests: as much of L, E, _, view, form, uci, rpc, ui, dom and poll as
 * the views of openwrt/luci-app-roaming use, written from their documentation. Like LuCI's, E() and dom.content() take a
 * bare string for markup and strings in a list for text.
 */
'use strict';

const settings = JSON.parse(document.getElementById('settings').textContent);

String.prototype.format = function (...args) {
  let n = 0;
  return this.replace(/%(%|[ds])/g, (_, kind) => (kind === '%' ? '%' : String(args[n++])));
};

window._ = (text) => text;
window.N_ = (n, one, many) => (n === 1 ? one : many);

const modules = new Map();

function append(node, children) {
  if (children == null) return;
  if (children instanceof Node) node.append(children);
  else if (Array.isArray(children)) for (const child of children.flat()) child != null && node.append(child instanceof Node ? child : String(child));
  else node.innerHTML = String(children);
}

window.E = (tag, attributes = {}, children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null) continue;
    if (typeof value === 'function') node.addEventListener(name, value);
    else node.setAttribute(name, value);
  }
  append(node, children);
  return node;
};

/** Classes whose methods find their parent's by this.super(name, args). */
function makeClass(parent, members) {
  const prototype = Object.assign(Object.create(parent), members);
  prototype.super = function (name, args = []) {
    return Object.getPrototypeOf(prototype)[name].apply(this, args);
  };
  return {
    prototype,
    extend: (more) => makeClass(prototype, more),
    create(...args) {
      const object = Object.create(prototype);
      object.__init__?.(...args);
      return object;
    },
  };
}

const baseclass = makeClass({}, {});

class RPCError extends Error {}

let calls = 0;
const rpc = {
  declare({ object, method, params = [], expect }) {
    return async (...args) => {
      const given = Object.fromEntries(params.map((name, i) => [name, args[i]]).filter(([, value]) => value !== undefined));
      const body = { jsonrpc: '2.0', id: ++calls, method: 'call', params: [settings.session, object, method, given] };
      const response = await fetch('/ubus', { method: 'POST', body: JSON.stringify(body) });
      const answer = await response.json();
      if (answer.error) throw new RPCError(`RPC call to ${object}/${method} failed with error ${answer.error.code}: ${answer.error.message}`);
      let value = answer.result.length > 1 ? answer.result[1] : answer.result[0];
      for (const [key, preset] of Object.entries(expect ?? {})) {
        if (value != null && key !== '') value = value[key];
        if (value == null || Object.prototype.toString.call(value) !== Object.prototype.toString.call(preset)) value = preset;
      }
      return value;
    };
  },
};

const dom = { content: (node, children) => (node.replaceChildren(), append(node, children), node), append };

const poll = {
  add(task, interval) {
    setInterval(() => task().catch((error) => console.error(error)), (interval * 1000) / settings.speed);
  },
};

const ui = {
  addNotification(title, children) {
    const box = E('div', { class: 'alert-message notice', role: 'alert' }, [...(title ? [E('h4', {}, [title])] : []), ...[children].flat()]);
    document.getElementById('notifications').append(box);
  },
  createHandlerFn: (self, task, ...args) => async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await (typeof task === 'function' ? task : self[task]).apply(self, [...args, event]);
    } finally {
      button.disabled = false;
    }
  },
};

/** What is kept as long as the window is open. */
const session = {
  getLocalData: (key) => JSON.parse(window.sessionStorage.getItem(key)),
  setLocalData: (key, value) => window.sessionStorage.setItem(key, JSON.stringify(value)),
};

const uci = {
  cache: new Map(),
  changes: [],
  created: 0,
  async load(config) {
    const get = rpc.declare({ object: 'uci', method: 'get', params: ['config'], expect: { values: {} } });
    if (!this.cache.has(config)) this.cache.set(config, await get(config));
  },
  sections(config, type) {
    const all = Object.values(this.cache.get(config) ?? {}).sort((a, b) => a['.index'] - b['.index']);
    return type === undefined ? all : all.filter((section) => section['.type'] === type);
  },
  get(config, section, option) {
    return this.cache.get(config)?.[section]?.[option];
  },
  set(config, section, option, value) {
    const values = this.cache.get(config)[section];
    if (JSON.stringify(values[option]) === JSON.stringify(value)) return;
    if (value == null) delete values[option];
    else values[option] = value;
    if (value == null) this.changes.push(['delete', { config, section, option }]);
    else this.changes.push(['set', { config, section, values: { [option]: value } }]);
  },
  add(config, type) {
    const name = `new${++this.created}`;
    this.cache.get(config)[name] = { '.type': type, '.name': name, '.anonymous': true, '.index': 1000 + this.created };
    this.changes.push(['add', { config, type, name }]);
    return name;
  },
  remove(config, section) {
    delete this.cache.get(config)[section];
    this.changes.push(['delete', { config, section }]);
  },
  async save() {
    for (const [method, args] of this.changes.splice(0)) {
      await rpc.declare({ object: 'uci', method, params: Object.keys(args) })(...Object.values(args));
    }
    this.cache.clear();
  },
};

/* Forms */

const Value = makeClass(baseclass.prototype, {
  __init__(map, section, option, title, description) {
    Object.assign(this, { map, section, option, title, description, choices: [], elements: new Map(), rmempty: true });
  },
  value(key, title) {
    this.choices.push([key, title ?? key]);
  },
  cfgvalue(id) {
    return uci.get(this.map.config, id, this.option);
  },
  getUIElement(id) {
    return this.elements.get(id);
  },
  input(value) {
    const node = E('input', { type: this.password ? 'password' : 'text', class: 'cbi-input-text', placeholder: this.placeholder, value: value ?? '' });
    return { node, getValue: () => node.value, setValue: (text) => ((node.value = text), node.dispatchEvent(new Event('input'))) };
  },
  check(id, element, error) {
    const values = [element.getValue() ?? ''].flat();
    const wrong = values.map((value) => this.validate?.(id, value) ?? true).find((result) => result !== true);
    error.textContent = wrong ?? '';
    return wrong;
  },
  render(id) {
    const element = this.input(this.cfgvalue(id) ?? this.default);
    const error = E('div', { class: 'cbi-value-error', role: 'alert' });
    this.elements.set(id, element);
    element.check = () => this.check(id, element, error);
    for (const event of ['input', 'change']) element.node.addEventListener(event, element.check);
    const name = `cbid.${this.map.config}.${id}.${this.option}`;
    element.node.setAttribute('aria-label', this.title);
    return E('div', { class: 'cbi-value', 'data-field': name }, [
      E('label', { class: 'cbi-value-title' }, [this.title]),
      E('div', { class: 'cbi-value-field' }, [element.node, error, E('div', { class: 'cbi-value-description' }, [this.description ?? ''])]),
    ]);
  },
  parse(id) {
    const element = this.elements.get(id);
    const wrong = element.check();
    if (wrong !== undefined) throw new TypeError(`${this.title}: ${wrong}`);
    const value = element.getValue();
    const empty = value == null || value.length === 0 || value === this.default;
    uci.set(this.map.config, id, this.option, empty ? undefined : value);
  },
});

const Flag = Value.extend({
  input(value) {
    const node = E('input', { type: 'checkbox' });
    node.checked = value === '1';
    return { node, getValue: () => (node.checked ? '1' : '0'), setValue: (text) => (node.checked = text === '1') };
  },
});

const ListValue = Value.extend({
  input(value) {
    const node = E('select', { class: 'cbi-input-select' }, this.choices.map(([key, title]) => E('option', { value: key }, [title])));
    node.value = value;
    return { node, getValue: () => node.value, setValue: (text) => (node.value = text) };
  },
});

const DynamicList = Value.extend({
  input(value) {
    const node = E('div', { class: 'cbi-dynlist' });
    const add = (text) => {
      const row = E('div', { class: 'item' }, [
        E('input', { type: 'text', class: 'cbi-input-text', value: text }),
        E('button', { type: 'button', class: 'btn', click: () => (row.remove(), node.dispatchEvent(new Event('change'))) }, ['×']),
      ]);
      node.insertBefore(row, more);
    };
    const more = E('button', { type: 'button', class: 'btn cbi-button-add', click: () => add('') }, ['+']);
    node.append(more);
    [value ?? []].flat().forEach(add);
    return { node, getValue: () => [...node.querySelectorAll('input')].map((one) => one.value).filter((text) => text !== ''), setValue() {} };
  },
});

const Button = Value.extend({
  render(id) {
    const node = E('button', { type: 'button', class: 'btn cbi-button', click: (event) => this.onclick(event, id) }, [this.inputtitle]);
    return E('div', { class: 'cbi-value' }, [E('label', { class: 'cbi-value-title' }, [this.title]), E('div', { class: 'cbi-value-field' }, [node])]);
  },
  parse() {},
});

const Section = makeClass(baseclass.prototype, {
  __init__(map, type, ...rest) {
    Object.assign(this, { map, type, options: [], tabs: [] });
    [this.title, this.description] = rest;
  },
  tab(name, title) {
    this.tabs.push({ name, title });
  },
  option(kind, ...args) {
    const option = kind.create(this.map, this, ...args);
    this.options.push(option);
    return option;
  },
  taboption(tab, ...args) {
    return Object.assign(this.option(...args), { tab });
  },
  parse() {
    for (const id of this.ids()) for (const option of this.options) option.parse(id);
  },
});

const NamedSection = Section.extend({
  __init__(map, name, type, ...rest) {
    this.super('__init__', [map, type, ...rest]);
    this.name = name;
  },
  ids() {
    return [this.name];
  },
  render() {
    const panes = this.tabs.map(({ name }) => E('div', { class: 'pane', 'data-tab': name }, this.options.filter(({ tab }) => tab === name).map((o) => o.render(this.name))));
    const show = (tab) => {
      panes.forEach((pane) => (pane.hidden = pane.dataset.tab !== tab));
      [...menu.children].forEach((item) => (item.className = item.dataset.tab === tab ? 'cbi-tab' : 'cbi-tab-disabled'));
    };
    const menu = E('ul', { class: 'cbi-tabmenu' }, this.tabs.map(({ name, title }) => E('li', { 'data-tab': name, click: () => show(name) }, [E('a', { href: '#' }, [title])])));
    show(this.tabs[0].name);
    return E('div', { class: 'cbi-section' }, [menu, ...panes]);
  },
});

const GridSection = Section.extend({
  ids() {
    return uci.sections(this.map.config, this.type).map((section) => section['.name']);
  },
  render() {
    const rows = this.ids().map((id) =>
      E('div', { class: 'grid-row', 'data-section': id }, [
        ...this.options.map((option) => option.render(id)),
        E('button', { type: 'button', class: 'btn cbi-button-remove', click: () => (uci.remove(this.map.config, id), this.map.redraw()) }, ['Delete']),
      ]),
    );
    const add = E('button', { type: 'button', class: 'btn cbi-button-add', click: () => (uci.add(this.map.config, this.type), this.map.redraw()) }, ['Add']);
    return E('div', { class: 'cbi-section' }, [E('h3', {}, [this.title]), E('div', { class: 'cbi-section-descr' }, [this.description]), ...rows, add]);
  },
});

const Map_ = makeClass(baseclass.prototype, {
  __init__(config, title, description) {
    Object.assign(this, { config, title, description, sections: [] });
    this.root = E('div', { class: 'cbi-map' });
  },
  section(kind, ...args) {
    const section = kind.create(this, ...args);
    this.sections.push(section);
    return section;
  },
  async render() {
    await uci.load(this.config);
    return this.redraw();
  },
  redraw() {
    const head = [E('h2', {}, [this.title]), E('div', { class: 'cbi-map-descr' }, [this.description])];
    return dom.content(this.root, [...head, ...this.sections.map((section) => section.render())]);
  },
  lookupOption(name, id) {
    const found = this.sections.flatMap(({ options }) => options).find(({ option }) => option === name);
    return found === undefined ? null : [found, id];
  },
  async parse() {
    this.sections.forEach((section) => section.parse());
  },
  async save(callback, silent) {
    try {
      await this.parse();
      await callback?.();
      await uci.save();
      await uci.load(this.config);
    } catch (error) {
      if (!silent) ui.addNotification('Save error', [E('p', { style: 'white-space: pre-line' }, [error.message])]);
      throw error;
    }
    this.redraw();
  },
});

const form = { Map: Map_, NamedSection, GridSection, Value, Flag, ListValue, DynamicList, Button };
for (const name of Object.keys(form)) if (name !== 'Map') form[name].name = name;
/* `new form.Map(...)` as LuCI has it. */
form.Map = function (...args) {
  return Map_.create(...args);
};

const view = makeClass(baseclass.prototype, {
  async handleSaveApply(event) {
    await this.handleSave(event);
    await rpc.declare({ object: 'uci', method: 'apply' })();
  },
  footer() {
    const button = (title, name) => E('button', { type: 'button', class: 'btn cbi-button-save', click: (event) => void this[name](event).catch(() => {}) }, [title]);
    const buttons = [['Save & Apply', 'handleSaveApply'], ['Save', 'handleSave']].filter(([, name]) => this[name]);
    return E('div', { class: 'cbi-page-actions' }, buttons.map(([title, name]) => button(title, name)));
  },
});

window.L = { hasViewPermission: () => settings.writable };

const builtin = { baseclass, rpc, session, dom, poll, ui, uci, form, view };
for (const [name, module] of Object.entries(builtin)) modules.set(name, Promise.resolve(module));

/** Loads `roaming.daemon` from resources/roaming/daemon.js: its 'require' lines, then its body; a class is made an object. */
function load(name) {
  if (!modules.has(name)) modules.set(name, fetchModule(name));
  return modules.get(name);
}

async function fetchModule(name) {
  const path = `/luci-static/resources/${name.replaceAll('.', '/')}.js`;
  const source = await (await fetch(path)).text();
  const requires = [...source.matchAll(/^'require ([\w.]+)(?: as (\w+))?';$/gm)].map(([, module, alias]) => [module, alias ?? module.replaceAll('.', '_')]);
  const values = await Promise.all(requires.map(([module]) => load(module)));
  const body = new Function(...requires.map(([, alias]) => alias), `${source}\n//# sourceURL=${path}`);
  const result = body(...values);
  return result.create();
}

const page = await load(settings.view.replaceAll('/', '.').replace(/^/, 'view.'));
const content = await page.render(await page.load());
document.getElementById('view').replaceChildren(content, page.footer());
document.body.dataset.ready = 'true';
