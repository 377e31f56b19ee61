/** The parts of the daemon as the one source of what the ubus object `roaming` shows and does. */
import type { ClientServices } from './client-services.js';
import type { Database } from './clients/database.js';
import type { NodeId } from './clients/node-id.js';
import type { Record } from './clients/record.js';
import { SECOND } from './clients/time.js';
import type { Finder } from './flood/finder.js';
import type { Flooder } from './flood/flooder.js';
import type { LocalClients } from './local-clients.js';
import { BadInput } from './net/bytes.js';
import type { Mac } from './net/mac.js';
import type { Clock, Stations, WallClock } from './ports.js';
import type { Station } from './presence/presence.js';
import type { Routes } from './routes/routes.js';
import type { History } from './status/history.js';
import { releases } from './status/leases.js';
import type { StatusActions, StatusSource } from './status/methods.js';
import { nodeName } from './status/views.js';

export interface NodeStatusOptions {
  readonly version: string;
  readonly self: NodeId;
  readonly hostname: string;
  readonly db: Database;
  readonly history: History;
  readonly clock: Clock;
  readonly wallClock: WallClock;
  readonly stations: Pick<Stations, 'disassociate'>;
  readonly clients: Pick<LocalClients, 'get' | 'size' | 'limited'>;
  readonly services: () => ClientServices | undefined;
  readonly routes: Pick<Routes, 'statistics'>;
  readonly flooder: Pick<Flooder, 'peers' | 'counters'>;
  readonly finder: Pick<Finder, 'counters'>;
  readonly strays: { readonly counters: { readonly sought: number; readonly limited: number } };
  readonly problems: () => readonly string[];
  /** Enters a record into the database, and floods it. */
  readonly apply: (record: Record) => void;
  /** A deadline may have changed. */
  readonly rearm: () => void;
  /** Reads the configuration again; resolves to what is wrong with it. */
  readonly reload: () => Promise<readonly string[]>;
}

/** To be made at the start, from which its uptime counts. */
export function statusSource(options: NodeStatusOptions): StatusSource {
  const { version, self, hostname, db, history, clock, wallClock, clients, services, routes, flooder, finder, strays, problems } = options;
  const started = clock.now();
  return {
    ...statusActions(options),
    version,
    self,
    hostname,
    db,
    history,
    now: () => clock.now(),
    wallTime: () => wallClock.time(),
    uptime: () => (clock.now() - started) / SECOND,
    clientsHere: () => clients.size,
    peers: () => flooder.peers(clock.now()),
    routes: () => routes.statistics,
    counters: () => ({
      roams: history.roamed,
      strays_sought: strays.counters.sought,
      strays_limited: strays.counters.limited,
      hosts_limited: clients.limited,
      ...services()?.statistics,
      ...flooder.counters,
      ...finder.counters,
    }),
    problems,
  };
}

function statusActions(options: NodeStatusOptions): StatusActions {
  const { db, clock, stations, services, apply, rearm, reload } = options;
  return {
    disassociate: (mac) => stations.disassociate(mac, stationHere(options, mac).via),
    probe: async (mac) => {
      const { network } = stationHere(options, mac);
      const answer = services()?.probe(mac, network, clock.now());
      rearm();
      return answer ?? { answered: false, address: undefined, time: undefined };
    },
    release: (which) => {
      const records = releases(db, which, clock.now());
      for (const record of records) apply(record);
      rearm();
      return records.length;
    },
    reload,
  };
}

/** Throws BadInput where the client is not at this router. */
function stationHere({ db, clients }: NodeStatusOptions, mac: Mac): Station {
  const station = clients.get(mac);
  if (station !== undefined) return station;
  const node = db.client(mac)?.node;
  const where = node === undefined ? 'it is at no router' : `it is at ${nodeName(db, node) || node}`;
  throw new BadInput(`mac: ${mac} is not at this router; ${where}`);
}
