import { Readable } from 'node:stream';
import { DomainError } from '@millrace/domain';
import type { ExportFrame } from './export-frame.js';
import { ReaderPace, type ReaderPaceLimits } from './reader-pace.js';

export interface ExportBodyOptions {
  /** Where the rows come from; it ends when the child has written all, or has ended itself. */
  readonly source: Readable;
  readonly frame: ExportFrame;
  readonly pace: ReaderPaceLimits;
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
  private readonly pace: ReaderPace;
  private hasRows = false;
  private isDrained = false;
  private isComplete = false;

  constructor(private readonly options: ExportBodyOptions) {
    super();
    this.started = this.start.promise;
    this.source = options.source;
    this.pace = new ReaderPace(options.pace, (error) => this.destroy(error));
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
    this.pace.stopWaiting();
    this.source.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.pace.stopWaiting();
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
    this.pace.give(bytes.length);
    if (this.push(bytes)) return;
    this.source.pause();
    this.pace.wait();
  }

  private endIfDone(): void {
    if (!this.isDrained || !this.isComplete || this.destroyed) return;
    const { head, tail } = this.options.frame;
    this.push(this.hasRows ? tail : head + tail);
    this.push(null);
    // What is left in here holds no child any more, and yet a place among the downloads.
    this.pace.wait();
    this.start.resolve();
  }
}
