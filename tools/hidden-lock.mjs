/**
 * Whether every package of a lock file is among those that npm recorded at the end of its work, in
 * `node_modules/.package-lock.json`. One that is missing there may only be optional: made for another platform.
 * Packages of the workspace are links and need no install.
 *
 * @param {{ packages?: Record<string, { version?: string, optional?: boolean, link?: boolean }> }} wanted package-lock.json
 * @param {{ packages?: Record<string, { version?: string }> }} installed the hidden lock
 * @returns {boolean}
 */
export function isInstalled(wanted, installed) {
  if (!wanted.packages || !installed.packages) return false;
  const { packages } = installed;
  return Object.entries(wanted.packages).every(([place, { version, optional, link }]) => {
    if (!place.startsWith('node_modules/') || link) return true;
    const found = packages[place];
    return found ? found.version === version : optional === true;
  });
}
