/** Installing packages: opkg until OpenWrt 24.10, apk since 25.12. */
import { existsSync } from 'node:fs';

export type PackageManager = 'opkg' | 'apk';

/** The one of this router. */
export function packageManager(): PackageManager {
  return existsSync('/usr/bin/apk') ? 'apk' : 'opkg';
}

export function installCommand(manager: PackageManager, name: string): string {
  return manager === 'apk' ? `apk update && apk add ${name}` : `opkg update && opkg install ${name}`;
}

export function upgradeCommand(manager: PackageManager, name: string): string {
  return manager === 'apk' ? `apk update && apk upgrade ${name}` : `opkg update && opkg upgrade ${name}`;
}
