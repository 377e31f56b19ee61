/**
 * A program: a node beside the routers that has many clients, none of which ever moves. It says so to one router, and by
 * that to all. Usage: resident-node ROUTER CLIENTS
 */
import { parseNodeId } from '../../src/clients/node-id.js';
import { BenchNode } from './bench-node.js';
import { Residents } from './residents.js';
import { LAB_KEY } from './systems.js';

const [router, count] = process.argv.slice(2);
const node = new BenchNode(parseNodeId('00000000000000aa'), 'residents', LAB_KEY);
const residents = new Residents(node, Number(count));
await node.flooder.start({ port: 0, peers: [{ host: router!, port: 4444 }] });
residents.keepAlive();
