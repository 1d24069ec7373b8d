import { setTimeout as sleep } from 'node:timers/promises';
import { type Environment, requireSetting } from '@millrace/config';
import { OperationsDoor, type OperationsPage, Readiness } from '@millrace/http';
import { BullMqEventBus, parseQueueLocation } from '@millrace/queue';
import { createMetrics, type Logger, measureProcess, type Registry } from '@millrace/telemetry';
import { Closers } from './closers.js';
import { DependencyWait } from './dependency-wait.js';
import { openObjectStore } from './open-object-store.js';
import { openServiceCatalog, type ServiceParts, watchDependencies } from './service-parts.js';

export interface RunningService {
  /** Where it serves HTTP, if it does. */
  readonly url?: string;
  /** Takes no more work, lets what runs end or hands it back, and closes. What the service was given stays open. */
  close(): Promise<void>;
}

/** A service as a process of its own runs it. */
export interface ServiceDefinition {
  /** As in logs and metrics: `convert-worker`. */
  readonly name: string;
  /** Settings without defaults that it can't do without, `DATABASE_URL` apart. */
  readonly requires: readonly (keyof Environment)[];
  /** Whether it can serve while the queue is away: what it hands on is in the catalog, and is done later. */
  readonly worksWithoutQueue?: boolean;
  /** @throws when something is not there after all; it is tried again then */
  start(parts: ServiceParts): Promise<RunningService>;
  /** What its operations door has beside what all have, by path. */
  pages?(parts: ServiceParts): Readonly<Record<`/internal/${string}`, OperationsPage>>;
}

export interface ServiceProcessOptions {
  readonly environment: Environment;
  readonly logger: Logger;
  /** Ends a start that still waits for something. */
  readonly signal: AbortSignal;
}

/** The order in which a process opens what it needs: `start` is the service itself. */
const DEPENDENCIES = ['postgres', 'migrations', 'object_store', 'queue', 'start'] as const;

/**
 * A service with all it needs. It opens its operations door first, then each dependency as soon as that is there, then
 * the service. It ends in the opposite order: not ready any more; after `DRAIN_DELAY_MS`, in which load balancers notice,
 * the service, which takes no more work and lets what runs end; what the service used; the door.
 */
export class ServiceProcess {
  private readonly closers = new Closers();
  private readonly readiness = new Readiness();

  private constructor(
    private readonly definition: ServiceDefinition,
    private readonly options: ServiceProcessOptions,
  ) {}

  /**
   * @throws ConfigError for a setting that is missing; Error of the system when the door can not be opened; the signal's
   *   reason
   */
  static async start(definition: ServiceDefinition, options: ServiceProcessOptions): Promise<ServiceProcess> {
    for (const name of ['DATABASE_URL', ...definition.requires] as const) requireSetting(options.environment, name);
    const process = new ServiceProcess(definition, options);
    try {
      await process.open();
      return process;
    } catch (error) {
      await process.closers.closeAll().catch(() => undefined);
      throw error;
    }
  }

  /** Ends in order; may take as long as `DRAIN_DELAY_MS`, `DRAIN_MS` and some seconds together. */
  async close(): Promise<void> {
    const { environment, logger } = this.options;
    this.readiness.drain();
    logger.info({ delayMs: environment.DRAIN_DELAY_MS }, 'not ready any more: about to stop');
    await sleep(environment.DRAIN_DELAY_MS);
    await this.closers.closeAll();
    logger.info({}, 'stopped');
  }

  private async open(): Promise<void> {
    const { definition, readiness, closers } = this;
    const { environment, logger, signal } = this.options;
    const metrics = createMetrics(definition.name);
    measureProcess(metrics);
    const { OPS_HOST: host, OPS_PORT: port } = environment;
    const door = await OperationsDoor.open({ host, port, readiness, metrics });
    closers.add(() => door.close());
    logger.info({ url: door.url }, 'the operations door is open');
    const wait = new DependencyWait({ readiness, logger, signal });
    wait.announce(DEPENDENCIES);
    const parts = { ...(await this.openParts(wait, metrics)), environment, logger, metrics, readiness };
    const service = await wait.open('start', () => definition.start(parts));
    closers.add(() => service.close());
    wait.forget(['migrations', 'start']);
    const { worksWithoutQueue = false } = definition;
    watchDependencies(readiness, parts, { worksWithoutQueue });
    for (const [path, page] of Object.entries(definition.pages?.(parts) ?? {})) {
      door.addPage(path as `/internal/${string}`, page);
    }
    logger.info({ ...(service.url !== undefined && { url: service.url }) }, 'started');
  }

  private async openParts(
    wait: DependencyWait,
    metrics: Registry,
  ): Promise<Omit<ServiceParts, 'environment' | 'logger' | 'metrics' | 'readiness'>> {
    const { environment, logger } = this.options;
    const databaseUrl = requireSetting(environment, 'DATABASE_URL');
    const queueLocation = parseQueueLocation({ REDIS_URL: environment.REDIS_URL, databaseUrl });
    const request = { environment, databaseUrl, service: this.definition.name, logger, metrics };
    const catalog = await wait.open('postgres', () => openServiceCatalog(request));
    this.closers.add(() => catalog.close());
    await wait.open('migrations', () => catalog.requireMigrated());
    const { close, ...opened } = await wait.open('object_store', () => openObjectStore(environment, catalog.blobs));
    this.closers.add(close);
    const events = await wait.open('queue', () => BullMqEventBus.open({ queueLocation, logger, metrics }));
    this.closers.add(() => events.close());
    return { queueLocation, catalog, events, ...opened };
  }
}
