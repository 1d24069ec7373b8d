import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTEXT_HEADER, signContext } from '@millrace/auth';
import type { Catalog } from '@millrace/catalog';
import { parseEnvironment } from '@millrace/config';
import type { Principal, TenantId, TenantLimits } from '@millrace/domain';
import { EnginePool } from '@millrace/engine';
import { Readiness } from '@millrace/http';
import { FolderObjectStore } from '@millrace/object-store';
import { BullMqEventBus, migrateQueue, type QueueLocation } from '@millrace/queue';
import { createLogger, createMetrics, type Registry } from '@millrace/telemetry';
import { createTenant, eventually, FaultyObjectStore, openCatalog, type TestTenant } from '@millrace/testing';
import { startQueryService, type RunningService } from '../src/index.js';

const MiB = 1024 ** 2;
const LEASE_MS = 1_500;
export const INTERNAL_SECRET = 'a secret of more than thirty-two characters';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The body as JSON. Loosely typed: that is what the assertions are for. */
  readonly body: Record<string, unknown>;
  readonly text: string;
}

export interface QueryBody {
  readonly sql: string;
  readonly params?: unknown;
  readonly limit_rows?: number;
  readonly timeout_ms?: number;
  readonly reuse?: string;
}

/** A query service with real engine processes, on a catalog, a store and a folder of its own. */
export class QueryServiceHarness {
  private readonly closers: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly catalog: Catalog,
    readonly store: FaultyObjectStore,
    readonly events: BullMqEventBus,
    /** Makes Parquet files for datasets. */
    readonly engine: EnginePool,
    /** Its lines, as they were written. */
    readonly logLines: string[],
    readonly metrics: Registry,
    readonly folder: string,
    readonly queueLocation: QueueLocation,
    private service: RunningService,
  ) {}

  static async start(variables: Record<string, string> = {}): Promise<QueryServiceHarness> {
    const database = await openCatalog({ blobGraceMs: 0 });
    const { catalog, databaseUrl } = database;
    const queueLocation = { kind: 'postgres', databaseUrl } as const;
    await migrateQueue(queueLocation);
    const folder = await mkdtemp(join(tmpdir(), 'millrace-query-service-'));
    // Engine processes run as another user and must pass.
    await chmod(folder, 0o711);
    const store = new FaultyObjectStore(await new FolderObjectStore(join(folder, 'objects')).open());
    const logLines: string[] = [];
    const logger = createLogger({
      level: 'info',
      service: 'query-service',
      stream: { write: (line: string) => void logLines.push(line) },
    });
    const events = await BullMqEventBus.open({ queueLocation, logger });
    const engine = new EnginePool({ workDir: join(folder, 'making'), childrenMax: 1, memoryBytes: 512 * MiB });
    const metrics = createMetrics('query-service');
    const environment = parseEnvironment({
      QUERY_MEMORY_BYTES: String(512 * MiB),
      QUERY_CHILDREN_MAX: '2',
      DRAIN_MS: '1000',
      LEASE_MS: String(LEASE_MS),
      ...variables,
    });
    const service = await startQueryService({
      environment,
      catalog,
      store,
      events,
      queueLocation,
      logger,
      metrics,
      readiness: new Readiness({
        postgres: () => catalog.ping(),
        object_store: (signal) => store.ping({ signal }),
      }),
      internalSecret: INTERNAL_SECRET,
      engineFolder: join(folder, 'engine'),
    });
    const harness = new QueryServiceHarness(
      catalog,
      store,
      events,
      engine,
      logLines,
      metrics,
      folder,
      queueLocation,
      service,
    );
    harness.closers.push(
      () => rm(folder, { recursive: true, force: true }),
      () => database.stop(),
      () => events.close(),
      () => engine.close(),
      () => harness.service.close(),
    );
    return harness;
  }

  get url(): string {
    return this.service.url;
  }

  closeService(): Promise<void> {
    return this.service.close();
  }

  async stop(): Promise<void> {
    for (const close of this.closers.toReversed()) await close();
  }

  createTenant(limits: Partial<TenantLimits> = {}): Promise<TestTenant> {
    return createTenant(this.catalog, { limits });
  }

  /** Lets the time of a result be over. */
  async expireNow(tenantId: TenantId, id: string): Promise<void> {
    await this.catalog.transaction((transaction) =>
      transaction.query('UPDATE results SET expires_at = now() WHERE tenant_id = $1 AND id = $2', [tenantId, id]),
    );
    await this.catalog.resultLifetimes.expireDue();
  }

  query(caller: Principal, body: QueryBody | string, options: { signal?: AbortSignal } = {}): Promise<Answer> {
    const json = typeof body === 'string' ? { sql: body } : body;
    return this.send(caller, '/v1/query', { method: 'POST', body: JSON.stringify(json), ...options });
  }

  get(caller: Principal, path: string): Promise<Answer> {
    return this.send(caller, path, {});
  }

  /** Asks without reading the answer. */
  ask(caller: Principal, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = {
      [CONTEXT_HEADER]: signContext(caller, INTERNAL_SECRET),
      ...(init.body !== undefined && { 'content-type': 'application/json' }),
    };
    return fetch(this.url + path, { ...init, headers: { ...headers, ...(init.headers as Record<string, string>) } });
  }

  /** Waits until no file of a result lies where engine processes' files come out. */
  async noOutputsLeft(kind: 'processes' | 'background' = 'processes'): Promise<void> {
    const processes = join(this.folder, 'engine', kind);
    await eventually('no output is left', async () => {
      const pools = await readdir(processes);
      const found = await Promise.all(pools.map((pool) => readdir(join(processes, pool, 'outputs')).catch(() => [])));
      return found.flat().length === 0;
    });
  }

  /** The rows of a statement that is expected to work. */
  async rows(caller: Principal, body: QueryBody | string): Promise<unknown> {
    const answer = await this.query(caller, body);
    if (answer.status !== 200) throw new Error(answer.text);
    return answer.body['rows'];
  }

  private async send(caller: Principal, path: string, init: RequestInit): Promise<Answer> {
    const response = await this.ask(caller, path, init);
    const text = await response.text();
    const body = JSON.parse(text) as Record<string, unknown>;
    return { status: response.status, headers: response.headers, body, text };
  }
}

/** Looks again and again, longer than a lease lasts that nobody extends. */
export async function forLongerThanALease(look: () => Promise<void>): Promise<void> {
  for (const endAt = performance.now() + 1.5 * LEASE_MS; performance.now() < endAt;) {
    await look();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
