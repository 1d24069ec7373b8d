import type { AddressInfo } from 'node:net';
import { KeyAuthenticator } from '@millrace/auth';
import type { Catalog } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import type { DirectUploads, EventBus, ObjectStore } from '@millrace/domain';
import { closeHttpServer, createHttpServer, type Readiness } from '@millrace/http';
import type { Logger, MetricsPage, Registry } from '@millrace/telemetry';
import { GatewayModule } from './gateway.module.js';
import { serveDocsPage } from './service/docs-page.js';

export interface GatewayOptions {
  readonly environment: Environment;
  readonly version: string;
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  /** Uploads past this service, where the store can do that. */
  readonly directUploads?: DirectUploads;
  readonly events: EventBus;
  readonly logger: Logger;
  /** Where this service counts. */
  readonly metrics: Registry;
  /** What `/metrics` shows: its own metrics, or those of all services in the process. */
  readonly metricsPage?: MetricsPage;
  /** Shown at `/readyz`, with the query service; the gateway is not ready once it closes. */
  readonly readiness: Readiness;
  readonly queryServiceUrl: string;
  readonly internalSecret: string;
}

export interface RunningService {
  /** Where it listens, for example `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Takes no more requests, lets those that run end, and closes. */
  close(): Promise<void>;
}

/** The query service ends what did not end in time, which may take some seconds, and its answers have to pass here. */
const LAST_ANSWERS_MS = 8_000;

/** Starts the public door. What it is given, it does not close. */
export async function startGateway(options: GatewayOptions): Promise<RunningService> {
  const { environment, version, catalog, store, events, metrics, metricsPage = metrics, logger, readiness } = options;
  // Uploads, lists and whatever is a row of the catalog work without it; a proxy must not drop all gateways for its sake.
  const isRequired = false;
  readiness.set('query_service', (signal) => checkQueryService(options.queryServiceUrl, signal), { isRequired });
  const settings = {
    version,
    uploadsMax: environment.UPLOADS_MAX,
    uploadBytesMax: environment.UPLOAD_BYTES_MAX,
    uploadIdleMs: environment.UPLOAD_IDLE_MS,
    uploadRetentionMs: environment.UPLOAD_RETENTION_MS,
    presignedUrlMs: environment.PRESIGNED_URL_MS,
    idempotencyRetentionMs: environment.IDEMPOTENCY_RETENTION_MS,
    queryServiceUrl: options.queryServiceUrl,
    queryServiceConnectionMs: environment.QUERY_SERVICE_CONNECTION_MS,
    internalSecret: options.internalSecret,
  };
  const app = await createHttpServer({
    module: GatewayModule.with({
      settings,
      catalog,
      store,
      directUploads: options.directUploads ?? null,
      events,
      metricsPage,
      readiness,
      leaseMs: environment.LEASE_MS,
    }),
    authenticator: new KeyAuthenticator(catalog.keys),
    logger,
    metrics,
    limits: { connectionsMax: environment.HTTP_CONNECTIONS_MAX, jsonBodyMs: environment.JSON_BODY_TIMEOUT_MS },
    idempotency: {
      ledger: catalog.idempotencyKeys,
      leaseMs: environment.LEASE_MS,
      retentionMs: environment.IDEMPOTENCY_RETENTION_MS,
    },
    readiness,
    extend: (fastify) => serveDocsPage(fastify, version),
  });
  await app.listen(environment.PORT, environment.HOST);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const host = environment.HOST.includes(':') ? `[${environment.HOST}]` : environment.HOST;
  return { url: `http://${host}:${port}`, close: () => closeHttpServer(app, environment.DRAIN_MS + LAST_ANSWERS_MS) };
}

/** @throws Error when it does not answer */
async function checkQueryService(url: string, signal: AbortSignal): Promise<void> {
  const answer = await fetch(new URL('/livez', url), { signal });
  if (!answer.ok) throw new Error(`it answers ${answer.status}`);
}
