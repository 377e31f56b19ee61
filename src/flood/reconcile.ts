/** What the questions of the digest tree are answered with: see digest.ts. */
import { compareSeqno } from '../clients/merge.js';
import type { Record } from '../clients/record.js';
import type { DigestTree } from './digest.js';
import { hashKey, tagOf } from './digest.js';
import type { SummaryEntry } from './frame.js';
import type { Outbox } from './outbox.js';

/** Against a longer list of our own a Summary is not checked: the node is compared by its children instead. */
const MAX_CHECKED = 256;

/** Queues the answers to a Digest: the peer's hashes of the children of a node. */
export function answerDigest(tree: DigestTree, outbox: Outbox, index: number, hashes: readonly number[]): void {
  tree.children(index).forEach((child, i) => {
    const theirs = hashes[i];
    if (theirs === tree.hash(child)) return;
    if (theirs === 0) outbox.sendAll(child);
    else outbox.compare(child);
  });
}

/** Queues the answers to a Summary: all that the peer has at and below a node. */
export function answerSummary(
  tree: DigestTree,
  outbox: Outbox,
  index: number,
  entries: readonly SummaryEntry[],
): void {
  if (entries.length === 0) {
    outbox.sendAll(index);
    return;
  }
  if (tree.count(index) > MAX_CHECKED) {
    outbox.compare(index);
    return;
  }
  const theirs = new Map<number, SummaryEntry[]>();
  for (const entry of entries) theirs.set(entry.keyHash, [...(theirs.get(entry.keyHash) ?? []), entry]);
  for (const record of tree.records(index)) {
    const hash = hashKey(record.key);
    const same = theirs.get(hash) ?? [];
    theirs.delete(hash);
    if (same.some((entry) => isVersion(entry, record))) continue;
    if (same.every((entry) => compareSeqno(entry.seqno, record.seqno) <= 0)) outbox.repair(record.key);
    if (same.some((entry) => compareSeqno(entry.seqno, record.seqno) >= 0)) outbox.ask(hash);
  }
  for (const keyHash of theirs.keys()) outbox.ask(keyHash);
}

function isVersion(entry: SummaryEntry, record: Record): boolean {
  return entry.seqno === record.seqno && entry.tag === tagOf(record);
}
