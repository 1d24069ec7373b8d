import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalog } from '@millrace/catalog';
import { parseEnvironment } from '@millrace/config';
import type { DirectUploads, EventBus, ObjectStore } from '@millrace/domain';
import { FolderObjectStore } from '@millrace/object-store';
import { BullMqEventBus, migrateQueue } from '@millrace/queue';
import { Readiness } from '@millrace/http';
import { createLogger, createMetrics } from '@millrace/telemetry';
import { createTenant, FaultyObjectStore, openCatalog, type TestTenant } from '@millrace/testing';
import { startGateway, type RunningService } from '../src/gateway.js';

export interface GatewayUnderTest {
  readonly url: string;
  readonly catalog: Catalog;
  readonly store: FaultyObjectStore;
  readonly events: EventBus;
  readonly tenant: TestTenant;
  /** Sends a request as the tenant's admin, unless a key is given. */
  send(method: string, path: string, options?: SendOptions): Promise<Response>;
  /** One more gateway on the same catalog and store. */
  startAnother(): Promise<RunningService>;
  stop(): Promise<void>;
}

export interface SendOptions {
  readonly body?: RequestInit['body'];
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly apiKey?: string;
}

/**
 * A gateway on a catalog and a folder of its own, without the services behind it.
 *
 * @param queryServiceUrl where a test plays the query service; nobody answers when left out
 * @param given another store than a folder of its own, which the test closes
 */
export async function startTestGateway(
  variables: Record<string, string> = {},
  queryServiceUrl = 'http://127.0.0.1:9',
  given?: { readonly store: ObjectStore; readonly directUploads: DirectUploads },
): Promise<GatewayUnderTest> {
  const opened = await openCatalog({ blobGraceMs: 0 });
  const { catalog, databaseUrl } = opened;
  const queueLocation = { kind: 'postgres', databaseUrl } as const;
  await migrateQueue(queueLocation);
  const folder = await mkdtemp(join(tmpdir(), 'millrace-gateway-'));
  const store = new FaultyObjectStore(given?.store ?? (await new FolderObjectStore(folder).open()));
  const logger = createLogger({ level: 'silent', service: 'gateway' });
  const events = await BullMqEventBus.open({ queueLocation, logger });
  const startOne = () =>
    startGateway({
      ...{
        catalog,
        store,
        events,
        logger,
        metrics: createMetrics('gateway'),
        version: '0.0.0',
        readiness: new Readiness({
          postgres: () => catalog.ping(),
          object_store: (signal) => store.ping({ signal }),
        }),
      },
      ...(given && { directUploads: given.directUploads }),
      environment: parseEnvironment({ PORT: '0', DRAIN_MS: '1000', ...variables }),
      queryServiceUrl,
      internalSecret: 'a secret of more than thirty-two characters',
    });
  const gateway = await startOne();
  const tenant = await createTenant(catalog);
  return {
    ...{ url: gateway.url, catalog, store, events, tenant },
    send: (method, path, options = {}) => send(gateway.url + path, method, { apiKey: tenant.admin.apiKey, ...options }),
    startAnother: startOne,
    stop: async () => {
      await gateway.close();
      await events.close();
      await opened.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function send(url: string, method: string, { body, json, headers, apiKey }: SendOptions): Promise<Response> {
  return fetch(url, {
    method,
    headers: {
      ...(apiKey && { authorization: `Bearer ${apiKey}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(json === undefined ? body !== undefined && { body } : { body: JSON.stringify(json) }),
    duplex: 'half',
  } as RequestInit);
}
