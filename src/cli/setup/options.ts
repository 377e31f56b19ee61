/** The words of `roaming setup`. */
const list = { type: 'string', array: true, default: [] as string[], requiresArg: true } as const;
const text = { type: 'string', requiresArg: true } as const;

/** The options of the command; README has an example. */
export const setupOptions = {
  mesh: { ...list, describe: 'Networks or devices (ports) that lead to other routers' },
  peer: { ...list, describe: 'Address of a router that is set up already' },
  key: { ...text, describe: 'Secret that all routers share (default: the one that is set, or a new one)' },
  ssid: { ...text, default: 'roaming', describe: 'Name of the wireless network' },
  'wifi-key': { ...text, describe: 'Its password (default: an open network)' },
  prefix: { ...list, describe: 'Prefixes of clients (default: 10.44.0.0/16, and an fd../48 that follows from the key)' },
  address: { ...text, describe: "This router's own IPv4 address (default: 10.45.x.y, from its MAC)" },
  network: { ...text, default: 'client', describe: "Name of the clients' network in /etc/config/network" },
  apply: { type: 'boolean', default: false, describe: 'Do it, after showing it' },
  undo: { type: 'boolean', default: false, describe: 'Take back what --apply did' },
  confdir: { ...text, describe: 'Change the files in this directory instead of the router' },
  'undo-file': { ...text, default: '/etc/roaming-setup-undo.json', describe: 'Where --apply notes what takes it back' },
} as const;
