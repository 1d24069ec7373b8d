import { DomainError } from '@millrace/domain';
import { inSpan } from '@millrace/telemetry';
import type { ExportRequest } from '../tasks/export.task.js';
import type { EngineTask, TaskKind, TaskResult, WireTask } from '../tasks/task.js';
import { ChildFactory } from './child-factory.js';
import { ChildLane, type ChildLaneOptions, type LaneCounts, type LaneState } from './child-lane.js';
import { DEFAULT_ENGINE_OPTIONS, type EnginePoolOptions } from './engine-options.js';
import type { EngineChild } from './engine-child.js';
import { faultError } from './fault-error.js';
import { loggedError } from './logged-error.js';
import { collectResult, dropOutput, stageTask } from './stage.js';
import { startExport } from './start-export.js';
import type { TableExport } from './table-export.js';
import { UnbegunTaskError } from './unbegun-task-error.js';
import { waitLimit } from './wait-limit.js';
import { WorkFolder } from './work-folder.js';

const CLOSE_GRACE_MS = 10_000;
/** From the moment when a parse has a child. */
const PARSE_MS_MIN = 2_000;
/** And so much for its length: 1 MiB of numbers took 2.5 s on an idle machine. */
const PARSE_MS_PER_KIB = 10;

/** Children that one task may lose before it has begun: an idle one, and the spare. */
const CHILDREN_LOST_MAX = 2;

export interface RunOptions {
  /** Whose task it is: whose files it reads, and whose turn it takes. */
  readonly tenantId: string;
  /**
   * From now to the interrupt, waiting for a child included; SIGKILL follows 2 s later. A parse waits 10 s at most and
   * then has 2 s, and 10 ms more for each KiB of text.
   */
  readonly deadlineMs: number;
  /** Cancels the task, by the same path as the deadline. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with a number from 0 to 1. */
  readonly onProgress?: ((progress: number) => void) | undefined;
}

/** As `performance.now()`. */
type TimedOptions = RunOptions & { readonly deadlineAt: number };

type LaneSizes = Pick<ChildLaneOptions, 'childrenMax' | 'childrenKeptMax' | 'childrenPerTenantMax'>;

/** By the role of the children: those that read tables, and those that parse. */
export type PoolState = { readonly [Role in 'table' | 'parse']?: LaneState };

interface Parts {
  readonly work: WorkFolder;
  readonly tables: ChildLane;
  readonly parsers: ChildLane;
}

/**
 * Runs tasks in engine processes. Holds no DuckDB itself: what a foreign file or statement does to one, it does to a
 * child that can be killed.
 */
export class EnginePool {
  private readonly options: EnginePoolOptions;
  private readonly parts: Promise<Parts>;
  private opened: Parts | undefined;
  private closing: Promise<void> | undefined;

  constructor(options: Partial<EnginePoolOptions> & Pick<EnginePoolOptions, 'workDir'>) {
    this.options = { ...DEFAULT_ENGINE_OPTIONS, ...options };
    this.parts = this.open().then((parts) => (this.opened = parts));
    // Whoever runs a task, or waits for `ready`, sees the error.
    this.parts.catch(() => undefined);
  }

  /** Waits until children can be started. Not needed before `run`; good for a readiness check. */
  async ready(): Promise<void> {
    await this.parts;
  }

  /** Busy and idle children with a tenant, and callers that wait. */
  async counts(): Promise<LaneCounts> {
    return (await this.parts).tables.counts;
  }

  /** What there is of each role at this moment, and what there was so far; nothing while the pool is not ready. */
  get state(): PoolState {
    const { opened } = this;
    if (!opened) return {};
    return { table: opened.tables.state, ...(this.options.parseChildrenMax > 0 && { parse: opened.parsers.state }) };
  }

  /**
   * Runs one task in a child.
   *
   * @throws DomainError what is wrong with the caller's statement or file; `query.deadline`, `query.memory`,
   *   `query.crashed`, `query.cancelled` (`conversion.*` and `job.cancelled` for conversions); `query.too_many`
   */
  async run<K extends Exclude<TaskKind, 'export'>>(task: EngineTask<K>, options: RunOptions): Promise<TaskResult<K>> {
    if (task.kind === 'parse' && this.options.parseChildrenMax === 0) throw new TypeError('This pool does not parse.');
    const deadlineAt = performance.now() + options.deadlineMs;
    const result = await untilBegun(() => this.runOnce(task as EngineTask, { ...options, deadlineAt }));
    return result as TaskResult<K>;
  }

  /**
   * Lets stored tables leave as a stream. It has a child until the last bytes are in the pipe, so a reader that is slower
   * than `exportPace` gets `download.stalled`. The deadline counts until all has been taken; waiting for a child ends with
   * `exportWaitMaxMs`.
   *
   * @returns when the first bytes are there
   * @throws DomainError `result.corrupt`, `storage.*`, `query.deadline`, `query.memory`, `query.crashed`,
   *   `query.cancelled`, `query.too_many`; the body fails with the same later on
   */
  async export(request: ExportRequest, options: Omit<RunOptions, 'onProgress'>): Promise<TableExport> {
    const deadlineAt = performance.now() + options.deadlineMs;
    return untilBegun(() => this.exportOnce(request, { ...options, deadlineAt }));
  }

  /** Ends gracefully: running tasks have 10 s, then all children are killed and the folder is removed. */
  async close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async runOnce(task: EngineTask, options: TimedOptions): Promise<TaskResult<TaskKind>> {
    const { work, tables, parsers } = await this.parts;
    const lane = task.kind === 'parse' ? parsers : tables;
    return inSpan(`engine ${task.kind}`, { 'millrace.tenant.id': options.tenantId }, async () => {
      const child = await this.acquire(lane, task.kind, options);
      try {
        const deadlineAt = Math.min(options.deadlineAt, performance.now() + timeMaxOf(task));
        return await this.runIn(child, work, task, { ...options, deadlineAt });
      } finally {
        lane.release(child);
      }
    });
  }

  private async exportOnce(request: ExportRequest, options: TimedOptions): Promise<TableExport> {
    const { tables } = await this.parts;
    const { exportPace: pace } = this.options;
    const child = await this.acquire(tables, 'export', options);
    const { deadlineAt, signal, tenantId } = options;
    const running = await startExport(child, request, { deadlineAt, pace, signal }).catch((error: unknown) => {
      tables.release(child);
      throw error;
    });
    void running.ended
      .catch((error: unknown) => this.logFailure(child, { kind: 'export', tenantId }, error))
      .finally(() => tables.release(child));
    await running.body.started;
    return { body: running.body };
  }

  /** A child of the right kind; the deadline and the signal count while waiting, too. */
  private async acquire(
    lane: ChildLane,
    kind: TaskKind,
    { tenantId, deadlineAt, signal }: TimedOptions,
  ): Promise<EngineChild> {
    if (!tenantId) throw new TypeError('A task needs a tenant.');
    const { exportWaitMaxMs } = this.options;
    const limit = waitLimit(kind, { remainingMs: deadlineAt - performance.now(), exportWaitMaxMs });
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(limit.error), limit.ms);
    const cancelled = new AbortController();
    const cancel = (): void => cancelled.abort(faultError(kind, 'cancelled'));
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const ended = AbortSignal.any([timeout.signal, cancelled.signal]);
      return await inSpan('engine.wait', {}, () => lane.acquire(tenantId, ended));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  private async runIn(
    child: EngineChild,
    work: WorkFolder,
    task: EngineTask,
    options: TimedOptions,
  ): Promise<TaskResult<TaskKind>> {
    const wire: WireTask = await stageTask(task, child.folder);
    try {
      const answer = await child.execute(wire, options);
      return await collectResult(wire, answer, work);
    } catch (error) {
      await dropOutput(wire);
      this.logFailure(child, { kind: task.kind, tenantId: options.tenantId }, error);
      throw error;
    } finally {
      // The files of tables stay for a statement that comes soon, whose reader then knows their footers.
      if (task.kind === 'convert' || task.kind === 'analyze') await child.dropInputs();
    }
  }

  private logFailure(child: EngineChild, whose: { kind: TaskKind; tenantId: string }, error: unknown): void {
    const { fault, breach, pid, lastWords } = child;
    const { logger } = this.options;
    if (fault) logger.warn({ ...whose, fault, breach, pid, lastWords }, 'an engine process is replaced after a fault');
    const isOurs = !(error instanceof DomainError) || error.code === 'internal';
    if (isOurs) logger.error({ ...whose, pid, lastWords, ...loggedError(error) }, 'a task failed on our side');
  }

  private async open(): Promise<Parts> {
    const work = await WorkFolder.create(this.options.workDir);
    const factory = await ChildFactory.create(this.options, work);
    const lane = (role: 'parse' | 'table', sizes: LaneSizes): ChildLane =>
      new ChildLane({
        ...this.options,
        ...sizes,
        start: () => factory.start(role),
        isHeavy: (child) => factory.isHeavy(child, role),
        isSwollen: (child) => factory.isSwollen(child, role),
      });
    const { childrenMax, parseChildrenMax, parseChildrenKeptMax } = this.options;
    const { childrenPerTenantMax = allButOne(childrenMax), childrenKeptMax = childrenMax } = this.options;
    return {
      work,
      tables: lane('table', {
        childrenMax,
        childrenKeptMax: Math.max(childrenMax, childrenKeptMax),
        childrenPerTenantMax,
      }),
      parsers: lane('parse', {
        childrenMax: parseChildrenMax,
        childrenKeptMax: Math.max(parseChildrenMax, parseChildrenKeptMax),
        childrenPerTenantMax: allButOne(parseChildrenMax),
      }),
    };
  }

  private async shut(): Promise<void> {
    const parts = await this.parts.catch(() => undefined);
    if (!parts) return;
    await Promise.all([parts.tables.close(CLOSE_GRACE_MS), parts.parsers.close(CLOSE_GRACE_MS)]);
    await parts.work.remove();
  }
}

/** Gives a task another child when the one it had was gone before it began; nobody's answer depends on that. */
async function untilBegun<T>(attempt: () => Promise<T>): Promise<T> {
  for (let lost = 0; ; lost += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof UnbegunTaskError) || lost === CHILDREN_LOST_MAX) throw error;
    }
  }
}

/** How long a task may take once it has a child, whatever its caller says. */
function timeMaxOf(task: EngineTask): number {
  return task.kind === 'parse' ? PARSE_MS_MIN + (task.sql.length / 1024) * PARSE_MS_PER_KIB : Number.POSITIVE_INFINITY;
}

/** The children that one tenant may have: another finds one, as long as there is more than one. */
function allButOne(childrenMax: number): number {
  return Math.max(1, childrenMax - 1);
}
