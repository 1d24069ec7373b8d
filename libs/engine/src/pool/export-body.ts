import { Readable } from 'node:stream';
import { DomainError } from '@millrace/domain';
import type { ExportFrame } from './export-frame.js';

export interface ExportBodyOptions {
  /** Where the rows come from; it ends when the child has written all, or has ended itself. */
  readonly source: Readable;
  readonly frame: ExportFrame;
  /** How long the reader may take nothing. */
  readonly idleMaxMs: number;
}

/**
 * The bytes of an export for its reader. It takes from the child what its reader takes from it, and ends only when the
 * pipe has ended *and* the child has said that the table is complete: a pipe that just ends may be that of a child that
 * is gone.
 */
export class ExportBody extends Readable {
  /** Settles with the first bytes, or the end; rejects when the export fails before. */
  readonly started: Promise<void>;
  private readonly start = Promise.withResolvers<void>();
  private readonly source: Readable;
  private hasRows = false;
  private isDrained = false;
  private isComplete = false;
  private idleTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: ExportBodyOptions) {
    super();
    this.started = this.start.promise;
    this.source = options.source;
    this.source.on('data', (bytes: Buffer) => this.onBytes(bytes));
    this.source.once('end', () => {
      this.isDrained = true;
      this.endIfDone();
    });
    this.source.once('error', (cause) => this.destroy(new DomainError('internal', 'A pipe broke.', { cause })));
    // Whoever reads sees it; a reader that is gone ends no service.
    this.on('error', () => undefined);
    this.started.catch(() => undefined);
  }

  /** The child has written all of the table. */
  complete(): void {
    this.isComplete = true;
    this.endIfDone();
  }

  override _read(): void {
    clearTimeout(this.idleTimer);
    this.source.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.idleTimer);
    this.source.destroy();
    this.start.reject(error ?? new DomainError('query.cancelled', 'The download was cancelled.'));
    done(error);
  }

  private onBytes(bytes: Buffer): void {
    if (this.hasRows) return this.pass(bytes);
    this.hasRows = true;
    const { head, dropsFirstByte } = this.options.frame;
    this.pass(Buffer.concat([Buffer.from(head), dropsFirstByte ? bytes.subarray(1) : bytes]));
    this.start.resolve();
  }

  private pass(bytes: Buffer): void {
    if (this.push(bytes)) return;
    this.source.pause();
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => this.destroy(stalled()), this.options.idleMaxMs);
  }

  private endIfDone(): void {
    if (!this.isDrained || !this.isComplete || this.destroyed) return;
    const { head, tail } = this.options.frame;
    this.push(this.hasRows ? tail : head + tail);
    this.push(null);
    this.start.resolve();
  }
}

function stalled(): DomainError {
  return new DomainError(
    'download.stalled',
    'The download was broken off because nothing of it was taken for too long.',
  );
}
