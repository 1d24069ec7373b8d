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
