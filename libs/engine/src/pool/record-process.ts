import { type PastSpan, recordSpan } from '@millrace/telemetry';
import type { Phase } from './phase.js';

export interface ProcessTimes {
  readonly pid: number | undefined;
  /** When the process was given the task, as `performance.now()`. */
  readonly startedAt: number;
  /** What it says that it did; nothing when it was lost. */
  readonly phases: readonly Phase[];
}

/**
 * Puts what an engine process did into the current trace, once it has answered. The process itself has no telemetry: it
 * reaches no network, and what it says of its times is bounded by the time that it had.
 */
export function recordProcess({ pid, startedAt, phases }: ProcessTimes): void {
  const endedAt = performance.now();
  const at = (ms: number): number => Math.min(startedAt + ms, endedAt);
  const parts = phases.map(({ name, startMs, endMs }): PastSpan => ({
    name: `engine.${name}`,
    startedAt: at(startMs),
    endedAt: at(Math.max(startMs, endMs)),
  }));
  recordSpan({ name: 'engine.process', startedAt, endedAt, attributes: { 'process.pid': pid } }, parts);
}
