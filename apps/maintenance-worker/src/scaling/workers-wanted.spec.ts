import { describe, expect, it } from '@jest/globals';
import { workersWanted } from './workers-wanted.js';

const load = { running: 0, runnable: 0, backlogMs: 0, targetMs: 60_000, jobsPerWorker: 2 };

describe('workersWanted', () => {
  it.each([
    ['nothing to do needs none', {}, 0],
    ['one job that runs keeps its worker', { running: 1, runnable: 1 }, 1],
    ['a short job that waits needs one, too', { runnable: 1, backlogMs: 10 }, 1],
    ['a backlog of four targets needs four places', { runnable: 100, backlogMs: 240_000 }, 2],
    ['places beside those that run', { running: 4, runnable: 100, backlogMs: 240_000 }, 4],
    ['no more than the limits of tenants let run', { running: 2, runnable: 4, backlogMs: 3_600_000 }, 2],
  ])('%s', (_, given, wanted) => {
    expect(workersWanted({ ...load, ...given })).toBe(wanted);
  });
});
