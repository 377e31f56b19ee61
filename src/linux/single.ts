import { createServer } from 'node:net';

/** An abstract address (unix(7)): it belongs to the network namespace, and goes with the process, however that ends. */
const NAME = '\0roaming-daemon';

/**
 * Claims the network namespace: its tables, rules and the gateway's addresses are one daemon's. A second one would take
 * over what the first has set, and take it away when it stops. Resolves to the release; undefined: another has it.
 */
export function claimNamespace(): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((stranger) => stranger.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(NAME, () => {
      server.unref();
      resolve(() => server.close());
    });
  });
}
