import { describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { ConnectionShares } from './connection-shares.js';

const [a, b, c] = [newId('tenant'), newId('tenant'), newId('tenant')];
const never = new AbortController().signal;

describe('shares of connections', () => {
  const open = () => new ConnectionShares({ callsMax: 3, callsOfTenantMax: 2, waitMaxMs: 30 });
  /** A call that lasts until it is ended. */
  const call = (shares: ConnectionShares, tenantId = a, signal = never) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = shares.run(tenantId, () => promise, { signal });
    done.catch(() => undefined);
    return { done, end: resolve };
  };

  it('leave room for others', async () => {
    const shares = open();
    const [first] = [call(shares), call(shares)];
    await expect(call(shares).done).rejects.toMatchObject({ code: 'query.too_many' });
    await expect(shares.run(b, async () => 'served', { signal: never })).resolves.toBe('served');
    first.end();
    await first.done;
    await expect(shares.run(a, async () => 'served', { signal: never })).resolves.toBe('served');
  });

  it('are waited for in order, but not for ever', async () => {
    const shares = open();
    const held = [call(shares, a), call(shares, a), call(shares, b)];
    const order: string[] = [];
    const waiting = [b, c].map((tenant) => shares.run(tenant, async () => order.push(tenant), { signal: never }));
    held[0]?.end();
    await Promise.all(waiting);
    expect(order).toEqual([b, c]);
    const again = [call(shares, b), call(shares, c)];
    await expect(again[1]?.done).rejects.toMatchObject({ code: 'service.unavailable' });
    for (const each of [...held, ...again]) each.end();
    await Promise.allSettled([...held, ...again].map(({ done }) => done));
    const all = await Promise.all([a, b, c].map((tenant) => shares.run(tenant, async () => tenant, { signal: never })));
    expect(all).toEqual([a, b, c]);
  });

  it('are not waited for by a client that has gone', async () => {
    const shares = open();
    const held = [call(shares, a), call(shares, a), call(shares, b)];
    const gone = new AbortController();
    const waiting = call(shares, c, gone.signal);
    gone.abort(new Error('gone'));
    await expect(waiting.done).rejects.toThrow('gone');
    await expect(call(shares, c, gone.signal).done).rejects.toThrow('gone');
    held[0]?.end();
    await expect(shares.run(c, async () => 'served', { signal: never })).resolves.toBe('served');
  });
});
