import { describe, expect, it } from '@jest/globals';
import { AnswerWait, PARTED } from './answer-wait.js';

const never = new Promise<string>(() => undefined);

describe('waiting for an answer', () => {
  it('gives the answer that comes in time', async () => {
    const wait = new AnswerWait(new AbortController().signal, { waitMs: 60_000 });
    wait.allowParting();
    await expect(wait.for(Promise.resolve('rows'))).resolves.toBe('rows');
  });

  it('ends when the time is over, and then a client may go', async () => {
    const client = new AbortController();
    const wait = new AnswerWait(client.signal, { waitMs: 0 });
    wait.allowParting();
    await expect(wait.for(never)).resolves.toBe(PARTED);
    client.abort(new Error('gone'));
    expect(wait.disconnected.aborted).toBe(false);
  });

  it('goes on beyond the time while nothing can be found elsewhere', async () => {
    const wait = new AnswerWait(new AbortController().signal, { waitMs: 0 });
    const answer = Promise.withResolvers<string>();
    setTimeout(() => answer.resolve('a plan'), 20);
    await expect(wait.for(answer.promise)).resolves.toBe('a plan');
  });

  it('tells of a client that went away while it waited', async () => {
    const client = new AbortController();
    const wait = new AnswerWait(client.signal, { waitMs: 60_000 });
    wait.allowParting();
    const gone = new Error('gone');
    client.abort(gone);
    expect(wait.disconnected.reason).toBe(gone);
  });

  it('tells of a client that had gone before', () => {
    const wait = new AnswerWait(AbortSignal.abort(new Error('gone')), { waitMs: 0 });
    expect(wait.disconnected.aborted).toBe(true);
  });
});
