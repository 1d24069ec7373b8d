import { availableParallelism, totalmem } from 'node:os';
import type { MachineShare } from './engine-children-max.js';

/** What this process may use: the limits of its container count where it has some. */
export function machineShare(): MachineShare {
  // Without a limit it is undefined, 0, or (cgroup v1) a number larger than any memory.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return { cores: availableParallelism(), memoryBytes: Math.min(limit, totalmem()) };
}
