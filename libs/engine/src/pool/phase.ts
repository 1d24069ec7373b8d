/** What an engine process does with a task, one after the other. */
export const PHASES = [
  'open',
  'parse',
  'prepare',
  'execute',
  'read',
  'unpack',
  'look',
  'write',
  'profile',
  'export',
] as const;
export type PhaseName = (typeof PHASES)[number];

/** Of one task; a conversion may look at its file and write it more than once. */
export const PHASES_MAX = 16;

/** A phase as an engine process tells of it: from the moment when it was given the task. */
export interface Phase {
  readonly name: PhaseName;
  readonly startMs: number;
  readonly endMs: number;
}
