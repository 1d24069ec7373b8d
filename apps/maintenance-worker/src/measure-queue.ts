import type { JobRepository, QueueDepth } from '@millrace/catalog';
import { JOBS } from '@millrace/queue';
import { addLevel, type Registry } from '@millrace/telemetry';

/** One query serves all gauges of a scrape, and all who scrape within this. */
const KEPT_MS = 2_000;

/** How much work waits, over all tenants, as the catalog knows it: the queue itself is kept short. */
export function measureQueue(registry: Registry, jobs: Pick<JobRepository, 'depths'>): void {
  const depths = depthsOf(jobs);
  addLevel(registry, {
    name: 'millrace_jobs',
    help: 'Jobs of all tenants by kind and state: waiting, delayed until a next attempt, or running.',
    labelNames: ['kind', 'state'],
    read: async () =>
      (await depths()).flatMap(({ kind, waiting, delayed, running }) => [
        [{ kind, state: 'waiting' }, waiting] as const,
        [{ kind, state: 'delayed' }, delayed] as const,
        [{ kind, state: 'running' }, running] as const,
      ]),
  });
  addLevel(registry, {
    name: 'millrace_jobs_oldest_wait_seconds',
    help: 'How long the job that waits longest has waited, by kind; 0 when none waits.',
    labelNames: ['kind'],
    read: async () => (await depths()).map(({ kind, oldestWaitMs }) => [{ kind }, oldestWaitMs / 1_000]),
  });
}

/** Of the kinds that this version knows, those without jobs included. */
function depthsOf(jobs: Pick<JobRepository, 'depths'>): () => Promise<QueueDepth[]> {
  let known: { readonly at: number; readonly depths: Promise<readonly QueueDepth[]> } | undefined;
  return async () => {
    const now = performance.now();
    if (!known || now - known.at > KEPT_MS) known = { at: now, depths: jobs.depths() };
    const found = await known.depths;
    return Object.keys(JOBS).map((kind) => found.find((depth) => depth.kind === kind) ?? { ...NOTHING, kind });
  };
}

const NOTHING = { waiting: 0, delayed: 0, running: 0, oldestWaitMs: 0 };
