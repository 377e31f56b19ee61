/**
 * The merge of two copies of one record: pure, commutative, associative and idempotent (a join of a lattice), so that
 * all nodes end with the same record whatever the order of arrival.
 *
 * A copy's version is (seqno, value). The newer sequence number wins, in sroamd's 16-bit serial arithmetic; of two
 * values with one number the bytewise greater wins, which makes a node beat "gone" and is the same at every node. Two
 * copies of one version merge to the later expiry: that is how an owner, and sroamd too, extends a record.
 */
import type { Record } from './record.js';

/**
 * Less than 0 where `a` is older than `b`, 0 where equal, more than 0 where newer. Meaningless beyond half the circle. At
 * half of it RFC 1982 leaves open which is newer; were each to take the other for newer, two nodes would swap their
 * copies for ever. So the greater number is.
 */
export function compareSeqno(a: number, b: number): number {
  const distance = (a - b) & 0xffff;
  if (distance === 0x8000) return a - b;
  return distance === 0 ? 0 : distance < 0x8000 ? 1 : -1;
}

export function nextSeqno(seqno: number): number {
  return (seqno + 1) & 0xffff;
}

/** Compares versions only: 0 also where the expiries differ. */
export function compareVersions(a: Record, b: Record): number {
  const bySeqno = compareSeqno(a.seqno, b.seqno);
  if (bySeqno !== 0) return bySeqno;
  return a.value === b.value ? 0 : a.value > b.value ? 1 : -1;
}

/** The record that two copies of one key make: one of the two. */
export function merge(a: Record, b: Record): Record {
  const order = compareVersions(a, b);
  if (order !== 0) return order > 0 ? a : b;
  return a.expires >= b.expires ? a : b;
}
