import { Catalog, measureCatalog } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import type { DirectUploads, EventBus, ObjectStore } from '@millrace/domain';
import type { Readiness } from '@millrace/http';
import type { QueueLocation } from '@millrace/queue';
import { errorFields, type Logger, type Registry, startTracing, type Tracing } from '@millrace/telemetry';
import { VERSION } from './version.js';

/** An event bus that can tell whether the queue answers. */
export type WatchedEventBus = EventBus & { ping(): Promise<void> };

/** What a service works with, its own as in a process of its own. It closes none of it. */
export interface ServiceParts {
  readonly environment: Environment;
  readonly queueLocation: QueueLocation;
  readonly catalog: Catalog;
  readonly events: WatchedEventBus;
  readonly store: ObjectStore;
  /** Where clients can upload past the gateway; a folder has nothing of the kind. */
  readonly directUploads?: DirectUploads;
  readonly logger: Logger;
  readonly metrics: Registry;
  readonly readiness: Readiness;
}

export interface CatalogRequest {
  readonly environment: Environment;
  readonly databaseUrl: string;
  /** The name of the service, as Postgres shows its connections. */
  readonly service: string;
  readonly logger: Logger;
  /** Where its connections are counted. */
  readonly metrics?: Registry;
}

/** @throws DomainError `service.unavailable` when the database does not answer */
export async function openServiceCatalog(request: CatalogRequest): Promise<Catalog> {
  const { environment, databaseUrl, service, logger, metrics } = request;
  const catalog = await Catalog.open({
    databaseUrl,
    poolMax: environment.DATABASE_POOL_MAX,
    applicationName: `millrace-${service}`,
    blobGraceMs: environment.DELETION_GRACE_MS,
    // Not the error itself: the driver hangs the whole connection on it.
    onError: (error) => logger.warn(errorFields(error), 'a database connection broke'),
  });
  if (metrics) measureCatalog(metrics, catalog);
  return catalog;
}

/** Before the first request, once per process; to be closed after everything that makes spans. */
export function openServiceTracing(environment: Environment, service: string): Promise<Tracing> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_TRACES_SAMPLE_RATIO: sampleRatio } = environment;
  return startTracing({ service, version: VERSION, endpoint, sampleRatio });
}

/**
 * What a service that runs needs at any moment.
 *
 * @param options.worksWithoutQueue its work goes on, later, once the queue is back
 */
export function watchDependencies(
  readiness: Readiness,
  { catalog, store, events }: Pick<ServiceParts, 'catalog' | 'store' | 'events'>,
  { worksWithoutQueue = false }: { readonly worksWithoutQueue?: boolean } = {},
): void {
  readiness.set('postgres', () => catalog.ping());
  readiness.set('queue', () => events.ping(), { isRequired: !worksWithoutQueue });
  readiness.set('object_store', (signal) => store.ping({ signal }));
}
