/** What a service may use of the machine, or of its container. */
export interface MachineShare {
  /** Processor cores. */
  readonly cores: number;
  readonly memoryBytes: number;
}

/** A statement often waits, for the disk or for its client: more of them than cores keep the cores busy. */
const CHILDREN_PER_CORE = 2;
/** The rest is for the services, the file cache of the system, and what a child has beyond its budget. */
const MEMORY_SHARE = 0.6;
/** One tenant has all but one: with fewer than two, nobody else would ever find one free. */
const CHILDREN_MIN = 2;
const CHILDREN_MAX = 256;

/**
 * Engine processes for queries at one time: as many as the cores can keep busy and the memory holds, if each uses all of
 * its budget.
 *
 * @param childMemoryBytes the budget of one child
 */
export function engineChildrenMax({ cores, memoryBytes }: MachineShare, childMemoryBytes: number): number {
  const byMemory = Math.floor((memoryBytes * MEMORY_SHARE) / childMemoryBytes);
  return Math.min(Math.max(Math.min(cores * CHILDREN_PER_CORE, byMemory), CHILDREN_MIN), CHILDREN_MAX);
}

/** Of memory, for processes that wait for the next statement of their tenant. */
const KEPT_MEMORY_SHARE = 0.1;
/** What one has that never had a task, and what it may keep of its budget without counting among those at work. */
const KEPT_BYTES_MIN = 40 * 1024 ** 2;
const KEPT_BUDGET_SHARE = 0.125;

/**
 * Engine processes for queries with a tenant at one time, at work or waiting for their tenant: as many as a tenth of memory
 * holds, if each keeps what it may. A statement of a tenant that has none waits for a process to start.
 *
 * @param childMemoryBytes the budget of one child
 */
export function engineChildrenKeptMax({ memoryBytes }: MachineShare, childMemoryBytes: number): number {
  const keptBytes = KEPT_BYTES_MIN + childMemoryBytes * KEPT_BUDGET_SHARE;
  return Math.min(Math.floor((memoryBytes * KEPT_MEMORY_SHARE) / keptBytes), CHILDREN_MAX);
}
