import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Catalog } from '@millrace/catalog';
import { newId, type ClaimOutcome, type IdempotencyClaim, type IdempotencyKey } from '@millrace/domain';
import { createTenant, openCatalog, type TestCatalog } from '@millrace/testing';
import { bindEffect } from './bind-effect.js';

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');

const [ONE, OTHER] = [hashOf('one request'), hashOf('another request')];
const times = { leaseMs: 60_000, retentionMs: 60_000 };
const answer = { status: 201, headers: { location: '/v1/datasets/1' }, body: Buffer.from('{"id":1}') };

describe('idempotency keys', () => {
  let opened: TestCatalog;
  let catalog: Catalog;
  let key: IdempotencyKey;

  beforeAll(async () => {
    opened = await openCatalog();
    catalog = opened.catalog;
  });
  beforeEach(async () => {
    const { tenantId } = await createTenant(catalog);
    key = { tenantId, keyHash: hashOf(randomUUID()) };
  });
  afterAll(() => opened.stop());

  const claim = (request: { fingerprint?: string; leaseMs?: number; retentionMs?: number } = {}) =>
    catalog.idempotencyKeys.claim(key, { fingerprint: ONE, ...times, ...request });
  const claimed = async (request?: Parameters<typeof claim>[0]): Promise<IdempotencyClaim> => {
    const found = await claim(request);
    if (found.outcome !== 'claimed') throw new Error(`the key is ${found.outcome}`);
    return found.claim;
  };
  const keep = (held: IdempotencyClaim, retentionMs = times.retentionMs) =>
    catalog.idempotencyKeys.keep(held, { ...answer, retentionMs });
  const bind = (held: IdempotencyClaim, effectId: string, fingerprint?: string) =>
    catalog.transaction((transaction) => bindEffect(transaction, held, { effectId, fingerprint }));
  /** As if its holder had been silent for the whole lease. */
  const endLease = () =>
    catalog.transaction((transaction) =>
      transaction.query('UPDATE idempotency_keys SET lease_until = now() WHERE key_hash = $1', [key.keyHash]),
    );

  it('are had by one of many who come at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => claim()));
    const count = (outcome: ClaimOutcome['outcome']) => outcomes.filter((each) => each.outcome === outcome).length;
    expect([count('claimed'), count('running')]).toEqual([1, 19]);
  });

  it('are of one tenant', async () => {
    await claimed();
    const { tenantId } = await createTenant(catalog);
    const request = { fingerprint: ONE, ...times };
    await expect(catalog.idempotencyKeys.claim({ ...key, tenantId }, request)).resolves.toMatchObject({
      outcome: 'claimed',
    });
  });

  it('give the answer again, byte by byte, also to who asks for something else', async () => {
    const held = await claimed();
    await keep(held);
    for (const fingerprint of [ONE, OTHER]) {
      await expect(claim({ fingerprint })).resolves.toEqual({ outcome: 'answered', fingerprint: ONE, answer });
    }
  });

  it('are remembered from the answer on, and no longer', async () => {
    const held = await claimed({ retentionMs: 0, leaseMs: 0 });
    await keep(held);
    await expect(claim()).resolves.toMatchObject({ outcome: 'answered' });
    await catalog.transaction((transaction) =>
      transaction.query('UPDATE idempotency_keys SET expires_at = now() WHERE key_hash = $1', [key.keyHash]),
    );
    const fresh = { outcome: 'claimed', fingerprint: OTHER, effectId: null };
    await expect(claim({ fingerprint: OTHER })).resolves.toMatchObject(fresh);
  });

  it('can be taken when their holder was silent for its lease, by who asks for the same', async () => {
    const first = await claimed({ leaseMs: 0 });
    await expect(claim({ fingerprint: OTHER })).resolves.toEqual({ outcome: 'running', fingerprint: ONE });
    const second = await claimed();
    expect(second.claimId).not.toBe(first.claimId);
    await keep(first);
    await expect(claim()).resolves.toMatchObject({ outcome: 'running' });
  });

  it('are held by who says that it lives', async () => {
    const held = await claimed({ leaseMs: 0 });
    await catalog.idempotencyKeys.extend(held, times);
    await expect(claim()).resolves.toMatchObject({ outcome: 'running' });
  });

  it('are nobody’s once they are given up', async () => {
    const held = await claimed();
    await catalog.idempotencyKeys.release(held);
    await expect(claim({ fingerprint: OTHER })).resolves.toMatchObject({ outcome: 'claimed', effectId: null });
    await catalog.idempotencyKeys.release(held);
    await expect(claim({ fingerprint: OTHER })).resolves.toMatchObject({ outcome: 'running' });
  });

  it('tell the next who takes them what was made, and let it go on from there', async () => {
    const made = newId('dataset');
    const held = await claimed();
    await bind(held, made);
    await catalog.idempotencyKeys.release(held);
    await expect(claim({ fingerprint: OTHER })).resolves.toEqual({ outcome: 'running', fingerprint: ONE });
    await expect(claim()).resolves.toMatchObject({ outcome: 'claimed', effectId: made });
  });

  it('let nobody make something who has lost them', async () => {
    const first = await claimed();
    await endLease();
    const second = await claimed();
    await expect(bind(first, newId('dataset'))).rejects.toMatchObject({ code: 'idempotency.in_progress' });
    await bind(second, newId('dataset'));
    await keep(second);
    await expect(bind(second, newId('dataset'))).rejects.toMatchObject({ code: 'idempotency.in_progress' });
  });

  it('learn what was asked for when its bytes have come', async () => {
    const found = await catalog.idempotencyKeys.claim(key, times);
    if (found.outcome !== 'claimed') throw new Error('it is new');
    expect(found.fingerprint).toBeNull();
    await bind(found.claim, newId('upload'), ONE);
    await endLease();
    await expect(catalog.idempotencyKeys.claim(key, times)).resolves.toMatchObject({ fingerprint: ONE });
  });
});
