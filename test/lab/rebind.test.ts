/**
 * Clients whose server does not answer them any more ask all there are (REBINDING), and have their lease of whichever
 * router hears them. Leases are two minutes long here, and what clients send to the server alone is lost.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Kind } from './dhcp-clients.js';
import { makeDhcpClient, PROGRAMS } from './dhcp-clients.js';
import { obstacle, onLab, QUICK_BABELD } from './harness.js';
import type { Client } from './client.js';
import { all, until } from './shell.js';
import { GATEWAY4, SERVER4 } from './topology.js';

const LOSE = `table netdev lose {
	chain out {
		type filter hook egress device "eth0" priority 0; policy accept;
		ip daddr ${GATEWAY4} udp dport 67 drop
	}
}
`;

/** Seconds: 7/8 of two minutes, and what a slow machine adds. */
const PATIENCE = 150;

// systemd-networkd asks once: whose question is lost has a lease anew, and asks again two minutes later.
t.setTimeout(900_000);

await onLab(t, { name: 'trebind', babeld: QUICK_BABELD, options: { lease_time: '2m' } }, [
  {
    name: 'clients that are cut off from their server rebind at another router, to the same address',
    programs: ['tshark', 'nft'],
    run: async (t, lab) => {
      const rules = join(lab.directory, 'lose.nft');
      await writeFile(rules, LOSE);
      const clients: { host: Client; address: string; said: () => string[] }[] = [];
      for (const [i, [name, needed]] of (Object.entries(PROGRAMS) as [Kind, readonly string[]][]).entries()) {
        const missing = await obstacle(...needed);
        if (missing !== false) t.comment(`without ${name}: ${missing}`);
        else {
          const host = await lab.addClient(name, `02:00:00:00:04:0${i + 1}`, 'r1');
          const fields = ['ip.dst', 'dhcp.ip.client', 'dhcp.option.dhcp'].flatMap((field) => ['-e', field]);
          const frames = lab.service(name, 'tshark', '-lnq', '-i', 'eth0', '-f', 'udp port 67', '-T', 'fields', '-E', 'separator= ', ...fields);
          await makeDhcpClient(name, lab, host).start();
          clients.push({ host, address: await host.address(4), said: () => frames.output.split('\n') });
        }
      }
      for (const { host } of clients) {
        await lab.net.exec(host.name, 'nft', '-f', rules);
        await lab.roam(host, 'r3');
      }
      await all(clients.map(async ({ host, address, said }) => {
        const exchange = [`255.255.255.255 ${address} 3`, `${address} ${address} 5`];
        await until(`${host.name} rebinds`, PATIENCE, async () => exchange.every((line) => said().includes(line)));
        t.equal(await host.address(4), address, `${host.name} has the same address`);
        await lab.net.reach(host.name, SERVER4);
      }));
      t.ok(clients.length > 0, clients.map(({ host }) => host.name).join());
    },
  },
]);
