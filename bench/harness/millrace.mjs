import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { generateApiKey, hashApiKey } from '@millrace/auth';
import { Catalog } from '@millrace/catalog';
import { SCOPES } from '@millrace/domain';
import { Tenant } from './tenant.mjs';

const ROOT = new URL('../../', import.meta.url);
const MAIN = fileURLToPath(new URL('apps/standalone/dist/main.js', ROOT));
const START_MAX_MS = 120_000;
/** Longer than a server drains by default. */
const STOP_MAX_MS = 30_000;
const POLL_MS = 50;
/** All services in one process, as `npm start` runs them, on a folder of their own. */
export class Millrace {
  #child;
  #catalog;

  constructor({ child, catalog, dataFolder, url, apiKey }) {
    this.#child = child;
    this.#catalog = catalog;
    this.dataFolder = dataFolder;
    this.url = url;
    /** The tenant that is there from the start. */
    this.tenant = new Tenant({ url, apiKey });
  }

  /** @param {{ dataFolder: string, threads: number, signal: AbortSignal }} options */
  static async start({ dataFolder, threads, signal }) {
    if (!existsSync(MAIN)) throw new Error('There is no built server to start. Run: npm run bench');
    await mkdir(dataFolder, { mode: 0o711 });
    const child = spawn(process.execPath, [...(await startFlags()), MAIN], {
      env: {
        PATH: process.env.PATH,
        PORT: '0',
        DATA_DIR: dataFolder,
        LOG_LEVEL: 'warn',
        QUERY_THREADS: String(threads),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
      // A group of its own: Ctrl-C reaches the benchmark alone, which then stops the server in order.
      detached: true,
    });
    try {
      const credentials = await untilReady(child, dataFolder, signal);
      const catalog = await Catalog.open({ databaseUrl: await databaseUrlOf(dataFolder), poolMax: 1, blobGraceMs: 0 });
      return new Millrace({ child, catalog, dataFolder, ...credentials });
    } catch (error) {
      await end(child);
      throw error;
    }
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  /** Another tenant, with somebody who may do everything in it. @returns {Promise<Tenant>} */
  async newTenant() {
    const { tenants, keys } = this.#catalog;
    const { tenantId } = await tenants.create({ name: 'bench' });
    const { id: userId } = await tenants.createUser({ tenantId, name: 'admin', role: 'admin' });
    const apiKey = generateApiKey();
    await keys.create({ tenantId, userId, keyHash: hashApiKey(apiKey), scopes: SCOPES });
    return new Tenant({ url: this.url, apiKey });
  }

  /** The 99th percentile of the event loop's delay since it was last asked for, in milliseconds. */
  async loopDelayMs() {
    const text = await this.tenant.metrics();
    const seconds = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1];
    return seconds === undefined ? undefined : Number(seconds) * 1_000;
  }

  async stop() {
    await this.#catalog.close();
    await end(this.#child);
  }
}

/** What `npm start` gives Node. @returns {Promise<string[]>} */
async function startFlags() {
  const { scripts } = JSON.parse(await readFile(new URL('package.json', ROOT), 'utf8'));
  const [, flags] = /\/node (--.*) \S+$/.exec(scripts.start) ?? [];
  if (flags === undefined) throw new Error('The script "start" in package.json names no flags.');
  return flags.split(' ');
}

/** @returns {Promise<{ url: string, apiKey: string }>} */
async function untilReady(child, dataFolder, signal) {
  for (const deadline = Date.now() + START_MAX_MS; Date.now() < deadline; await sleep(POLL_MS, undefined, { signal })) {
    if (child.exitCode !== null) break;
    const text = await readFile(join(dataFolder, 'credentials.json'), 'utf8').catch(() => undefined);
    if (!text) continue;
    const { url, api_key: apiKey } = JSON.parse(text);
    return { url, apiKey };
  }
  throw new Error(`Millrace did not start; its log is ${join(dataFolder, 'millrace.log')}.`);
}

/** Of the Postgres that Millrace runs itself: its password, and the port in the fourth line of its own file. */
async function databaseUrlOf(dataFolder) {
  const folder = join(dataFolder, 'postgres');
  const password = (await readFile(join(folder, 'password'), 'utf8')).trim();
  const port = (await readFile(join(folder, 'data/postmaster.pid'), 'utf8')).split('\n')[3];
  return `postgres://millrace:${password}@127.0.0.1:${port}/millrace`;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
  await ended;
  clearTimeout(timer);
}
