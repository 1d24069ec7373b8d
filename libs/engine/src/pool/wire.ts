import type { ErrorRecord } from '@millrace/domain';
import type { TaskAnswer, WireTask } from '../tasks/task.js';

/** What the supervisor tells a child. */
export type ToChild = { readonly type: 'task'; readonly task: WireTask } | { readonly type: 'interrupt' };

/** What a child tells the supervisor. It has met foreign bytes: its answers are data, never instructions. */
export type FromChild =
  | { readonly type: 'ready'; readonly dataBytes: number }
  | { readonly type: 'progress'; readonly progress: number }
  | { readonly type: 'answer'; readonly answer: TaskAnswer; readonly dataBytes: number }
  | { readonly type: 'error'; readonly error: ErrorRecord; readonly fault: ChildFault | undefined };

/** Why a child can't go on after an error. */
export type ChildFault = 'memory' | 'interrupted';

/** What a child is told at its start, as JSON in its first argument. */
export interface ChildConfig {
  /** `parse`: no inputs at all. */
  readonly role: 'parse' | 'table';
  readonly inputsDir: string;
  readonly scratchDir: string;
  readonly memoryLimitBytes: number;
  readonly threads: number;
  readonly spillBytesMax: number;
  readonly isolation: 'tenant' | 'statement';
}
