import type { DuckDBConnection } from '@duckdb/node-api';
import type { PhaseName } from '../pool/phase.js';
import type { ChildConfig } from '../pool/wire.js';
import type { TaskAnswer, TaskKind, WireTask } from '../tasks/task.js';
import { analyzeFile } from './convert/analyze-file.js';
import { convertFile } from './convert/convert-file.js';
import type { EngineInstance } from './engine-instance.js';
import { exportTable } from './export/export-table.js';
import { parseStatement } from './parse-statement.js';
import { readPage } from './read-page.js';
import { runDescription } from './run-description.js';
import { runInspection } from './run-inspection.js';
import { runQuery } from './run-query.js';
import type { TaskContext } from './task-context.js';
import { toTaskError } from './task-error.js';
import type { TaskOutcome } from './task-outcome.js';

const INTERRUPT_EVERY_MS = 50;

/** What a task begins with once it has a connection. */
const FIRST_PHASES: Readonly<Record<TaskKind, PhaseName>> = {
  parse: 'parse',
  query: 'prepare',
  describe: 'prepare',
  inspect: 'execute',
  read: 'read',
  analyze: 'look',
  convert: 'look',
  export: 'export',
};

/** Runs the supervisor's tasks, one at a time. */
export class TaskRunner {
  private abort = new AbortController();

  constructor(
    private readonly instance: EngineInstance,
    private readonly config: ChildConfig,
  ) {}

  /** Ends the running task as soon as DuckDB lets go of it. */
  interrupt(): void {
    this.abort.abort();
  }

  /** Never throws: an error is an outcome. */
  async run(task: WireTask, { onProgress, phases }: Pick<TaskContext, 'onProgress' | 'phases'>): Promise<TaskOutcome> {
    phases.enter('open');
    this.abort = new AbortController();
    const { signal } = this.abort;
    try {
      const answer = await this.use(task, async (connection) => {
        // Again and again: an interrupt between two statements of a task would be lost.
        const interrupter = setInterval(() => signal.aborted && connection.interrupt(), INTERRUPT_EVERY_MS);
        try {
          const { outputPath } = task;
          return await runTask(task, {
            connection,
            outputPath,
            scratchDir: this.config.scratchDir,
            signal,
            onProgress,
            phases,
          });
        } finally {
          clearInterval(interrupter);
        }
      });
      return { answer };
    } catch (error) {
      return toTaskError(error, task.kind, [this.config.inputsDir, this.config.scratchDir]);
    }
  }

  private use<T>(task: WireTask, work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const files = filesOf(task);
    return task.kind === 'export' ? this.instance.useAlone(files, work) : this.instance.use(files, work);
  }
}

function runTask(task: WireTask, context: TaskContext): Promise<TaskAnswer> {
  context.phases.enter(FIRST_PHASES[task.kind]);
  switch (task.kind) {
    case 'parse':
      return parseStatement(task, context);
    case 'query':
      return runQuery(task, context);
    case 'describe':
      return runDescription(task, context);
    case 'inspect':
      return runInspection(task, context);
    case 'read':
      return readPage(task, context);
    case 'analyze':
      return analyzeFile(task, context);
    case 'convert':
      return convertFile(task, context);
    case 'export':
      return exportTable(task, context);
  }
}

function filesOf(task: WireTask): readonly string[] {
  switch (task.kind) {
    case 'parse':
      return [];
    case 'query':
    case 'describe':
    case 'inspect':
      return task.inputs.flatMap(({ files }) => files);
    case 'read':
    case 'export':
      return task.files;
    case 'analyze':
    case 'convert':
      return [task.file];
  }
}
