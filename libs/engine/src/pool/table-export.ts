import type { Readable } from 'node:stream';

/** A table on its way out. */
export interface TableExport {
  /**
   * The bytes. It ends only when all of the table has come; it is destroyed with the DomainError of a task that fails on
   * the way. Destroying it cancels the task.
   */
  readonly body: Readable;
}
