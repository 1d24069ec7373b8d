/**
 * Adds to package-lock.json the platform packages that the registry in reach did not serve.
 *
 * A mirror that carries only some platforms makes `npm install` write a lock without the others, and `npm ci` then
 * refuses that lock everywhere ("Missing: … from lock file"). The missing ones are optional dependencies with an exact
 * version, one per platform, so their entries follow from the parent's manifest and from their names. They carry no
 * integrity hash, because nobody here has seen their bytes; `npm install` on such a platform fills it in.
 *
 *   node tools/complete-lock.mjs           write
 *   node tools/complete-lock.mjs --check   only say what is missing (exit 1)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const OS_NAMES = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const CPU_NAMES = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

/** Where Node would find `name` from the package at `from`, or undefined. */
function locate(packages, from, name) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const candidate = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (candidate in packages) return candidate;
    if (folder === '') return undefined;
  }
}

/** The optional dependencies of locked packages that have no entry of their own. */
export function missingOptionals(lock) {
  const missing = [];
  for (const [from, manifest] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(manifest.optionalDependencies ?? {})) {
      if (!locate(lock.packages, from, name)) missing.push({ from, name, version, dev: manifest.dev === true });
    }
  }
  return missing;
}

/** `@swc/core-linux-arm64-musl` → the platform fields npm looks at; throws when the name tells no platform. */
export function platformOf(name) {
  const words = name.split(/[/-]/);
  const os = OS_NAMES.find((candidate) => words.includes(candidate));
  const cpu = CPU_NAMES.find((candidate) => words.includes(candidate));
  if (!os || !cpu) throw new Error(`${name}: the name tells no platform; add its entry to package-lock.json by hand.`);
  const libc = words.at(-1)?.startsWith('musl') ? ['musl'] : words.at(-1)?.startsWith('gnu') ? ['glibc'] : undefined;
  return { cpu: [cpu], libc: os === 'linux' ? libc : undefined, os: [os] };
}

/** The same lock with an entry for each missing optional, its keys in npm's order. */
export function completeLock(lock) {
  const added = Object.fromEntries(
    missingOptionals(lock).map(({ name, version, dev }) => {
      if (!/^\d/.test(version)) throw new Error(`${name}: "${version}" is no exact version.`);
      const { cpu, libc, os } = platformOf(name);
      return [
        `node_modules/${name}`,
        { version, cpu, ...(dev ? { dev } : {}), ...(libc ? { libc } : {}), optional: true, os },
      ];
    }),
  );
  const entries = Object.entries({ ...lock.packages, ...added });
  return { ...lock, packages: Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b, 'en'))) };
}

function main() {
  const file = new URL('../package-lock.json', import.meta.url);
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingOptionals(lock);
  if (process.argv.includes('--check')) {
    for (const { name, version } of missing) process.stderr.write(`package-lock.json lacks ${name}@${version}\n`);
    process.exitCode = missing.length === 0 ? 0 : 1;
    return;
  }
  if (missing.length > 0) writeFileSync(file, `${JSON.stringify(completeLock(lock), null, 2)}\n`);
  process.stdout.write(`${missing.length} entries added to package-lock.json\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
