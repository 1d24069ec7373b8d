import pg from 'pg';
import { CONNECT_TIMEOUT_MS } from '../database/database.js';
import { JOBS_CHANNEL } from './outbox.js';

/** How often the connection is asked whether it is still there: a silent network would otherwise go unnoticed. */
const PROBE_INTERVAL_MS = 30_000;
const PROBE_TIMEOUT_MS = 5_000;
const RECONNECT_BACKOFF_MS = 250;
const RECONNECT_BACKOFF_MAX_MS = 10_000;

/**
 * Wakes somebody whenever jobs were inserted, through a connection of its own. After every (re)connect it wakes once
 * on suspicion, since what was notified meanwhile is lost. Still only a hint: the listener also looks on its own.
 */
export class JobSignal {
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;
  private closed = false;

  private constructor(
    private readonly databaseUrl: string,
    private readonly wake: () => void,
  ) {}

  /** Listens from now on; resolves after the first try to connect, whether it worked or not. */
  static async listen(databaseUrl: string, wake: () => void): Promise<JobSignal> {
    const signal = new JobSignal(databaseUrl, wake);
    await signal.connect();
    return signal;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    const client = this.client;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.databaseUrl,
      application_name: 'millrace-job-signal',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: PROBE_TIMEOUT_MS,
      keepAlive: true,
    });
    this.client = client;
    client.on('notification', () => this.wake());
    client.on('error', () => this.lose(client));
    client.on('end', () => this.lose(client));
    try {
      await client.connect();
      await client.query(`LISTEN ${JOBS_CHANNEL}`);
    } catch {
      return this.lose(client);
    }
    if (this.client !== client) return;
    this.failures = 0;
    this.after(PROBE_INTERVAL_MS, () => this.probe(client));
    this.wake();
  }

  private async probe(client: pg.Client): Promise<void> {
    try {
      await client.query('SELECT 1');
      if (this.client === client) this.after(PROBE_INTERVAL_MS, () => this.probe(client));
    } catch {
      this.lose(client);
    }
  }

  /** Gives a connection up and plans the next one; further news about the same connection changes nothing. */
  private lose(client: pg.Client): void {
    if (this.closed || this.client !== client) return;
    this.client = undefined;
    client.end().catch(() => undefined);
    const delayMs = Math.min(RECONNECT_BACKOFF_MS * 2 ** this.failures, RECONNECT_BACKOFF_MAX_MS);
    this.failures += 1;
    this.after(delayMs, () => this.connect());
  }

  private after(delayMs: number, action: () => Promise<void>): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void action(), delayMs);
  }
}
