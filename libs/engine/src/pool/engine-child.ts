import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { DomainError } from '@millrace/domain';
import type { WireTask } from '../tasks/task.js';
import { answerTextBytesMax, checkAnswer, type CheckedAnswer } from './checked-answer.js';
import { type ChannelBreach, ChildChannel } from './child-channel.js';
import { ChildFolder } from './child-folder.js';
import { ChildStartError } from './child-start-error.js';
import { faultError, type TaskFault } from './fault-error.js';
import { lastWords } from './last-words.js';
import { launchChild, type LaunchOptions } from './launch.js';
import type { Phase } from './phase.js';
import { recordProcess } from './record-process.js';
import { UnbegunTaskError } from './unbegun-task-error.js';
import { CHANNEL_FD } from './wire.js';

/** From the deadline, when the task is interrupted, to SIGKILL. */
export const KILL_GRACE_MS = 2_000;
/** The end of a process may be heard before the end of what it has said, and of what it has not read. */
const LAST_MESSAGES_MS = 1_000;
const START_TIMEOUT_MS = 30_000;
const STDERR_BYTES_KEPT = 4_096;

export interface ExecuteOptions {
  /** When the task is interrupted; as `performance.now()`. */
  readonly deadlineAt: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: number) => void) | undefined;
}

/** One engine process and its folder. It has one task at a time. */
export class EngineChild {
  readonly bornAt = performance.now();
  /** Set once, when the child gets its first task of a tenant. */
  tenantId: string | undefined;
  tasksDone = 0;
  /** VmData at the last report. */
  dataBytes = 0;
  /** Why the child must not get another task. */
  fault: TaskFault | undefined;
  /** What it said that no engine process says. */
  breach: ChannelBreach | undefined;
  private resting: NodeJS.Timeout | undefined;
  private stderrTail = '';
  private hasEnded = false;
  /** Fails the task that runs. Not a listener of `ended` for each task: those would hold all answers until the end. */
  private failTask: () => void = () => undefined;
  private readonly ended: Promise<void>;
  private readonly channel: ChildChannel;

  private constructor(
    readonly folder: ChildFolder,
    private readonly process: ChildProcess,
  ) {
    this.ended = new Promise<void>((resolve) => {
      process.once('exit', () => resolve());
      process.once('error', () => resolve());
    })
      .then(() => this.channel.untilClosed(LAST_MESSAGES_MS))
      .then(() => {
        this.hasEnded = true;
        this.failTask();
      });
    process.on('error', () => undefined);
    // Out of file descriptors, Node makes no streams at all, whatever its types say.
    const stdio = process.stdio as ChildProcess['stdio'] | undefined;
    const stream = stdio?.[CHANNEL_FD] as Duplex | undefined;
    this.channel = new ChildChannel(stream, (breach) => this.distrust(breach));
    // A child that can't be talked to is of no use; one that has ended already is not hit by this.
    stream?.once('close', () => this.kill());
    process.stderr?.on('data', (bytes: Buffer) => {
      this.stderrTail = (this.stderrTail + bytes.toString('utf8')).slice(-STDERR_BYTES_KEPT);
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get isAlive(): boolean {
    return !this.hasEnded;
  }

  /**
   * Starts a child and waits until it has locked its settings.
   *
   * @throws ChildStartError when it ends before
   */
  static async start(folder: ChildFolder, options: LaunchOptions): Promise<EngineChild> {
    const child = new EngineChild(folder, launchChild(options));
    const abort = new AbortController();
    const ready = child.untilReady().then(() => 'ready' as const);
    const late = delay(START_TIMEOUT_MS, 'late' as const, { signal: abort.signal, ref: false }).catch(
      () => 'late' as const,
    );
    const outcome = await Promise.race([ready, child.ended.then(() => 'ended' as const), late]);
    abort.abort();
    if (outcome === 'ready') return child;
    await child.dispose();
    throw new ChildStartError(outcome, child.stderrTail.trim());
  }

  /**
   * Runs a task.
   *
   * @throws DomainError the task's own error, or the one for a deadline, a cancellation, a crash or lack of memory;
   *   then `fault` says why the child must not be used again. UnbegunTaskError when it ended before it had begun
   */
  async execute(task: WireTask, options: ExecuteOptions): Promise<CheckedAnswer> {
    // Nothing was sent yet: an interrupt now would come before its task and be lost, and the child is still good.
    if (options.signal?.aborted) throw faultError(task.kind, 'cancelled');
    const stop = this.armStops(options);
    try {
      return await this.exchange(task, options);
    } catch (error) {
      if (error instanceof UnbegunTaskError) throw error;
      const fault = this.fault;
      throw fault && fault !== 'memory' ? faultError(task.kind, fault) : error;
    } finally {
      stop();
      this.tasksDone += 1;
    }
  }

  /** Nobody has a task for it: its inputs go after a while. */
  rest(inputsKeptMs: number): void {
    // Should they not go, the next task puts that right, or fails for it.
    this.resting = setTimeout(() => void this.dropInputs().catch(() => undefined), inputsKeptMs);
  }

  /** Before anything of a task is brought to it. */
  wake(): void {
    clearTimeout(this.resting);
  }

  /** After files that are read once: a link that stays would keep their bytes on the disk after they were deleted. */
  async dropInputs(): Promise<void> {
    if (!this.hasEnded) await this.folder.setInputs([]);
  }

  /** What a log may have of the end of what the process wrote to stderr. */
  get lastWords(): string {
    return lastWords(this.stderrTail);
  }

  kill(): void {
    if (!this.hasEnded) this.process.kill('SIGKILL');
  }

  /** Ends the process and removes its folder. */
  async dispose(): Promise<void> {
    this.wake();
    this.kill();
    await this.ended;
    await this.folder.remove();
  }

  whenEnded(): Promise<void> {
    return this.ended;
  }

  private async exchange(task: WireTask, { onProgress }: ExecuteOptions): Promise<CheckedAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<CheckedAnswer>();
    const startedAt = performance.now();
    let phases: readonly Phase[] = [];
    this.channel.listen((message, text) => {
      if (message.type === 'progress') return onProgress?.(message.progress);
      this.channel.unlisten();
      if (message.type !== 'ready') phases = message.phases ?? [];
      if (message.type === 'error') {
        if (message.fault === 'memory') this.fault ??= 'memory';
        return reject(DomainError.fromRecord(message.error));
      }
      const answer = message.type === 'answer' ? checkAnswer(task, message.answer, text) : undefined;
      if (message.type === 'ready' || !answer) return this.channel.break('unknown');
      this.dataBytes = message.dataBytes;
      resolve(answer);
    }, answerTextBytesMax(task));
    const lose = (isUnread: boolean): void => {
      // One that was ended for what it said, or at the deadline, has a fault already.
      const isUnbegun = isUnread && this.fault === undefined;
      this.fault ??= ranOutOfMemory(this.stderrTail) ? 'memory' : 'crashed';
      reject(isUnbegun ? new UnbegunTaskError(task.kind) : faultError(task.kind, this.fault));
    };
    this.failTask = () => lose(this.channel.hasLeftMessages);
    if (this.hasEnded) lose(true);
    else this.channel.send({ type: 'task', task });
    try {
      return await promise;
    } finally {
      this.failTask = () => undefined;
      // Here, and not where the message comes: that is in nobody's trace.
      recordProcess({ pid: this.pid, startedAt, phases });
    }
  }

  /** At the deadline, and on cancellation: interrupt, and SIGKILL after the grace. */
  private armStops({ deadlineAt, signal }: ExecuteOptions): () => void {
    const timers: NodeJS.Timeout[] = [];
    const stop = (fault: TaskFault): void => {
      if (this.fault) return;
      this.fault = fault;
      this.channel.send({ type: 'interrupt' });
      timers.push(setTimeout(() => this.kill(), KILL_GRACE_MS));
    };
    const cancel = (): void => stop('cancelled');
    timers.push(setTimeout(() => stop('deadline'), Math.max(0, deadlineAt - performance.now())));
    signal?.addEventListener('abort', cancel, { once: true });
    return () => {
      timers.forEach(clearTimeout);
      signal?.removeEventListener('abort', cancel);
    };
  }

  private untilReady(): Promise<void> {
    return new Promise((resolve) => {
      this.channel.listen((message) => {
        this.channel.unlisten();
        if (message.type !== 'ready') return this.channel.break('unknown');
        this.dataBytes = message.dataBytes;
        resolve();
      }, 0);
    });
  }

  /** Nothing that it says from here on counts. */
  private distrust(breach: ChannelBreach): void {
    this.breach = breach;
    this.fault ??= 'crashed';
    this.kill();
  }
}

/** What Node and the C++ runtime say when they end for lack of memory. */
function ranOutOfMemory(stderr: string): boolean {
  return /out of memory|bad_alloc|allocation failed/i.test(stderr);
}
