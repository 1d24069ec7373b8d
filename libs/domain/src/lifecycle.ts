/**
 * The state machine of one kind of thing: for every state, the states it may move to.
 * The table is total: a state without a way out is terminal and says so with an empty list.
 * A stay (`running → running`) is no transition.
 */
export interface Lifecycle<S extends string> {
  readonly name: string;
  readonly transitions: { readonly [from in S]: readonly S[] };
}

/** `uploading`: the client sends the bytes straight to the store, or in pieces. Others begin as `pending`. */
export const uploadLifecycle = {
  name: 'upload',
  transitions: {
    uploading: ['pending', 'expired'],
    pending: ['processing', 'expired'],
    processing: ['consumed', 'pending'],
    consumed: [],
    expired: [],
  },
} as const satisfies Lifecycle<'uploading' | 'pending' | 'processing' | 'consumed' | 'expired'>;

export const versionLifecycle = {
  name: 'dataset version',
  transitions: {
    processing: ['ready', 'failed'],
    ready: [],
    failed: [],
  },
} as const satisfies Lifecycle<'processing' | 'ready' | 'failed'>;

export const resultLifecycle = {
  name: 'result',
  transitions: {
    processing: ['ready', 'failed'],
    ready: ['failed', 'expired'],
    failed: [],
    expired: [],
  },
} as const satisfies Lifecycle<'processing' | 'ready' | 'failed' | 'expired'>;

/** `running → queued`: one in the background, whose service was lost, or a transient fault. */
export const queryRunLifecycle = {
  name: 'query run',
  transitions: {
    queued: ['running', 'failed', 'cancelled'],
    running: ['succeeded', 'failed', 'cancelled', 'queued'],
    succeeded: [],
    failed: [],
    cancelled: [],
  },
} as const satisfies Lifecycle<'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'>;

/**
 * `admitted → queued`: the queue lost the job. `running → queued`: its worker was lost, or a transient fault.
 */
export const jobLifecycle = {
  name: 'job',
  transitions: {
    queued: ['admitted', 'cancelled'],
    admitted: ['running', 'queued', 'cancelled'],
    running: ['succeeded', 'failed', 'cancelled', 'queued'],
    succeeded: [],
    failed: [],
    cancelled: [],
  },
} as const satisfies Lifecycle<'queued' | 'admitted' | 'running' | 'succeeded' | 'failed' | 'cancelled'>;

/**
 * The bytes under one key of the object store. A blob's row is written before its first byte and removed after its
 * last, so that no byte can exist which nothing refers to. `unreferenced → live`: revived within the grace period.
 */
export const blobLifecycle = {
  name: 'blob',
  transitions: {
    writing: ['live', 'deleting'],
    live: ['unreferenced'],
    unreferenced: ['live', 'deleting'],
    deleting: [],
  },
} as const satisfies Lifecycle<'writing' | 'live' | 'unreferenced' | 'deleting'>;

export type UploadStatus = keyof typeof uploadLifecycle.transitions;
export type VersionStatus = keyof typeof versionLifecycle.transitions;
export type ResultStatus = keyof typeof resultLifecycle.transitions;
export type QueryRunStatus = keyof typeof queryRunLifecycle.transitions;
export type JobStatus = keyof typeof jobLifecycle.transitions;
export type BlobStatus = keyof typeof blobLifecycle.transitions;

/** The states of a lifecycle: the keys of its table. */
export type StateOf<L extends Lifecycle<string>> = keyof L['transitions'] & string;

/** The states of a lifecycle, in the order of its table. */
export function statesOf<L extends Lifecycle<string>>(lifecycle: L): readonly [StateOf<L>, ...StateOf<L>[]] {
  return Object.keys(lifecycle.transitions) as unknown as readonly [StateOf<L>, ...StateOf<L>[]];
}

/** Whether the table allows `from → to`. */
export function canTransition<S extends string>(lifecycle: Lifecycle<S>, from: S, to: S): boolean {
  return lifecycle.transitions[from].includes(to);
}

/** The states from which `to` may be reached in one step: what an `UPDATE … WHERE status IN (…)` names. */
export function sourcesOf<S extends string>(lifecycle: Lifecycle<S>, to: S): S[] {
  return (Object.keys(lifecycle.transitions) as S[]).filter((from) => canTransition(lifecycle, from, to));
}

/** Whether nothing leads out of a state. */
export function isTerminal<S extends string>(lifecycle: Lifecycle<S>, state: S): boolean {
  return lifecycle.transitions[state].length === 0;
}
