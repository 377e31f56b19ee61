/** Where routers, clients and links are drawn: nothing lies on anything else, whatever the mesh and the screen. */
import t from 'tap';
import { SeededRandom } from '../random.js';
import { loadModule } from './modules.js';

type Pair = readonly [number, number];
type Point = readonly [number, number];
interface Spot {
  readonly x: number;
  readonly y: number;
}
interface Picture {
  readonly routers: readonly Spot[];
  readonly dots: readonly (Spot & { client: number })[];
  readonly notes: readonly (Spot & { count: number })[];
  readonly links: readonly { readonly n: number; readonly points: readonly Point[] }[];
  readonly box: { readonly width: number; readonly height: number };
  readonly label: number;
  readonly height: number;
}
const arrangement = loadModule<{
  arrange(count: number, pairs: readonly Pair[], columns: number): number[];
  totalLength(at: readonly number[], pairs: readonly Pair[], columns: number): number;
}>('arrangement');
const layout = loadModule<{
  columnsOf(width: number, count: number): number;
  layOut(scene: { width: number; places: readonly number[]; links: readonly object[]; clients: readonly (readonly number[])[] }): Picture;
  pathOf(points: readonly Point[]): string;
}>('layout');

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const line = (count: number): Pair[] => numbers(count - 1).map((i) => [i, i + 1]);
/** A connected mesh: a random tree, and as many links again by chance. */
function mesh(count: number, random: SeededRandom): Pair[] {
  const tree = numbers(count).slice(1).map((i): Pair => [random.below(i), i]);
  const more = numbers(count).flatMap((): Pair[] => {
    const [a, b] = [random.below(count), random.below(count)].sort((x, y) => x - y) as [number, number];
    return a === b || tree.some(([c, d]) => c === a && d === b) ? [] : [[a, b]];
  });
  return [...new Map([...tree, ...more].map((pair) => [pair.join(), pair])).values()];
}

t.test('each router has a place of its own', async (t) => {
  for (const count of [0, 1, 2, 3, 12, 40, 200]) {
    const places = arrangement.arrange(count, mesh(count, new SeededRandom(count)), 5);
    t.same([...places].sort((a, b) => a - b), numbers(count));
  }
});

t.test('neighbours stand beside each other', async (t) => {
  const shuffled = [3, 0, 4, 1, 2];
  const inLine = line(5).map(([a, b]): Pair => [shuffled[a]!, shuffled[b]!]);
  t.equal(arrangement.totalLength(arrangement.arrange(5, inLine, 5), inLine, 5), 4, 'a line in one row');
  const ring: Pair[] = [[0, 3], [3, 1], [1, 5], [5, 2], [2, 4], [4, 0]];
  t.equal(Math.round(arrangement.totalLength(arrangement.arrange(6, ring, 3), ring, 3) * 10), 64, 'a ring in two rows');
  for (const seed of numbers(10)) {
    const pairs = mesh(40, new SeededRandom(seed));
    t.ok(arrangement.totalLength(arrangement.arrange(40, pairs, 8), pairs, 8) < 0.7 * arrangement.totalLength(numbers(40), pairs, 8), `mesh ${seed}`);
  }
});

t.test('routers that nobody is a neighbour of', async (t) => {
  t.same([...arrangement.arrange(3, [], 2)].sort(), [0, 1, 2]);
});

for (const count of [1, 3, 12, 13, 40]) {
  for (const width of [280, 366, 700, 1076, 1900]) {
    t.test(`${count} routers on ${width} pixels`, async (t) => {
      for (const seed of numbers(6)) check(draw(count, width, new SeededRandom(seed)), count, width);
      t.pass('nothing lies on anything else');
    });
  }
}

function draw(count: number, width: number, random: SeededRandom): { picture: Picture; pairs: Pair[]; clients: number[][] } {
  const pairs = mesh(count, random);
  const places = arrangement.arrange(count, pairs, layout.columnsOf(width, count));
  let next = 0;
  const clients = numbers(count).map(() => numbers(random.below(3) === 0 ? 60 : random.below(12)).map(() => next++));
  const picture = layout.layOut({ width, places, links: pairs.map(([a, b], n) => ({ a, b, n })), clients });
  return { picture, pairs, clients };
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}
const around = ({ x, y }: Spot, width: number, above: number, below = above): Box => ({ left: x - width / 2, right: x + width / 2, top: y - above, bottom: y + below });
const meet = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
const boxOf = ([[x1, y1], [x2, y2]]: readonly [Point, Point]): Box => ({ left: Math.min(x1, x2), right: Math.max(x1, x2), top: Math.min(y1, y2), bottom: Math.max(y1, y2) });
const segments = (points: readonly Point[]) => points.slice(1).map((point, i) => [points[i]!, point] as const);

function check({ picture, pairs, clients }: ReturnType<typeof draw>, count: number, width: number): void {
  const fail = (what: string) => {
    throw new Error(`${what}: ${count} routers on ${width} pixels`);
  };
  const { box, label } = picture;
  const boxes = picture.routers.map((router) => around(router, box.width, box.height / 2));
  const dots = picture.dots.map((dot) => (label > 0 ? around(dot, label * 5, 6, 21) : around(dot, 10, 5)));
  const notes = picture.notes.map((note) => around(note, 22, 6));
  const all = [...boxes, ...dots, ...notes];

  if (picture.dots.length + picture.notes.reduce((sum, note) => sum + note.count, 0) !== clients.flat().length) fail('a client is missing');
  for (const [i, a] of all.entries()) {
    if (a.left < 0 || a.right > width || a.top < 0 || a.bottom > picture.height) fail('outside the picture');
    if (all.slice(0, i).some((b) => meet(a, b))) fail('two things in one place');
  }
  for (const { points } of picture.links) {
    for (const segment of segments(points)) {
      const way = boxOf(segment);
      if (way.left < 0 || way.right > width || way.top < 0 || way.bottom > picture.height) fail('a link leaves the picture');
      if (all.some((thing) => meet(way, thing))) fail('a link runs behind something');
    }
  }
  checkLanes(picture, pairs, fail);
}

/** Two links that share no router run nowhere on top of each other, and each ends at its two routers. */
function checkLanes({ links, routers, box }: Picture, pairs: readonly Pair[], fail: (what: string) => void): void {
  const ways = links.map(({ points }) => segments(points).map(boxOf));
  for (const { n, points } of links) {
    const ends = pairs[n]!.map((router) => around(routers[router]!, box.width, box.height / 2));
    for (const [x, y] of [points[0]!, points.at(-1)!]) {
      if (!ends.some(({ left, right, top, bottom }) => x >= left && x <= right && y >= top && y <= bottom)) fail('a link that ends nowhere');
    }
    for (let other = 0; other < n; other++) {
      if (pairs[n]!.some((router) => pairs[other]!.includes(router))) continue;
      if (ways[n]!.some((a) => ways[other]!.some((b) => overlap(a, b)))) fail('two links in one lane');
    }
  }
}

const overlap = (a: Box, b: Box): boolean =>
  (a.left === a.right && a.left === b.left && b.left === b.right && a.top < b.bottom && b.top < a.bottom) ||
  (a.top === a.bottom && a.top === b.top && b.top === b.bottom && a.left < b.right && b.left < a.right);

t.test('the path of a link has round corners', async (t) => {
  t.equal(layout.pathOf([[0, 0], [10, 0]]), 'M0 0  L10 0');
  t.equal(layout.pathOf([[0, 0], [20, 0], [20, 4]]), 'M0 0 L14 0 Q20 0 20 2 L20 4');
});
