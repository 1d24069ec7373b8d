import { DomainError } from '@millrace/domain';

/** How slow a reader may be. */
export interface ReaderPaceLimits {
  /** How long it may take nothing. */
  readonly idleMaxMs: number;
  /** A reader that is slower than this uses that time up, too. */
  readonly bytesPerSecondMin: number;
}

/**
 * Tells when a reader is too slow for what it holds while it reads. Its time runs while bytes wait for it; each byte that
 * it gets gives it back as much as it may need for one, up to what it had at first. So it may pause, and read at any pace
 * above the lowest; a trickle ends like no reader at all.
 */
export class ReaderPace {
  private leftMs: number;
  private waitsSince: number | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param onStalled called once, with `download.stalled` */
  constructor(
    private readonly limits: ReaderPaceLimits,
    private readonly onStalled: (error: DomainError) => void,
  ) {
    this.leftMs = limits.idleMaxMs;
  }

  /** The reader gets so many bytes. */
  give(bytes: number): void {
    const { idleMaxMs, bytesPerSecondMin } = this.limits;
    this.leftMs = Math.min(idleMaxMs, this.leftMs + (bytes / bytesPerSecondMin) * 1_000);
  }

  /** What it got has to be taken before it gets more. */
  wait(): void {
    if (this.waitsSince !== undefined) return;
    this.waitsSince = performance.now();
    this.timer = setTimeout(() => this.onStalled(stalled()), this.leftMs);
  }

  /** It wants more, or there is no more to come. */
  stopWaiting(): void {
    if (this.waitsSince === undefined) return;
    clearTimeout(this.timer);
    this.leftMs = Math.max(0, this.leftMs - (performance.now() - this.waitsSince));
    this.waitsSince = undefined;
  }
}

function stalled(): DomainError {
  return new DomainError('download.stalled', 'The download was broken off because it was taken too slowly.');
}
