import t from 'tap';
import type { IdentityPorts } from '../../src/clients/node-identity.js';
import { hardwareNodeId, loadNodeId } from '../../src/clients/node-identity.js';
import { fromHex, toHex } from '../../src/net/bytes.js';
import type { Mac } from '../../src/net/mac.js';
import { parseMac } from '../../src/net/mac.js';
import { ModelKernel } from '../routes/model-kernel.js';
import { TestLog } from '../support.js';

const CHANCE = '1111111111111111';

function router(permanent: readonly string[] | Error, files: { [name: string]: Uint8Array } = {}) {
  const log = new TestLog();
  const kernel = new ModelKernel();
  kernel.permanentMacs = async () => {
    if (permanent instanceof Error) throw permanent;
    return permanent.map(parseMac);
  };
  const storage = {
    load: async (name: string) => files[name],
    save: async (name: string, content: Uint8Array) => void (files[name] = content),
    setAside: async (name: string) => name,
  };
  const random = { bytes: (count: number) => new Uint8Array(count).fill(0x11), below: () => 0 };
  const ports: IdentityPorts = { storage, kernel, random, log };
  return { ports, files, log };
}

t.test('the id follows from the lowest address that no other device should have', async (t) => {
  const table: [readonly string[], string | undefined][] = [
    [[], undefined],
    [['a4:2b:b0:00:00:02', 'a4:2b:b0:00:00:01', 'd8:07:b6:00:00:00'], 'a62bb0fffe000001'],
    // Locally administered: QEMU's, a second access point of one radio.
    [['52:54:00:12:34:56', 'a6:2b:b0:00:00:01'], undefined],
    [['00:00:5e:00:52:13', '00:00:00:00:00:00', '01:00:5e:00:00:01'], undefined],
    [['00:00:5e:00:01:01', 'f8:1a:67:00:00:07'], 'fa1a67fffe000007'],
  ];
  for (const [macs, expected] of table) t.equal(hardwareNodeId(macs as readonly Mac[]), expected, macs.join(' '));
});

t.test('as configured, else as kept, else by the hardware, else by chance', async (t) => {
  const hardware = ['a4:2b:b0:00:00:01'];
  const kept = { 'node-id': fromHex('0123456789abcdef') };
  t.equal(await loadNodeId('fedcba9876543210', router(hardware, { ...kept }).ports), 'fedcba9876543210');
  t.equal(await loadNodeId(undefined, router(hardware, { ...kept }).ports), '0123456789abcdef');

  const first = router(hardware);
  t.equal(await loadNodeId(undefined, first.ports), 'a62bb0fffe000001');
  t.equal(toHex(first.files['node-id']!), 'a62bb0fffe000001', 'kept, whatever is plugged in later');
  t.equal(await loadNodeId(undefined, router(hardware).ports), 'a62bb0fffe000001', 'the same after a boot that kept nothing');

  const virtual = router([]);
  t.equal(await loadNodeId(undefined, virtual.ports), CHANCE);
  t.equal(await loadNodeId(undefined, router(['a4:2b:b0:00:00:01'], virtual.files).ports), CHANCE);
});

t.test('a copy of another router\'s flash memory: the id of that one\'s hardware is not taken', async (t) => {
  const image = () => ({ 'node-id': fromHex('a62bb0fffe000001') });
  const original = router(['a4:2b:b0:00:00:02', 'a4:2b:b0:00:00:01'], image());
  t.equal(await loadNodeId(undefined, original.ports), 'a62bb0fffe000001');
  t.strictSame(original.log.lines, []);
  const plugged = router(['00:0e:c6:00:00:09', 'a4:2b:b0:00:00:01'], image());
  t.equal(await loadNodeId(undefined, plugged.ports), 'a62bb0fffe000001', 'a lower address was plugged in');

  const copy = router(['a4:2b:b0:00:07:02', 'a4:2b:b0:00:07:01'], image());
  t.equal(await loadNodeId(undefined, copy.ports), 'a62bb0fffe000701');
  t.equal(toHex(copy.files['node-id']!), 'a62bb0fffe000701');
  t.match(copy.log.lines, [/the stored node id, a62bb0fffe000001, is of another router's hardware: this one is a62bb0fffe000701/]);
  t.equal(await loadNodeId(undefined, router([], image()).ports), 'a62bb0fffe000001', 'nothing is known of this hardware');
});

t.test('what is stored or asked in vain keeps nobody from starting, and is said', async (t) => {
  const damaged = router([], { 'node-id': Uint8Array.of(1, 2, 3) });
  t.equal(await loadNodeId(undefined, damaged.ports), CHANCE);
  t.match(damaged.log.lines, [/the stored node id has 3 bytes, not 8/]);

  const blind = router(new Error('EPERM'));
  t.equal(await loadNodeId(undefined, blind.ports), CHANCE);
  t.match(blind.log.lines, [/the MAC addresses of the hardware cannot be read: EPERM/]);

  const full = router(['a4:2b:b0:00:00:01']);
  full.ports.storage.save = async () => { throw new Error('ENOSPC'); };
  t.equal(await loadNodeId(undefined, full.ports), 'a62bb0fffe000001');
  t.match(full.log.lines, [/the node id cannot be kept: ENOSPC/]);
});
