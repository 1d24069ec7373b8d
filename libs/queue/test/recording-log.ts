import type { QueueLog } from '../src/queue-log.js';

/** A logger that keeps its lines for the test to read. */
export class RecordingLog implements QueueLog {
  readonly lines: { readonly fields: object; readonly message: string }[] = [];

  info(fields: object, message: string): void {
    this.lines.push({ fields, message });
  }

  warn(fields: object, message: string): void {
    this.info(fields, message);
  }

  error(fields: object, message: string): void {
    this.info(fields, message);
  }

  has(message: string): boolean {
    return this.lines.some((line) => line.message === message);
  }
}
