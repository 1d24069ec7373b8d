/** Something that has to be looked after again and again. */
export interface Sweep {
  /** `<thing>.<verb>`: a label of metrics and logs. */
  readonly name: string;
  readonly intervalMs: number;
  /**
   * Deals with one bounded batch of what is due, safe beside other instances.
   *
   * @returns how many things it dealt with; after some there may be more
   */
  readonly sweepBatch: (signal: AbortSignal) => Promise<number>;
}
