import type { JobCatalog, QueueName } from './job-catalog.js';

interface BootCheckInput {
  readonly catalog: JobCatalog;
  readonly queues: readonly QueueName[];
  /** The names that handlers were declared for, one entry per handler. */
  readonly handled: readonly string[];
}

/** What is wrong with the handlers of an app, as sentences; empty when every job it may get has exactly one. */
export function checkHandlers({ catalog, queues, handled }: BootCheckInput): string[] {
  const served = Object.keys(catalog).filter((name) => queues.some((queue) => catalog[name]?.queue === queue));
  const countOf = (name: string): number => handled.filter((each) => each === name).length;
  const missing = served.filter((name) => countOf(name) === 0).map((name) => `job ${name} has no handler`);
  const declared = [...new Set(handled)];
  const doubled = declared
    .filter((name) => countOf(name) > 1)
    .map((name) => `job ${name} has ${countOf(name)} handlers`);
  const unknown = declared
    .filter((name) => !Object.hasOwn(catalog, name))
    .map((name) => `there is a handler for ${name}, which is no job`);
  return [...missing, ...doubled, ...unknown];
}
