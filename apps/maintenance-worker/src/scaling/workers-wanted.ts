export interface Workload {
  readonly running: number;
  /** Jobs, waiting or running, that may run at the same time by the limits of their tenants. */
  readonly runnable: number;
  /** Time that one worker would need for all that waits, one job after the other. */
  readonly backlogMs: number;
  /** In so much time the backlog is to be worked off. */
  readonly targetMs: number;
  readonly jobsPerWorker: number;
}

/**
 * Workers that should run: what runs keeps its place, and the backlog has so many places beside it that it is gone within
 * the target. More than may run at once, by the limits of the tenants, would only wait.
 */
export function workersWanted({ running, runnable, backlogMs, targetMs, jobsPerWorker }: Workload): number {
  const places = running + Math.ceil(backlogMs / targetMs);
  return Math.ceil(Math.min(places, runnable) / jobsPerWorker);
}
