import type { ExportRequest } from '../tasks/export.task.js';
import type { WireTask } from '../tasks/task.js';
import type { EngineChild } from './engine-child.js';
import { ExportBody } from './export-body.js';
import { exportFrame } from './export-frame.js';
import { ExportPipe } from './export-pipe.js';
import { faultError } from './fault-error.js';
import type { ReaderPaceLimits } from './reader-pace.js';
import { stageTask } from './stage.js';

export interface StartExportOptions {
  /** As `performance.now()`: when the export is broken off, whoever is slow, the child or the reader. */
  readonly deadlineAt: number;
  readonly pace: ReaderPaceLimits;
  readonly signal?: AbortSignal | undefined;
}

export interface RunningExport {
  readonly body: ExportBody;
  /** Settles when the child has nothing more to do with it; rejects with what went wrong there. */
  readonly ended: Promise<void>;
}

/**
 * Lets a child write a table into a pipe. The child is busy until its last bytes are in the pipe, or the body is
 * destroyed: for lack of a reader it is interrupted like any task, and the end of the pipe wakes it if it waits there.
 *
 * @throws DomainError when the files or the pipe can't be made ready
 */
export async function startExport(
  child: EngineChild,
  request: ExportRequest,
  options: StartExportOptions,
): Promise<RunningExport> {
  const staged = await stageTask({ ...request, kind: 'export' }, child.folder);
  const pipe = await ExportPipe.create(child.folder.pipesDir);
  const frame = exportFrame(request.format, request.columns);
  const body = new ExportBody({ source: pipe.source, frame, pace: options.pace });
  const signal = breakOff(body, options);
  return { body, ended: execute({ ...staged, outputPath: pipe.path }, { ...options, child, body, pipe, signal }) };
}

/** Destroys the body when its time is over or nobody wants it. The signal says that it is destroyed. */
function breakOff(body: ExportBody, { deadlineAt, signal }: StartExportOptions): AbortSignal {
  const gone = new AbortController();
  const cancel = (): void => void body.destroy(faultError('export', 'cancelled'));
  const timeout = (): void => void body.destroy(faultError('export', 'deadline'));
  const timer = setTimeout(timeout, Math.max(0, deadlineAt - performance.now()));
  signal?.addEventListener('abort', cancel, { once: true });
  body.once('close', () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
    gone.abort();
  });
  if (signal?.aborted) cancel();
  return gone.signal;
}

interface Execution {
  readonly child: EngineChild;
  readonly body: ExportBody;
  readonly pipe: ExportPipe;
  readonly deadlineAt: number;
  readonly signal: AbortSignal;
}

async function execute(task: WireTask, { child, body, pipe, deadlineAt, signal }: Execution): Promise<void> {
  try {
    await child.execute(task, { deadlineAt, signal });
    body.complete();
  } catch (error) {
    body.destroy(error as Error);
    throw error;
  } finally {
    await pipe.remove();
    await child.dropInputs();
  }
}
