import type { Catalog } from '@millrace/catalog';
import type { Environment } from '@millrace/config';
import type { EventBus, ObjectStore } from '@millrace/domain';
import type { QueueLocation } from '@millrace/queue';
import type { Readiness } from '@millrace/http';
import type { Logger, Registry } from '@millrace/telemetry';

/** What the service works with. It closes none of it. */
export interface QueryServiceOptions {
  readonly environment: Environment;
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly events: EventBus;
  /** Where the statements come from that run in the background. */
  readonly queueLocation: QueueLocation;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** Shown at `/readyz`; the service is not ready once it closes. */
  readonly readiness: Readiness;
  /** Signs the context of internal calls; the gateway has the same. */
  readonly internalSecret: string;
  /** A folder on a local disk for the engine's work and for copies of files. Engine processes must be able to pass. */
  readonly engineFolder: string;
  /** The default is `127.0.0.1`. */
  readonly host?: string;
  /** The default, 0, picks a free one. */
  readonly port?: number;
}
