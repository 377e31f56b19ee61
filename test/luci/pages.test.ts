/** The LuCI pages in a real browser, against the daemon's own ubus methods. Skipped by name where there is no Chromium. */
import { existsSync, mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import type { Test } from 'tap';
import t from 'tap';
import { parseNodeId } from '../../src/clients/node-id.js';
import { nodes, self, TestRouter } from './router.js';
import { WebServer } from './server.js';

const CHROMIUM = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
);
/** Milliseconds. */
const PATIENCE = 120_000;

/** Where pictures of the pages go, if they are wanted. */
const SHOTS = process.env['SCREENSHOTS'];

const [, hall, garden] = nodes.map(({ id }) => id) as [typeof self, typeof self, typeof self];

t.test('LuCI pages', { skip: CHROMIUM === undefined && 'no Chromium here' }, async (t) => {
  const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'], timeout: PATIENCE });
  t.teardown(() => browser.close());
  await t.test('clients', (t) => testClients(t, browser));
  await t.test('40 routers with 500 clients', (t) => testMany(t, browser));
  await t.test('history', (t) => testHistory(t, browser));
  await t.test('configuration', (t) => testConfiguration(t, browser));
  await t.test('without a daemon', (t) => testWithoutDaemon(t, browser));
});

interface Scene {
  readonly router: TestRouter;
  readonly web: WebServer;
  /** Opens a view; what the page complains about fails the test. */
  open(view: string, options?: Parameters<WebServer['page']>[1], size?: { width: number; height: number }): Promise<Page>;
}

async function setScene(t: Test, browser: Browser, { daemon = true } = {}): Promise<Scene> {
  const router = await TestRouter.start();
  if (daemon) await router.startDaemon();
  const web = await WebServer.start(router.ubus);
  t.teardown(async () => {
    web.close();
    await router.stop();
  });
  const open: Scene['open'] = async (view, options, size = { width: 1100, height: 800 }) => {
    const page = await browser.newPage({ viewport: size });
    page.setDefaultTimeout(PATIENCE);
    page.on('pageerror', (error) => t.fail(error.message));
    page.on('console', (message) => message.type() === 'error' && t.fail(message.text()));
    await page.goto(web.page(view, { speed: 20, ...options }));
    await page.waitForSelector('body[data-ready]');
    t.teardown(() => page.close());
    return page;
  };
  return { router, web, open };
}

async function shoot(page: Page, name: string): Promise<void> {
  if (SHOTS === undefined) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.waitForTimeout(900);
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

function populate(router: TestRouter): void {
  router.move(1, self, 'anna-phone');
  router.move(2, self, 'laptop');
  router.move(3, hall, 'printer');
  router.move(4, garden);
  for (let n = 5; n < 22; n++) router.move(n, garden, `sensor${n}`);
  router.pass(90);
}

const rowOf = (page: Page, mac: string) => page.locator(`tr[data-mac="${mac}"]`);
/** Whether a name is cut. Found and asked in one go: the page makes its rows anew. */
const isCut = (page: Page, name: string) =>
  page.evaluate<boolean>(`((e) => e.clientWidth > 0 && e.scrollWidth > e.clientWidth)(document.querySelector('tr [title="${name}"]'))`);
const placeOf = (page: Page, mac: string) => page.locator(`g[data-mac="${mac}"]`).getAttribute('data-node');

async function testClients(t: Test, browser: Browser): Promise<void> {
  const { router, web, open } = await setScene(t, browser);
  populate(router);
  const page = await open('roaming/overview');
  const anna = '02:00:00:00:00:01';

  t.match(await rowOf(page, anna).innerText(), /anna-phone\s+02:00:00:00:00:01\s+10\.44\.0\.1\s+2001:db8:44:1::\/64\s+roof \(here\)\s+mesh\s+90 s\s+0\s+Disconnect/);
  t.equal(await page.locator('tr[data-mac]').count(), 21);
  t.match(await page.locator('.cbi-map-descr').innerText(), '21 clients, 2 here, 4 routers, 3 sessions up');

  t.equal(await placeOf(page, anna), self);
  t.equal(await page.locator('.router').count(), 4);
  t.equal(await page.locator('.router.self text').first().textContent(), 'roof');
  t.equal(await page.locator('.link').count(), 3, 'the routers are in a line');
  t.equal(await page.locator('.session').count(), 1, 'the one that is no link, and is acknowledged');
  t.match(await page.locator('svg').textContent(), /\+7/, 'a full router says how many more there are');

  await t.test('a client roams, and the page follows', async (t) => {
    const before = await page.locator(`g[data-mac="${anna}"]`).evaluate((element) => element.style.transform);
    router.move(1, hall);
    await page.waitForSelector(`g[data-mac="${anna}"].fresh[data-node="${hall}"]`);
    t.not(await page.locator(`g[data-mac="${anna}"]`).evaluate((element) => element.style.transform), before);
    t.match(await rowOf(page, anna).innerText(), /hall\s+mesh\s+0 s\s+1/);
    await shoot(page, 'clients-light-wide');
  });

  await t.test('the filter', async (t) => {
    await page.getByLabel('Filter').fill('SENSOR7');
    t.equal(await page.locator('tr[data-mac]').count(), 1);
    t.equal(await page.getByRole('status').innerText(), '1 of 21 clients');
    await page.getByLabel('Filter').fill('10.44.0.3');
    t.match(await page.locator('tr[data-mac]').innerText(), /printer/);
    await page.getByLabel('Filter').fill('02-00-00-00-00-04');
    t.match(await page.locator('tr[data-mac]').innerText(), /02:00:00:00:00:04/);
    await page.getByLabel('Filter').fill('hall');
    t.same(await listed(page), [1, 3]);
    await page.getByLabel('Filter').fill('nobody');
    t.match(await page.locator('table').innerText(), /No such clients/);
    await page.getByLabel('Filter').fill('');
    t.equal(await page.getByRole('status').innerText(), '');
  });

  await t.test('sorted by the column that is chosen', (t) => testSorting(t, router, page));

  await t.test('a client is sent away; one that has gone meanwhile is not, and that is said', async (t) => {
    await rowOf(page, '02:00:00:00:00:02').getByRole('button').click();
    while (router.done.length === 0) await page.waitForTimeout(20);
    t.same(router.done, ['disassociate 02:00:00:00:00:02']);
    const still = await open('roaming/overview', { speed: 0.001 });
    router.move(2, hall);
    await rowOf(still, '02:00:00:00:00:02').getByRole('button').click();
    await still.waitForSelector('#notifications [role=alert]');
    t.match(await still.locator('#notifications').innerText(), 'mac: 02:00:00:00:00:02 is not at this router');
  });

  await t.test("a client's name is text, whatever it holds", async (t) => {
    router.move(30, self, '<img src=x onerror="document.body.dataset.pwned=1">');
    await rowOf(page, '02:00:00:00:00:1e').waitFor();
    t.match(await rowOf(page, '02:00:00:00:00:1e').innerText(), /^<img src=x onerror=/);
    t.equal(await page.locator('img').count(), 0);
    t.equal(await page.evaluate("document.body.dataset.pwned"), undefined);
  });

  await t.test('a long name is cut, and leaves the other columns their room', async (t) => {
    const name = 'averylongnamethatsomebodygavetoathinginthehouse'.padEnd(63, '0');
    router.move(31, self, name);
    const row = rowOf(page, '02:00:00:00:00:1f');
    await row.waitFor();
    t.ok(await isCut(page, name), 'with an ellipsis');
    const broken = await page.locator('.th button, tr[data-mac] button').evaluateAll((all) => all.filter((one) => {
      const text = one.ownerDocument.createRange();
      text.selectNodeContents(one);
      return new Set(Array.from(text.getClientRects(), ({ top }) => top)).size > 1;
    }).length);
    t.equal(broken, 0, 'no title and no button has two lines');
    await shoot(page, 'clients-long-name');
  });

  await t.test('who may only read', async (t) => {
    web.denied.length = 0;
    const reading = await open('roaming/overview', { session: 'reader' });
    const buttons = reading.locator('tr[data-mac] button');
    t.ok((await buttons.count()) > 0);
    for (const button of await buttons.all()) t.equal(await button.isDisabled(), true);
    await open('roaming/history', { session: 'reader' });
    const form = await open('roaming/config', { session: 'reader' });
    t.equal(await form.locator('[data-field="cbid.roaming.main.prefix"] input').count(), 2, 'the configuration is seen');
    t.same(web.denied, [], 'no page asks for what is refused');
  });

  await t.test('on a phone, and in the dark', async (t) => {
    router.problems = ['br-client lacks the address 10.44.0.254: it is the router of all IPv4 clients'];
    const phone = await open('roaming/overview', { theme: 'dark' }, { width: 390, height: 800 });
    t.match(await phone.locator('.alert-message').innerText(), /br-client lacks the address/);
    const widest = await phone.evaluate<number>('document.documentElement.scrollWidth');
    t.ok(widest <= 390, `${widest} pixels wide`);
    const boxes = await phone.locator('.router rect').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right));
    t.ok(boxes.every((right) => right <= 390));
    const order = phone.getByLabel('Sort by');
    await order.selectOption('MAC address ▼');
    t.equal((await listed(phone))[0], 40);
    t.equal(await page.getByLabel('Sort by').isVisible(), false, 'a wide screen has titles to click');
    await shoot(phone, 'clients-dark-phone');
    await shoot(await open('roaming/overview', { theme: 'dark' }), 'clients-dark-wide');
    await shoot(await open('roaming/overview', {}, { width: 390, height: 800 }), 'clients-light-phone');
  });
}

/** 40 routers in a mesh of eight streets, some links of which are missing, and 500 clients. */
async function testMany(t: Test, browser: Browser): Promise<void> {
  const { router, open } = await setScene(t, browser);
  const mesh = Array.from({ length: 40 }, (_, i) => nodes[i] ?? { name: `street${i % 8}-no${i >> 3}`, id: parseNodeId((i + 1).toString(16).padStart(16, '0')) });
  for (const [i, node] of mesh.entries()) {
    const beside = [i % 8 > 0 && i - 1, i % 8 < 7 && i + 1].flatMap((other) => (other === false ? [] : mesh[other]));
    const across = [i - 8, i + 8].filter((other) => (i + other) % 3 !== 0).map((other) => mesh[other]);
    router.addNode(node, [...beside, ...across]);
  }
  for (let n = 1; n <= 500; n++) router.move(n, mesh[(n * n) % 40]!.id, n % 5 === 0 ? '' : `client${n}`);
  router.pass(600);
  // Not looked at as often as the others: each look is at 500 clients.
  const page = await open('roaming/overview', { speed: 4 });
  t.equal(await page.locator('tr[data-mac]').count(), 500);
  t.equal(await page.locator('.router').count(), 40);
  t.equal(await page.locator('.link').count(), new Set(mesh.flatMap(({ id }) => router.db.adjacencies(id).map((other) => [id, other].sort().join()))).size);
  await page.getByRole('columnheader', { name: 'Roams' }).click();
  await page.getByRole('columnheader', { name: 'Roams' }).click();
  await page.evaluate(`window.touched = 0; new MutationObserver((changes) => {
    for (const { addedNodes } of changes) window.touched += addedNodes.length;
  }).observe(document.querySelector('table'), { childList: true, subtree: true })`);
  router.move(400, mesh[17]!.id);
  await page.waitForFunction("document.querySelector('tr[data-mac]').dataset.mac === '02:00:00:00:01:90'");
  t.ok((await page.evaluate<number>('window.touched')) < 20, 'of 500 rows one is touched');
  await page.getByLabel('Filter').fill('client40');
  t.equal(await page.getByRole('status').innerText(), '8 of 500 clients');
  for (const theme of SHOTS === undefined ? [] : (['light', 'dark'] as const)) {
    const still = { theme, speed: 0.001 };
    await shoot(await open('roaming/overview', still, { width: 1100, height: 900 }), `many-${theme}-wide`);
    await shoot(await open('roaming/overview', still, { width: 390, height: 1600 }), `many-${theme}-phone`);
  }
}

/** The last bytes of the MACs in the table, from top to bottom. */
async function listed(page: Page): Promise<number[]> {
  const macs = await page.evaluate<string[]>("Array.from(document.querySelectorAll('tr[data-mac]'), (row) => row.dataset.mac)");
  return macs.map((mac) => parseInt(mac.slice(-2), 16));
}

async function testSorting(t: Test, router: TestRouter, page: Page): Promise<void> {
  const title = (name: string) => page.getByRole('columnheader', { name });
  const first = async (count: number) => (await listed(page)).slice(0, count);
  const last = async (count: number) => (await listed(page)).slice(-count);

  await title('Name').click();
  t.equal(await title('Name').getAttribute('aria-sort'), 'ascending');
  t.same(await first(6), [1, 2, 3, 5, 6, 7], 'sensor9 comes before sensor10');
  t.same(await last(2), [21, 4], 'who has no name comes last');

  await t.test('by the keyboard, downwards and with another column', async (t) => {
    await title('Name').getByRole('button').focus();
    await page.keyboard.press('Enter');
    t.equal(await title('Name').getAttribute('aria-sort'), 'descending');
    t.same(await first(2), [21, 20]);
    t.same(await last(2), [1, 4], 'who has no name comes last all the same');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    t.equal(await title('Name').getAttribute('aria-sort'), null);
    t.equal(await title('MAC address').getAttribute('aria-sort'), 'ascending');
    t.same(await listed(page), Array.from({ length: 21 }, (_, i) => i + 1), 'hexadecimal digits are what they are');
  });

  await t.test('what changes takes its place; what does not is left alone, and keeps the focus', async (t) => {
    await title('Roams').click();
    await title('Roams').click();
    t.same(await first(1), [1], 'who has roamed most');
    const button = rowOf(page, '02:00:00:00:00:02').getByRole('button');
    await button.focus();
    await page.evaluate(`window.added = 0; new MutationObserver((changes) => {
      for (const { target, addedNodes } of changes) if (target.tagName === 'TABLE') window.added += addedNodes.length;
    }).observe(document.querySelector('table'), { childList: true })`);
    for (const to of [hall, garden, hall]) router.move(20, to);
    await page.waitForFunction("document.querySelector('tr[data-mac]').dataset.mac.endsWith('14')");
    t.equal(await page.evaluate('window.added'), 1, 'one row was moved');
    router.move(40, garden, 'newcomer');
    await rowOf(page, '02:00:00:00:00:28').waitFor();
    t.equal(await page.evaluate('window.added'), 2, 'one row was made');
    t.equal(await button.evaluate((one) => one === one.ownerDocument.activeElement), true);
    for (let n = 0; n < 4; n++) router.move(2, n % 2 === 0 ? hall : self);
    await page.waitForFunction("document.querySelector('tr[data-mac]').dataset.mac.endsWith('02')");
    t.equal(await button.evaluate((one) => one === one.ownerDocument.activeElement), true, 'in a row that has moved, too');
  });

  await t.test('the order is kept when the page is opened again', async (t) => {
    // Without polls: one under way would fail, and the page complain about it.
    await page.evaluate('for (let id = setInterval(() => {}, 1e6); id > 0; id--) clearInterval(id)');
    await page.waitForTimeout(500);
    await page.reload();
    await page.waitForSelector('body[data-ready]');
    t.equal(await title('Roams').getAttribute('aria-sort'), 'descending');
    t.same(await first(2), [2, 20]);
  });
}

async function testHistory(t: Test, browser: Browser): Promise<void> {
  const { router, open } = await setScene(t, browser);
  const page = await open('roaming/history');
  t.match(await page.locator('table').innerText(), /No roams yet/);
  router.move(1, hall, 'anna-phone');
  router.pass(60);
  router.move(1, self);
  const row = rowOf(page, '02:00:00:00:00:01');
  await row.waitFor();
  t.match(await row.innerText(), /anna-phone \(02:00:00:00:00:01\)\s+hall\s+roof\s+1\.8 ms\s+known 0, routed 1\.8/);
  router.pass(60);
  router.move(1, garden);
  await page.waitForFunction("document.querySelectorAll('tr[data-mac]').length === 2");
  t.match(await row.first().innerText(), /roof\s+garden/, 'the latest comes first');
  router.move(2, self);
  router.move(2, hall);
  await page.waitForFunction("document.querySelectorAll('tr[data-mac]').length === 3");
  await page.getByLabel('Filter').fill('ANNA');
  t.equal(await page.locator('tr[data-mac]').count(), 2);
  await page.getByLabel('Filter').fill('02-00-00-00-00-02');
  t.equal(await page.locator('tr[data-mac]').count(), 1);
  await page.getByLabel('Filter').fill('nobody');
  t.match(await page.locator('table').innerText(), /No such roams/);
  await page.getByLabel('Filter').fill('');
  const long = 'a-very-long-name-that-somebody-gave-to-a-thing-in-the-house-0001';
  router.move(3, hall, long);
  router.move(3, self);
  await page.getByTitle(long).waitFor();
  t.ok(await isCut(page, long), 'a long name is cut, with an ellipsis');
  await shoot(page, 'history-light-wide');
  await shoot(await open('roaming/history', { theme: 'dark' }, { width: 390, height: 800 }), 'history-dark-phone');
}

async function testConfiguration(t: Test, browser: Browser): Promise<void> {
  const { router, web, open } = await setScene(t, browser);
  const page = await open('roaming/config');
  const field = (name: string) => page.locator(`[data-field="cbid.roaming.main.${name}"]`);
  const save = () => page.getByRole('button', { name: 'Save', exact: true }).click();

  t.equal(await field('enabled').locator('input').isChecked(), true);
  t.equal(await field('key').locator('input').getAttribute('type'), 'password');
  t.same(await field('auth').locator('option').allTextContents(), ['psk', 'none']);
  t.equal(await field('prefix').locator('input').count(), 2);
  await shoot(page, 'config-light-wide');

  await t.test('nothing is written where nothing was changed', async (t) => {
    const before = JSON.stringify(router.uci);
    await save();
    await page.waitForTimeout(200);
    t.equal(JSON.stringify(router.uci), before);
  });

  await t.test("a wrong value is told in the daemon's words, and not saved", async (t) => {
    await page.getByText('What clients are told').click();
    await field('lease_time').locator('input').fill('1 fortnight');
    t.match(await field('lease_time').getByRole('alert').innerText(), 'expected a time from 2m to 1w, such as 90, 30m or 12h');
    await save();
    await page.locator('#notifications [role=alert]').waitFor();
    t.equal(router.uci['main']!['lease_time'], undefined);
    await field('lease_time').locator('input').fill('2h');
    t.equal(await field('lease_time').getByRole('alert').innerText(), '');
  });

  await t.test('values that do not fit each other', async (t) => {
    await field('gateway').locator('input').fill('10.45.0.1');
    await save();
    await page.getByText('main.gateway: 10.45.0.1 lies in none of the IPv4 prefixes').waitFor();
    t.equal(router.uci['main']!['gateway'], undefined);
  });

  await t.test('good ones are saved and applied', async (t) => {
    const fresh = await open('roaming/config');
    const of = (name: string) => fresh.locator(`[data-field="cbid.roaming.main.${name}"]`);
    await of('peer').locator('.cbi-button-add').click();
    await of('peer').locator('input').last().fill('[2001:db8::9]:4445');
    await fresh.getByRole('button', { name: 'Make a new key' }).click();
    await of('interface').locator('.item button').click();
    await fresh.getByText('Advanced').click();
    await of('log_level').locator('select').selectOption('debug');
    await fresh.getByRole('button', { name: 'Save & Apply' }).click();
    while (!router.done.includes('apply')) await fresh.waitForTimeout(20);
    const main = router.uci['main']!;
    t.same(main['peer'], ['10.99.0.2', '[2001:db8::9]:4445']);
    t.match(main['key'], /^[A-Za-z0-9_-]{43}$/);
    t.equal(main['interface'], undefined);
    t.equal(main['log_level'], 'debug');
    t.equal(main['auth'], undefined, 'a default is not written');
  });

  await t.test('reserved addresses', async (t) => {
    const fresh = await open('roaming/config');
    await fresh.getByRole('button', { name: 'Add' }).click();
    const row = fresh.locator('.grid-row');
    await row.getByLabel('MAC').fill('02:00:00:00:00:77');
    await row.getByLabel('Ip').fill('10.44.0.77');
    await fresh.getByRole('button', { name: 'Save', exact: true }).click();
    while (router.uci['cfg1']?.['ip'] === undefined) await fresh.waitForTimeout(20);
    t.match(router.uci['cfg1'], { '.type': 'host', mac: '02:00:00:00:00:77', ip: '10.44.0.77' });
  });

  await shoot(await open('roaming/config', { theme: 'dark' }, { width: 390, height: 800 }), 'config-dark-phone');
  t.same(web.denied, []);
}

async function testWithoutDaemon(t: Test, browser: Browser): Promise<void> {
  const { router, open } = await setScene(t, browser, { daemon: false });
  router.errors = ["/etc/config/roaming:7: main.port: expected a whole number from 1 to 65535, found 'x'"];
  for (const view of ['roaming/overview', 'roaming/history']) {
    const page = await open(view);
    t.match(await page.locator('.alert-message').innerText(), /^The daemon does not answer\.\s+\/etc\/config\/roaming:7: main\.port/);
    if (view === 'roaming/overview') await shoot(page, 'clients-no-daemon');
    await router.startDaemon();
    await page.waitForFunction("document.querySelector('.alert-message') === null");
    router.stopDaemon();
    await page.waitForSelector('.alert-message');
  }
  const config = await open('roaming/config');
  t.match(await config.locator('.alert-message').innerText(), /main\.port/);
}
