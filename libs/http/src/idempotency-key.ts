import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { DomainError, type IdempotencyKey, type Principal } from '@millrace/domain';
import { operationOf } from './operation-of.js';

const KEY = /^[\x20-\x7e]{1,255}$/;

/** Headers that change what an answer is, and so are a part of what was asked for. */
const ASKING_HEADERS = ['prefer', 'accept'] as const;

/**
 * The `Idempotency-Key` of a request; undefined without one.
 *
 * @throws DomainError `request.invalid` when it is none
 */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new DomainError('request.invalid', 'An Idempotency-Key has 1 to 255 printable ASCII characters.');
}

/** Where the key is kept: it means something to this caller, for this operation on this path, and to nobody else. */
export function placeOfKey(key: string, request: FastifyRequest, caller: Principal): IdempotencyKey {
  const path = request.url.split('?', 1)[0];
  return { tenantId: caller.tenantId, keyHash: sha256([caller.userId, operationOf(request), path, key]) };
}

/**
 * What a request asks for, as one hash.
 *
 * @param content SHA-256 of its body, or what else tells one body from another
 */
export function fingerprintOf(request: FastifyRequest, content: string): string {
  const { method, url, headers } = request;
  return sha256([method, url, ...ASKING_HEADERS.map((name) => headers[name] ?? null), content]);
}

function sha256(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
