import { describe, expect, it } from '@jest/globals';
import {
  blobLifecycle,
  canTransition,
  isTerminal,
  jobLifecycle,
  queryRunLifecycle,
  resultLifecycle,
  sourcesOf,
  statesOf,
  uploadLifecycle,
  versionLifecycle,
  type Lifecycle,
} from './lifecycle.js';

/** Every move there is, written out: a change of a table has to be made twice, and on purpose. */
const MOVES: readonly (readonly [Lifecycle<string>, readonly string[]])[] = [
  [
    uploadLifecycle,
    [
      'uploading → pending',
      'uploading → expired',
      'pending → processing',
      'pending → expired',
      'processing → consumed',
      'processing → pending',
    ],
  ],
  [versionLifecycle, ['processing → ready', 'processing → failed']],
  [resultLifecycle, ['processing → ready', 'processing → failed', 'ready → failed', 'ready → expired']],
  [
    queryRunLifecycle,
    [
      'queued → running',
      'queued → failed',
      'queued → cancelled',
      'running → succeeded',
      'running → failed',
      'running → cancelled',
      'running → queued',
    ],
  ],
  [
    jobLifecycle,
    [
      'queued → admitted',
      'queued → cancelled',
      'admitted → running',
      'admitted → queued',
      'admitted → cancelled',
      'running → succeeded',
      'running → failed',
      'running → cancelled',
      'running → queued',
    ],
  ],
  [
    blobLifecycle,
    ['writing → live', 'writing → deleting', 'live → unreferenced', 'unreferenced → live', 'unreferenced → deleting'],
  ],
];

describe.each(MOVES.map(([lifecycle, moves]) => [lifecycle.name, lifecycle, moves] as const))(
  'the lifecycle of a %s',
  (_, lifecycle, moves) => {
    const states = [...new Set(moves.flatMap((move) => move.split(' → ')))];
    const pairs = states.flatMap((from) => states.map((to) => [from, to] as const));
    const isMove = (from: string, to: string): boolean => moves.includes(`${from} → ${to}`);

    it('has its states and no others', () => {
      expect(statesOf(lifecycle).toSorted()).toEqual(states.toSorted());
      expect(Object.values(lifecycle.transitions).flat()).toHaveLength(moves.length);
    });

    it.each(pairs)('from %s to %s goes only where it may', (from, to) => {
      expect(canTransition(lifecycle, from, to)).toBe(isMove(from, to));
      expect(sourcesOf(lifecycle, to).includes(from)).toBe(isMove(from, to));
    });

    it('ends where nothing leads out', () => {
      const ends = states.filter((state) => !moves.some((move) => move.startsWith(`${state} → `)));
      expect(states.filter((state) => isTerminal(lifecycle, state))).toEqual(ends);
    });

    it('lets nothing stay in a state without a way out for ever, but for its ends', () => {
      for (const state of states) expect(reaches(lifecycle, state, (end) => isTerminal(lifecycle, end))).toBe(true);
    });

    it('reaches every state from the first', () => {
      for (const state of states)
        expect(reaches(lifecycle, statesOf(lifecycle)[0], (found) => found === state)).toBe(true);
    });
  },
);

function reaches<S extends string>(lifecycle: Lifecycle<S>, start: S, found: (state: S) => boolean): boolean {
  const seen = new Set<S>([start]);
  for (const state of seen) {
    if (found(state)) return true;
    lifecycle.transitions[state].forEach((next) => seen.add(next));
  }
  return false;
}
