import { errorFields, type Registry } from '@millrace/telemetry';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError, type EventBus, type JobLedger } from '@millrace/domain';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { AttemptRunner } from './attempt-runner.js';
import { checkHandlers } from './boot-check.js';
import { type JobCatalog, JOBS, type QueueName } from './job-catalog.js';
import type { JobContext } from './job-context.js';
import { JOB_TRANSPORT } from './job-handler.decorator.js';
import { parseJobMessage } from './job-message.js';
import { JobMetrics } from './job-metrics.js';
import type { QueueReceiver } from './queue-backend.js';
import { queueBackendAt } from './queue-backend-at.js';
import type { QueueLocation } from './queue-location.js';
import type { QueueLog } from './queue-log.js';

/** Together well under the 30 s that Kubernetes gives a process to end. */
const DRAIN_MS = 15_000;
const ABORT_GRACE_MS = 5_000;
/** After the last abort: time to write how the attempts ended. */
const SETTLE_MS = 5_000;

export interface BullMqServerOptions {
  readonly queues: readonly { readonly name: QueueName; readonly concurrency: number }[];
  readonly ledger: JobLedger;
  readonly events: EventBus;
  readonly queueLocation: QueueLocation;
  readonly logger: QueueLog;
  /** How long `close` waits for running handlers before it aborts them. */
  readonly drainMs?: number;
  /** How long an aborted handler may take to end before the attempt is closed without it. */
  readonly abortGraceMs?: number;
  /** The jobs with their leases and limits. */
  readonly catalog?: JobCatalog;
  /** Where attempts are counted. */
  readonly metrics?: Registry;
}

/** Nest's transport for jobs: BullMQ delivers, the ledger decides, the app's `@JobHandler` methods work. */
export class BullMqServer extends Server implements CustomTransportStrategy {
  override readonly transportId = JOB_TRANSPORT;
  readonly #options: BullMqServerOptions;
  readonly #catalog: JobCatalog;
  readonly #runner: AttemptRunner;
  readonly #abortGraceMs: number;
  /** One entry per declared handler; Nest's own map would keep the last of two. */
  readonly #handled: string[] = [];
  #receivers: QueueReceiver[] = [];
  #unsubscribe: () => void = () => undefined;

  constructor(options: BullMqServerOptions) {
    super();
    this.#options = options;
    this.#catalog = options.catalog ?? JOBS;
    this.#abortGraceMs = options.abortGraceMs ?? ABORT_GRACE_MS;
    const { ledger, events, logger: log, metrics } = options;
    this.#runner = new AttemptRunner({
      ...{ ledger, events, log },
      abortGraceMs: this.#abortGraceMs,
      metrics: metrics && new JobMetrics(metrics),
    });
  }

  override addHandler(pattern: unknown, callback: MessageHandler, isEvent?: boolean, extras?: object): void {
    this.#handled.push(this.normalizePattern(pattern as string));
    super.addHandler(pattern, callback, isEvent, extras);
  }

  /** Starts to take jobs; hands an error to Nest, so that the app refuses to start, when something is not in order. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      this.#checkHandlers();
      await this.#openReceivers();
    } catch (error) {
      return callback(error);
    }
    callback();
  }

  /**
   * Takes no more jobs, waits for the running ones, then aborts them with `job.lost`, which gives them a next attempt.
   *
   * @param signal ends the wait early
   */
  async close(signal?: AbortSignal): Promise<void> {
    const closed = Promise.all(this.#receivers.map((receiver) => receiver.close()));
    if (!(await endsWithin(closed, this.#options.drainMs ?? DRAIN_MS, signal))) {
      this.#runner.abortAll(new DomainError('job.lost', 'The worker was shut down.'));
      const settled = await endsWithin(closed, this.#abortGraceMs + SETTLE_MS);
      if (!settled) this.#options.logger.error({}, 'the queue did not close in time');
    }
    this.#unsubscribe();
    this.#receivers = [];
  }

  override on(): never {
    throw new Error('BullMqServer has no events');
  }

  override unwrap<T>(): T {
    throw new Error('BullMqServer does not give BullMQ away');
  }

  #checkHandlers(): void {
    const queues = this.#options.queues.map(({ name }) => name);
    const problems = checkHandlers({ catalog: this.#catalog, queues, handled: this.#handled });
    if (problems.length > 0) throw new Error(`The job handlers are not in order: ${problems.join('; ')}.`);
  }

  async #openReceivers(): Promise<void> {
    const { queues, queueLocation, events, logger: log } = this.#options;
    const backend = queueBackendAt(queueLocation);
    const receive = (name: string, data: unknown): Promise<void> => this.#receive(name, data);
    const opening = queues.map(({ name: queue, concurrency }) =>
      backend.openReceiver({ queue, concurrency, log, receive }),
    );
    try {
      await this.#keepOpened(opening);
      this.#unsubscribe = await events.subscribe('job.cancel_requested', ({ jobId }) => {
        this.#runner.nudge(jobId);
      });
    } catch (error) {
      await Promise.all(this.#receivers.splice(0).map((receiver) => receiver.close()));
      throw error;
    }
    for (const receiver of this.#receivers) receiver.run();
  }

  /** Waits for all, keeps those that opened, and throws when one did not. */
  async #keepOpened(opening: readonly Promise<QueueReceiver>[]): Promise<void> {
    const opened = await Promise.allSettled(opening);
    this.#receivers = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = opened.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** Handles one message and swallows every error: what a failure means is the ledger's business, not BullMQ's. */
  async #receive(name: string, data: unknown): Promise<void> {
    const { logger: log } = this.#options;
    const fence = parseJobMessage(data);
    const spec = Object.hasOwn(this.#catalog, name) ? this.#catalog[name] : undefined;
    const handler = this.getHandlerByPattern(name);
    if (!fence || !spec || !handler) return log.error({ kind: name }, 'a message was dropped: it makes no sense here');
    const { tenantId, jobId, attempt } = fence;
    try {
      await this.#runner.run({
        fence: { tenantId, jobId, attempt },
        kind: name,
        spec,
        handle: (payload, context) => this.#invoke(handler, payload, context),
      });
    } catch (error) {
      log.error({ ...fence, kind: name, ...errorFields(error) }, 'the ledger did not answer for an attempt');
    }
  }

  /** Runs Nest's chain for the handler: guards, interceptors, pipes, the method, filters. */
  async #invoke(handler: MessageHandler, payload: unknown, context: JobContext): Promise<unknown> {
    const result: unknown = await handler(payload, context);
    return lastValueFrom(this.transformToObservable(result), { defaultValue: undefined });
  }
}

/** Whether some work ends within a time, and before a signal. Errors of the work count as its end. */
async function endsWithin(work: Promise<unknown>, limitMs: number, signal?: AbortSignal): Promise<boolean> {
  const timer = new AbortController();
  const limit = AbortSignal.any([timer.signal, ...(signal ? [signal] : [])]);
  const ended = work.then(
    () => true,
    () => true,
  );
  const tooLong = sleep(limitMs, false, { signal: limit }).catch(() => false);
  try {
    return await Promise.race([ended, tooLong]);
  } finally {
    timer.abort();
  }
}
