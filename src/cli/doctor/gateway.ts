/** The client interfaces: what src/gateway/check.ts says of each, and how it is fixed. */
import { noSuchInterface } from '../../gateway/check.js';
import type { Finding } from './finding.js';

export interface LinkReport {
  readonly device: string;
  /** One line each, as of `checkGatewayLink`; undefined: there is no such interface. */
  readonly problems: readonly string[] | undefined;
}

/** `setup`: whether the daemon fixes the interfaces itself, once it runs. */
export function checkLinks(reports: readonly LinkReport[], setup: boolean): Finding[] {
  const fix = setup
    ? ['service roaming restart   # option setup is on: the daemon sets it']
    : ['uci set roaming.main.setup=1', 'uci commit roaming && service roaming restart'];
  return reports.flatMap(({ device, problems }): Finding[] => {
    if (problems === undefined) {
      return [{ level: 'error', message: noSuchInterface(device), fix: ['uci show network', 'service network reload'] }];
    }
    if (problems.length === 0) return [{ level: 'good', message: `${device} is as clients have to see it at every router` }];
    return problems.map((message, i): Finding => ({
      level: 'error',
      message,
      ...(i === problems.length - 1 ? { fix } : {}),
    }));
  });
}
