import type { ErrorRecord } from '@millrace/domain';
import type { WireTask } from '../tasks/task.js';
import type { Phase } from './phase.js';

/** The file descriptor of a child on which it and its supervisor talk: frames, in both directions. */
export const CHANNEL_FD = 3;

/** What the supervisor tells a child. */
export type ToChild = { readonly type: 'task'; readonly task: WireTask } | { readonly type: 'interrupt' };

/** What a child tells the supervisor. It has met foreign bytes: its answers are data, never instructions. */
export type FromChild =
  | { readonly type: 'ready'; readonly dataBytes: number }
  | { readonly type: 'progress'; readonly progress: number }
  /** Without the answer's long text (`rowsJson`), which lies beside the message. */
  | {
      readonly type: 'answer';
      readonly answer: unknown;
      readonly dataBytes: number;
      readonly phases?: readonly Phase[] | undefined;
    }
  | {
      readonly type: 'error';
      readonly error: ErrorRecord;
      readonly fault?: ChildFault | undefined;
      readonly phases?: readonly Phase[] | undefined;
    };

/** Why a child can't go on after an error. */
export const CHILD_FAULTS = ['memory', 'interrupted'] as const;
export type ChildFault = (typeof CHILD_FAULTS)[number];

/** UTF-16 units of each text of an error, and how many places it may name; a child cuts what is longer. */
export const ERROR_TEXT_LENGTH_MAX = 4_000;
export const ERROR_PLACES_MAX = 100;

/** What a child is told at its start, as JSON in its first argument. */
export interface ChildConfig {
  /** `parse`: no inputs at all. */
  readonly role: 'parse' | 'table';
  readonly inputsDir: string;
  readonly scratchDir: string;
  /** Where the pipes of exports lie; the child can write into them, and not change what is there. */
  readonly pipesDir: string;
  readonly memoryLimitBytes: number;
  readonly threads: number;
  readonly spillBytesMax: number;
  readonly isolation: 'tenant' | 'statement';
}
