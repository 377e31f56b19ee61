import { formatValue, UciError } from 'uci-parser';
import type { Store } from 'uci-parser';

function dispatch(store: Store, [command, first = '', second = '']: readonly string[]): string | void {
  switch (command) {
    case 'set':
      return store.set(first);
    case 'add':
      return `${store.add(first, second)}\n`;
    case 'add_list':
      return store.addList(first);
    case 'del_list':
      return store.delList(first);
    case 'delete':
      return store.delete(first);
    case 'rename':
      return store.rename(first);
    case 'reorder': {
      const [address = '', position = ''] = first.split('=');
      return store.reorder(address, Number(position));
    }
    case 'revert':
      return store.revert(first);
    case 'commit':
      store.commit(first);
      return '';
    case 'show':
      return store.show(first);
    case 'get': {
      const value = store.get(first);
      return value === undefined ? '' : `${formatValue(value)}\n`;
    }
    default:
      throw new Error(`no such command: ${command}`);
  }
}

/** Runs a command of uci on a store; what it prints, or uci's words for the error. */
export function runCommand(store: Store, words: readonly string[]): string {
  try {
    return dispatch(store, words) ?? '';
  } catch (error) {
    if (error instanceof UciError) return `uci: ${error.text}\n`;
    throw error;
  }
}
