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

const all: Lifecycle<string>[] = [
  uploadLifecycle,
  versionLifecycle,
  resultLifecycle,
  queryRunLifecycle,
  jobLifecycle,
  blobLifecycle,
];

describe.each(all.map((lifecycle) => [lifecycle.name, lifecycle] as const))('the lifecycle of a %s', (_, lifecycle) => {
  const states = statesOf(lifecycle);

  it('is total: every state it names is one of its own', () => {
    for (const targets of Object.values(lifecycle.transitions)) {
      for (const target of targets) expect(states).toContain(target);
    }
  });

  it('lets nothing stay in a state without a way out for ever, but for its ends', () => {
    for (const state of states) expect(reaches(lifecycle, state, (end) => isTerminal(lifecycle, end))).toBe(true);
  });

  it('reaches every state from the first', () => {
    for (const state of states) expect(reaches(lifecycle, states[0], (found) => found === state)).toBe(true);
  });
});

describe('transitions', () => {
  it('go only where the table says', () => {
    expect(canTransition(uploadLifecycle, 'processing', 'pending')).toBe(true);
    expect(canTransition(uploadLifecycle, 'consumed', 'pending')).toBe(false);
    expect(sourcesOf(jobLifecycle, 'cancelled')).toEqual(['queued', 'admitted', 'running']);
    expect(sourcesOf(resultLifecycle, 'failed')).toEqual(['processing', 'ready']);
  });
});

function reaches<S extends string>(lifecycle: Lifecycle<S>, start: S, found: (state: S) => boolean): boolean {
  const seen = new Set<S>([start]);
  for (const state of seen) {
    if (found(state)) return true;
    lifecycle.transitions[state].forEach((next) => seen.add(next));
  }
  return false;
}
