import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { environmentSchema } from '@millrace/config';
import { MillraceClient } from '@millrace/contract';
import { DemoError, describe } from './errors.mjs';
import { indent, say } from './print.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STANDALONE = join(ROOT, 'apps/standalone/dist/main.js');
const CREDENTIALS = 'credentials.json';
const DATA_DIR_DEFAULT = '.millrace';
const PROBE_MS_MAX = 3_000;
const START_MS_MAX = 120_000;
/** Longer than a server drains by default. */
const STOP_MS_MAX = 30_000;
/** A server whose connection broke is seen to end a little later. */
const EXIT_MS = 500;
const POLL_MS = 100;
const OUTPUT_CHARACTERS_MAX = 20_000;
const OUTPUT_LINES_SHOWN = 40;

/**
 * A server to talk to. If it was started here, `stop` ends it, and `lastWords` gives what it said that may explain a
 * failure.
 *
 * @typedef {{ url: string, apiKey: string }} Address
 * @typedef {Address & { about: string, own: boolean, stop(): Promise<void>, lastWords(): Promise<string> }} Server
 */

/**
 * The server that was named, else the one that runs on the data folder, else one started for the occasion.
 *
 * @param {{ named: Address | undefined, signal: AbortSignal }} options
 * @returns {Promise<Server>}
 */
export async function findServer({ named, signal }) {
  if (named) {
    const fault = await faultOf(named, signal);
    if (fault === undefined) return running(named, 'as asked');
    throw new DemoError(`The server at ${named.url} can't be used.\n${fault}`);
  }
  const folder = resolve(ROOT, process.env.DATA_DIR || DATA_DIR_DEFAULT);
  const found = await readCredentials(folder);
  if (found && (await faultOf(found, signal)) === undefined) return running(found, 'already running');
  say(indent('No server runs here: starting one …'));
  return startServer(signal);
}

/** @param {Address} address @param {string} about @returns {Server} */
function running(address, about) {
  return { ...address, about, own: false, stop: async () => {}, lastWords: async () => '' };
}

/**
 * The address in a data folder; undefined when there is none, or when it is being written.
 *
 * @param {string} folder
 * @returns {Promise<Address | undefined>}
 */
async function readCredentials(folder) {
  try {
    const { url, api_key: apiKey } = JSON.parse(await readFile(join(folder, CREDENTIALS), 'utf8'));
    return typeof url === 'string' && typeof apiKey === 'string' ? { url, apiKey } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * What is wrong with a server; undefined when it is there, is ready and takes the key.
 *
 * @param {Address} address
 * @param {AbortSignal} signal
 * @returns {Promise<string | undefined>}
 */
async function faultOf(address, signal) {
  const client = new MillraceClient(address);
  const request = () => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS_MAX)]) });
  try {
    const ready = await client.call('service.ready', request());
    if (ready.body?.status !== 'ready') return `/readyz answers ${ready.status}: ${JSON.stringify(ready.body)}`;
    await client.call('dataset.list', { query: { limit: 1 }, ...request() });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    return describe(error);
  }
}

/**
 * A server on a free port, with a data folder that goes when it stops.
 *
 * @param {AbortSignal} signal
 * @returns {Promise<Server>}
 */
async function startServer(signal) {
  if (!existsSync(STANDALONE)) throw new DemoError('There is no built server to start. Run: npm run demo');
  const folder = await mkdtemp(join(tmpdir(), 'millrace-demo-'));
  // mkdtemp closes the folder to everyone else; as root, the server runs Postgres and its engine as other users.
  await chmod(folder, 0o711);
  const child = spawn(process.execPath, ['--enable-source-maps', '--max-semi-space-size=16', STANDALONE], {
    cwd: ROOT,
    env: ownEnvironment(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C reaches the demo alone, which then stops the server in order.
    detached: true,
  });
  const output = collectOutput(child);
  const stop = () => stopServer(child, folder);
  const lastWords = async () => {
    const ended = (await endsWithin(child, EXIT_MS)) ? `\n\nThe server ended. It said:\n\n${output()}` : '';
    return ended + (await readLog(folder));
  };
  try {
    const address = await waitUntilUp({ child, folder, signal });
    return {
      ...address,
      about: 'started for the demo, in a temporary folder',
      own: true,
      stop,
      lastWords,
    };
  } catch (error) {
    const words = signal.aborted ? '' : await lastWords();
    await stop();
    throw error instanceof DemoError ? new DemoError(error.message + words) : error;
  }
}

/** Every setting has its default, whatever the caller's are, but for these. @param {string} folder */
function ownEnvironment(folder) {
  const others = Object.entries(process.env).filter(([name]) => !(name in environmentSchema.shape));
  return { ...Object.fromEntries(others), PORT: '0', DATA_DIR: folder, LOG_LEVEL: 'warn' };
}

/** @param {Child} child @returns {() => string} gives the last lines it printed */
function collectOutput(child) {
  let text = '';
  const collect = (/** @type {string} */ chunk) => {
    text = (text + chunk).slice(-OUTPUT_CHARACTERS_MAX);
  };
  child.stdout.setEncoding('utf8').on('data', collect);
  child.stderr.setEncoding('utf8').on('data', collect);
  child.on('error', (error) => collect(error.message));
  return () => lastLines(text);
}

/** The end of the server's log, which has warnings and errors only; empty when there are none. @param {string} folder */
async function readLog(folder) {
  const log = await readFile(join(folder, 'millrace.log'), 'utf8').catch(() => '');
  return log === '' ? '' : `\n\nThe server's log:\n\n${lastLines(log.slice(-OUTPUT_CHARACTERS_MAX))}`;
}

/** @param {string} text */
const lastLines = (text) => text.trimEnd().split('\n').slice(-OUTPUT_LINES_SHOWN).join('\n');

/**
 * @typedef {import('node:child_process').ChildProcessByStdio<null, import('node:stream').Readable, import('node:stream').Readable>} Child
 * @param {{ child: Child, folder: string, signal: AbortSignal }} options
 */
async function waitUntilUp({ child, folder, signal }) {
  const deadline = performance.now() + START_MS_MAX;
  let fault;
  while (performance.now() < deadline) {
    if (hasEnded(child)) throw new DemoError('The server did not start.');
    const address = await readCredentials(folder);
    fault = address ? await faultOf(address, signal) : `It wrote no ${CREDENTIALS}.`;
    if (address && fault === undefined) return address;
    await sleep(POLL_MS, undefined, { signal });
  }
  throw new DemoError(`The server was not ready after ${START_MS_MAX / 1000} seconds. ${fault}`);
}

/** @param {Child} child also true when it could not be started at all */
const hasEnded = (child) => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

/** @param {Child} child @param {number} msMax */
async function endsWithin(child, msMax) {
  if (hasEnded(child)) return true;
  const exit = once(child, 'exit', { signal: AbortSignal.timeout(msMax) });
  return exit.then(
    () => true,
    () => false,
  );
}

/** SIGTERM, then SIGKILL for all it started; removes its folder. @param {Child} child @param {string} folder */
async function stopServer(child, folder) {
  if (!hasEnded(child)) {
    child.kill('SIGTERM');
    if (!(await endsWithin(child, STOP_MS_MAX))) killGroup(child);
  }
  child.stdout.destroy();
  child.stderr.destroy();
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: POLL_MS });
}

/** @param {Child} child */
function killGroup(child) {
  try {
    process.kill(-Number(child.pid), 'SIGKILL');
  } catch {
    // The group is gone already.
  }
}
