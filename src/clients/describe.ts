import { formatPrefix } from '../net/prefix.js';
import type { Record } from './record.js';
import { meaningOf, typeOfKey } from './record.js';
import type { Instant } from './time.js';
import { secondsUntil } from './time.js';

/** `lease4 10.44.3.7 -> 02:00:00:00:00:01, number 3, 3540 s left` */
export function describeRecord(record: Record, now: Instant): string {
  const { seqno, expires } = record;
  return `${describeMeaning(record)}, number ${seqno}, ${secondsUntil(expires, now)} s left`;
}

function describeMeaning({ key, value }: Record): string {
  const meaning = meaningOf(key, value);
  switch (meaning.type) {
    case 'lease4':
      return `lease4 ${meaning.address} -> ${meaning.mac}`;
    case 'lease6':
      return `lease6 ${formatPrefix(meaning.prefix)} -> ${meaning.mac}`;
    case 'association':
      return `association ${meaning.mac} -> ${meaning.node ?? 'gone'}`;
    case 'host':
      return `host ${meaning.address} -> ${meaning.mac ?? 'gone'}`;
    case 'seek':
      return `seek ${meaning.addresses.join(' ')} for ${meaning.node}`;
    case 'node':
      return `node ${meaning.node} -> ${meaning.info.hostname} at ${meaning.info.addresses.join(' ')}`;
    case 'clientInfo':
      return `client ${meaning.mac} -> '${meaning.info.hostname}' on '${meaning.info.ssid}'`;
    case 'declined':
      return `declined ${meaning.address} by ${meaning.by}`;
    case 'adjacencies':
      return `adjacencies ${meaning.neighbours.join(' ')} of ${meaning.node}`;
    case 'unknown':
      return `record of type ${typeOfKey(key)}`;
  }
}
