import { addLevel, addTotals, type Registry } from '@millrace/telemetry';
import type { LaneState } from './child-lane.js';
import type { EnginePool } from './engine-pool.js';

/** The engine processes of a service. @param pools by what they are for, as the label `pool` says it */
export function measureEngine(registry: Registry, pools: Readonly<Record<string, EnginePool>>): void {
  const lanes = (): Lane[] => lanesOf(pools);
  addLevel(registry, {
    name: 'millrace_engine_processes',
    help: 'Engine processes with a tenant, by state: busy with a task, or idle and warm for the next.',
    labelNames: ['pool', 'role', 'state'],
    read: () =>
      lanes().flatMap(({ labels, lane }) => [
        [{ ...labels, state: 'busy' }, lane.busy] as const,
        [{ ...labels, state: 'idle' }, lane.idle] as const,
      ]),
  });
  addLevel(registry, {
    name: 'millrace_engine_tasks_waiting',
    help: 'Tasks that wait for an engine process.',
    labelNames: ['pool', 'role'],
    read: () => lanes().map(({ labels, lane }) => [labels, lane.waiting]),
  });
  addTotals(registry, {
    name: 'millrace_engine_process_starts_total',
    help: 'Engine processes started.',
    labelNames: ['pool', 'role'],
    read: () => lanes().map(({ labels, lane }) => [labels, lane.startsTotal]),
  });
  addTotals(registry, {
    name: 'millrace_engine_process_ends_total',
    help: 'Engine processes ended, by reason.',
    labelNames: ['pool', 'role', 'reason'],
    read: () =>
      lanes().flatMap(({ labels, lane }) =>
        [...lane.endsTotal].map(([reason, count]) => [{ ...labels, reason }, count] as const),
      ),
  });
}

interface Lane {
  readonly labels: { readonly pool: string; readonly role: string };
  readonly lane: LaneState;
}

function lanesOf(pools: Readonly<Record<string, EnginePool>>): Lane[] {
  return Object.entries(pools).flatMap(([pool, { state }]) =>
    Object.entries(state).map(([role, lane]) => ({ labels: { pool, role }, lane })),
  );
}
