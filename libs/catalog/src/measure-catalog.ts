import { addLevel, type Registry } from '@millrace/telemetry';
import type { Catalog } from './catalog.js';

/** The connections of a service to Postgres. The pool `relaxed` is for commits that do not wait for the disk. */
export function measureCatalog(registry: Registry, catalog: Catalog): void {
  addLevel(registry, {
    name: 'millrace_postgres_connections',
    help: 'Connections to Postgres, by state: in_use or idle.',
    labelNames: ['pool', 'state'],
    read: () =>
      catalog.connectionPools.flatMap(({ pool, inUse, idle }) => [
        [{ pool, state: 'in_use' }, inUse] as const,
        [{ pool, state: 'idle' }, idle] as const,
      ]),
  });
  addLevel(registry, {
    name: 'millrace_postgres_callers_waiting',
    help: 'Callers that wait for a connection to Postgres.',
    labelNames: ['pool'],
    read: () => catalog.connectionPools.map(({ pool, waiting }) => [{ pool }, waiting]),
  });
}
