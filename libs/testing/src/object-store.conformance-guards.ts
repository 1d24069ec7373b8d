import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { newId } from '@millrace/domain';
import { keysOf, MiB, newKey, streamOf, type GetContext } from './object-store.conformance-kit.js';

/** What no object store may take: keys that the key maker could not have made. */
export function describeKeys(context: GetContext): void {
  describe('keys that are none', () => {
    const tenant = newId('tenant');
    it.each([
      '',
      '/etc/passwd',
      '../outside',
      `t/${tenant}/uploads/../../../outside`,
      `t/${tenant}/uploads/${'a'.repeat(32)}\0`,
      `t/${tenant}/uploads/${'a'.repeat(32)}/`,
      `t/${tenant}/uploads/${'a'.repeat(32)}.part`,
      `t/${tenant}/uploads/${'A'.repeat(32)}`,
      `t/${tenant}//${'a'.repeat(32)}`,
      `t/nobody/uploads/${'a'.repeat(32)}`,
      'x'.repeat(100_000),
    ])('are refused everywhere: %j', async (key) => {
      const { store, folder } = context();
      const calls = [
        store.put(key, streamOf(Buffer.from('x'), 1)),
        store.putFile(key, join(folder, 'x')),
        store.get(key),
        store.find(key),
        store.delete(key),
      ];
      for (const outcome of await Promise.allSettled(calls)) expect(outcome.status).toBe('rejected');
    });

    it.each(['/', '../', 't/../../', `t/${tenant}/\0`])('are refused as a prefix: %j', async (prefix) => {
      await expect(keysOf(context().store, prefix)).rejects.toThrow();
    });
  });
}

/** Every call ends when its signal says so. */
export function describeAbort(context: GetContext): void {
  describe('a signal', () => {
    const reason = new Error('enough');

    it('stops every call before it begins', async () => {
      const { store, folder } = context();
      const key = newKey();
      await store.put(key, streamOf(Buffer.from('x'), 1));
      const options = { signal: AbortSignal.abort(reason) };
      const path = join(folder, 'aborted');
      await expect(store.put(newKey(), streamOf(Buffer.from('x'), 1), options)).rejects.toBe(reason);
      await expect(store.putFile(newKey(), path, options)).rejects.toBe(reason);
      await expect(store.get(key, options)).rejects.toBe(reason);
      await expect(store.find(key, options)).rejects.toBe(reason);
      await expect(store.delete(key, options)).rejects.toBe(reason);
      await expect(store.ping(options)).rejects.toBe(reason);
      await expect(store.list('t/', options)[Symbol.asyncIterator]().next()).rejects.toBe(reason);
      expect(await store.find(key)).toBeDefined();
    });

    it('ends a put whose body is silent, and leaves nothing', async () => {
      const { store } = context();
      const tenant = newId('tenant');
      const controller = new AbortController();
      const { promise: silence } = Promise.withResolvers<void>();
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('first');
        setTimeout(() => controller.abort(reason), 5);
        await silence;
      }
      await expect(store.put(newKey(tenant), body(), { signal: controller.signal })).rejects.toBe(reason);
      expect(await keysOf(store, `t/${tenant}/`)).toEqual([]);
    });

    it('ends a read', async () => {
      const { store } = context();
      const key = newKey();
      await store.put(key, streamOf(Buffer.alloc(2 * MiB), MiB));
      const controller = new AbortController();
      const bytes = await store.get(key, { signal: controller.signal });
      const reading = (async () => {
        for await (const chunk of bytes) if (chunk.byteLength > 0) controller.abort(reason);
      })();
      await expect(reading).rejects.toBe(reason);
    });
  });
}
