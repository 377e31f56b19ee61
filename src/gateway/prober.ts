/** Asking clients whether they are there, on their own link and by their own MAC. */
import type { Ip, Ip6 } from '../net/ip.js';
import { isIp6, linkLocalOf } from '../net/ip.js';
import type { Mac } from '../net/mac.js';
import { ndFrame } from '../net/nd.js';
import type { Instant, Millis } from '../clients/time.js';
import { after, SECOND } from '../clients/time.js';
import type { Announcee } from './announce.js';
import { gatewayAsks } from './announce.js';
import type { Gateway } from './gateway.js';

/** A station that sleeps hears of us at its next beacon or two, and RFC 4861 10 waits as long (RETRANS_TIMER). */
const PROBE_TIMEOUT: Millis = SECOND;

/**
 * The questions: an ARP request for each IPv4 address, a neighbour solicitation for each IPv6 one, all to the client
 * alone. Where no address is known: for the link-local address that follows from the MAC, which many have.
 */
export function probe(client: Announcee, gateway: Gateway): Uint8Array[] {
  const targets = client.addresses.length > 0 ? client.addresses : [linkLocalOf(client.mac)];
  return targets.flatMap((target) => {
    if (isIp6(target)) return [solicitation(client.mac, target, gateway)];
    return gateway.addresses4.slice(0, 1).map((address) => gatewayAsks(client.mac, target, address, gateway));
  });
}

/** As for a check whether a neighbour is still reachable, RFC 4861 7.3.3: to the address itself. */
function solicitation(client: Mac, target: Ip6, { mac, linkLocal }: Gateway): Uint8Array {
  return ndFrame(client, mac, {
    source: linkLocal,
    destination: target,
    message: { type: 'ns', target, options: [{ type: 'sourceLinkLayer', mac }] },
  });
}

export interface ProbeResult {
  readonly answered: boolean;
  /** The address that answered first; undefined where none did. */
  readonly address: Ip | undefined;
  /** Until then; undefined where none did. */
  readonly time: Millis | undefined;
}

const SILENCE: ProbeResult = { answered: false, address: undefined, time: undefined };

interface Question {
  readonly mac: Mac;
  readonly asked: Instant;
  readonly done: (result: ProbeResult) => void;
}

/** Keeps count of who was asked and has not answered. All wait equally long, so the first asked is the first due. */
export class Prober {
  #questions: Question[] = [];

  constructor(readonly timeout: Millis = PROBE_TIMEOUT) {}

  /** The client has been asked now: `done` is called once. */
  asked(mac: Mac, now: Instant, done: (result: ProbeResult) => void): void {
    this.#questions.push({ mac, asked: now, done });
  }

  /** The client has said that it uses that address. */
  heard(mac: Mac, address: Ip, now: Instant): void {
    this.#finish((question) => question.mac === mac, ({ asked }) => ({ answered: true, address, time: now - asked }));
  }

  get nextDeadline(): Instant | undefined {
    const first = this.#questions[0];
    return first === undefined ? undefined : after(first.asked, this.timeout);
  }

  /** Those whose time is over have not answered. */
  poll(now: Instant): void {
    this.#finish(({ asked }) => now >= after(asked, this.timeout), () => SILENCE);
  }

  #finish(which: (question: Question) => boolean, result: (question: Question) => ProbeResult): void {
    if (!this.#questions.some(which)) return;
    const finished = this.#questions.filter(which);
    this.#questions = this.#questions.filter((question) => !which(question));
    for (const question of finished) question.done(result(question));
  }
}
