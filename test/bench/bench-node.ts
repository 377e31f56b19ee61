/** A database and its flooding over real sockets, without the rest of a daemon. */
import { Database } from '../../src/clients/database.js';
import type { NodeId } from '../../src/clients/node-id.js';
import type { Record } from '../../src/clients/record.js';
import { Flooder } from '../../src/flood/flooder.js';
import { loadPacketAddon } from '../../src/linux/addons.js';
import { systemClock, systemRandom } from '../../src/linux/clock.js';
import { LinuxMesh } from '../../src/linux/mesh.js';
import { SILENT } from '../support.js';
import { packetAddon } from './bundles.js';

export class BenchNode {
  readonly db = new Database();
  readonly mesh: LinuxMesh;
  readonly flooder: Flooder;

  constructor(readonly id: NodeId, hostname: string, key = 'the key of the benchmark') {
    this.mesh = new LinuxMesh({ key, addon: loadPacketAddon(packetAddon), log: SILENT });
    const [clock, random] = [systemClock, systemRandom];
    this.flooder = new Flooder({ self: id, hostname, replica: this.db, mesh: this.mesh, clock, random, log: SILENT });
  }

  put(record: Record): void {
    const outcome = this.db.apply(record, systemClock.now());
    if (outcome.kind === 'newer') this.flooder.flood(outcome.record);
    if (outcome.kind === 'extended') this.flooder.flood(outcome.record, outcome.before);
  }

  async stop(): Promise<void> {
    await this.flooder.stop();
    this.mesh.stop();
  }
}
