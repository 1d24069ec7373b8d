import type { DuckDBConnection } from '@duckdb/node-api';
import type { PhaseClock } from './phase-clock.js';

/** What a task works with. */
export interface TaskContext {
  readonly connection: DuckDBConnection;
  /** Where the task's file goes; the folder is this child's own. */
  readonly outputPath: string;
  /** For files of a moment. */
  readonly scratchDir: string;
  /** Aborted when the task is to end early. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: number) => void;
  /** Told what the task is doing. */
  readonly phases: PhaseClock;
}
