/**
 * Brings a clone to the point where it runs: packages installed, everything built. Quick when nothing changed.
 *
 * Uses nothing but Node, because it runs before there are packages, on whatever Node the machine has. What is up to
 * date is decided by two stamps inside node_modules, each the hash of what the step read and written only after the
 * step succeeded: a broken-off step leaves no stamp and is repeated.
 *
 *   node tools/setup.mjs                   install and build
 *   node tools/setup.mjs --install-only    install
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInstalled } from './hidden-lock.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MODULES = join(ROOT, 'node_modules');
const BIN = join(MODULES, '.bin');
const STAMPS = join(MODULES, '.cache', 'millrace');
const NODE_MIN = [20, 19];
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const PACKAGE_FOLDERS = ['libs', 'apps'];
/** What every package's build reads besides its own folder. */
const BUILD_ROOT_FILES = ['nx.json', 'package.json', 'package-lock.json', 'tsconfig.base.json'];

/** Everything Nx may do besides building is off: no daemon, no cloud, no reports, no terminal interface. */
const QUIET_NX = {
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
  NX_INTERACTIVE: 'false',
  CI: 'true',
  FORCE_COLOR: '0',
  npm_config_loglevel: 'error',
};

class SetupError extends Error {}

const say = (line) => process.stdout.write(`${line}\n`);
const read = (file) => readFileSync(join(ROOT, file));

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return;
  throw new SetupError(
    `Millrace needs Node ${NODE_MIN.join('.')} or newer to set itself up; this is Node ${process.versions.node}.\n` +
      'Install a newer one from https://nodejs.org or with your package manager. Millrace then brings its own Node 24.',
  );
}

/** One hash over named contents; the order of `parts` counts. */
function fingerprint(parts) {
  const hash = createHash('sha256');
  for (const [name, content] of parts) hash.update(`${name}\0${content.length}\0`).update(content);
  return hash.digest('hex');
}

const stampFile = (step) => join(STAMPS, `${step}.stamp`);
const isStamped = (step, value) => existsSync(stampFile(step)) && readFileSync(stampFile(step), 'utf8') === value;
const clearStamp = (step) => rmSync(stampFile(step), { force: true });

function writeStamp(step, value) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(stampFile(step), value);
}

/** Runs a command with its output held back; returns it so that only a failure shows it. Never throws. */
function run(command, args, { env = {}, path = process.env.PATH ?? '' } = {}) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env, PATH: path },
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return {
    ok: result.status === 0,
    missing: result.error?.code === 'ENOENT',
    output: `${result.stdout ?? ''}${result.stderr ?? ''}`.trim() || (result.error?.message ?? 'No output.'),
  };
}

/** What decides which packages belong into node_modules, and which Node their binaries were installed for. */
function installFingerprint() {
  const manifests = packageFolders().map((folder) => `${folder}/package.json`);
  const files = ['package.json', 'package-lock.json', ...manifests];
  const wanted = files.map((file) => [file, installParts(file)]);
  return fingerprint([['platform', `${process.platform}-${process.arch}`], ...wanted]);
}

/** A manifest's scripts and tags change often and install nothing: only the parts that npm installs by count. */
function installParts(file) {
  if (file === 'package-lock.json') return read(file);
  const { dependencies, devDependencies, optionalDependencies, workspaces, overrides, allowScripts } = JSON.parse(
    read(file).toString('utf8'),
  );
  const parts = { dependencies, devDependencies, optionalDependencies, workspaces, overrides, allowScripts };
  return Buffer.from(JSON.stringify(parts));
}

function packageFolders() {
  return PACKAGE_FOLDERS.filter((parent) => existsSync(join(ROOT, parent)))
    .flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`))
    .filter((folder) => existsSync(join(ROOT, folder, 'package.json')))
    .sort();
}

/**
 * `npm ci`, unless the last one that succeeded saw the same lock. A person's own `npm install` counts too: npm writes
 * its hidden lock last, so a hidden lock newer than ours that agrees with it is a finished install.
 */
function install() {
  const value = installFingerprint();
  const complete = existsSync(join(BIN, 'node')) && existsSync(join(BIN, 'nx'));
  if (complete && isStamped('install', value)) return;
  if (complete && matchesHiddenLock()) return writeStamp('install', value);

  const first = !existsSync(stampFile('install'));
  say(first ? 'Installing packages (first start only, about a minute) …' : 'Installing packages (they changed) …');
  clearStamp('build');
  clearStamp('install');
  const result = npmCi();
  if (result.missing) throw new SetupError('There is no npm on the PATH. It comes with Node: https://nodejs.org');
  if (!result.ok) throw new SetupError(`${result.output}\n\n${installAdvice(result.output)}`);
  if (!existsSync(join(BIN, 'node'))) {
    throw new SetupError(
      `${result.output}\n\nnpm installed the packages but not the Node they bring. ${SCRIPTS_ADVICE}`,
    );
  }
  writeStamp('install', value);
}

const SCRIPTS_ADVICE = 'Is ignore-scripts set in your npm configuration? Try: npm config get ignore-scripts';

/** The npm that started us, or else the one on the PATH. */
function npmCi() {
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const own = process.env.npm_execpath ?? '';
  return /npm-cli\.c?js$/.test(own) ? run(process.execPath, [own, ...args]) : run('npm', args);
}

function installAdvice(output) {
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT/.test(output)) {
    return 'npm did not reach its registry. Check the network or the proxy (npm config get registry), then try again.';
  }
  if (/ENOSPC/.test(output)) return 'The disk is full. The packages need about 1 GB.';
  if (/EACCES|EPERM/.test(output)) {
    return 'npm may not write here. Does node_modules belong to another user? Remove it, then try again.';
  }
  return 'Installing packages failed; what npm said stands above. Trying again is safe.';
}

/** Whether the packages on disk are the ones of package-lock.json, as npm recorded them at the end of its work. */
function matchesHiddenLock() {
  const hidden = join(MODULES, '.package-lock.json');
  if (!existsSync(hidden)) return false;
  return isInstalled(readLock(read('package-lock.json')), readLock(readFileSync(hidden)));
}

function readLock(content) {
  try {
    return JSON.parse(content.toString('utf8'));
  } catch {
    return {};
  }
}

/** Sources, manifests and compiler options of every package. Reading them all takes a few milliseconds; Nx takes 1.4 s. */
function buildFingerprint() {
  const own = packageFolders().flatMap((folder) => [
    `${folder}/package.json`,
    `${folder}/tsconfig.json`,
    ...filesBelow(`${folder}/src`),
  ]);
  return fingerprint([...BUILD_ROOT_FILES, ...own].filter((file) => existsSync(join(ROOT, file))).map(withContent));
}

const withContent = (file) => [file, read(file)];

function filesBelow(folder) {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .sort();
}

/** A package with sources and no output was cleaned by hand, whatever the stamp says. */
function isBuilt(folder) {
  return !existsSync(join(ROOT, folder, 'src/index.ts')) || existsSync(join(ROOT, folder, 'dist/index.js'));
}

function build() {
  const value = buildFingerprint();
  if (isStamped('build', value) && packageFolders().every(isBuilt)) return;
  say('Building …');
  clearStamp('build');
  const path = `${BIN}${delimiter}${process.env.PATH ?? ''}`;
  const args = ['run-many', '-t', 'build', '--parallel=2'];
  const result = run(join(BIN, 'nx'), args, { env: QUIET_NX, path });
  if (!result.ok) throw new SetupError(`${result.output}\n\nThe build failed; the compiler's messages stand above.`);
  writeStamp('build', value);
}

try {
  requireNode();
  install();
  if (!process.argv.includes('--install-only')) build();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
