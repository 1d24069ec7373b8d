import { type Phase, type PhaseName, PHASES_MAX } from '../pool/phase.js';

/** Notes what a task is doing, for its trace. */
export class PhaseClock {
  private readonly startedAt = performance.now();
  private readonly past: Phase[] = [];
  private current: { readonly name: PhaseName; readonly startMs: number } | undefined;

  /** From here on the task does this, and nothing that it did before. */
  enter(name: PhaseName): void {
    const now = performance.now() - this.startedAt;
    if (this.current && this.past.length < PHASES_MAX) this.past.push({ ...this.current, endMs: now });
    this.current = { name, startMs: now };
  }

  /** The task is over. @returns its phases in their order, the first `PHASES_MAX` of them */
  stop(): readonly Phase[] {
    if (this.current) this.enter(this.current.name);
    this.current = undefined;
    return this.past;
  }
}
