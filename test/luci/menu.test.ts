/** Which pages somebody has who was given some of the ACL groups. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { APP } from '../../openwrt/luci.js';

interface Node {
  readonly action: { readonly type: string };
  readonly depends?: { readonly acl?: readonly string[] };
}
const read = (path: string) => JSON.parse(readFileSync(`${APP}/root/usr/share/${path}/luci-app-roaming.json`, 'utf8')) as { readonly [name: string]: object };
const menu = read('luci/menu.d') as { readonly [path: string]: Node };
const groups = read('rpcd/acl.d');

/** A page is there where each node on its path has all the groups that it depends on: of two, one alone is not enough. */
function pagesOf(...given: string[]): string[] {
  const isOpen = (path: string) => (menu[path]?.depends?.acl ?? []).every((group) => given.includes(group));
  const above = (path: string) => path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'));
  return Object.keys(menu).filter((path) => menu[path]!.action.type === 'view' && above(path).every(isOpen)).map((path) => path.split('/').at(-1)!);
}

t.test('each group opens its own pages by itself', async (t) => {
  t.same(pagesOf(), []);
  t.same(pagesOf('luci-app-roaming'), ['overview', 'history']);
  t.same(pagesOf('luci-app-roaming-config'), ['config']);
  t.same(pagesOf('luci-app-roaming', 'luci-app-roaming-config'), ['overview', 'history', 'config']);
});

t.test('the menu names no group that does not exist', async (t) => {
  const named = Object.values(menu).flatMap(({ depends }) => depends?.acl ?? []);
  t.same([...new Set(named)].sort(), Object.keys(groups).sort());
});
