/**
 * How much is done to find the types of a file, from the least: `guarded` takes those of a sample and proves in the COPY
 * itself that they change nothing, `sampled` proves it in a pass of its own, `whole` takes them from the whole file.
 */
export const EFFORTS = ['guarded', 'sampled', 'whole'] as const;
export type Effort = (typeof EFFORTS)[number];

/** An effort was too little for a file: another one that is more may do. */
export class EffortFailedError extends Error {
  constructor(readonly next: Effort) {
    super(`The file needs the effort "${next}".`);
  }
}
