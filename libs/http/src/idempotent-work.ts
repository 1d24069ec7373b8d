import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  DomainError,
  type ClaimOutcome,
  type ClaimTimes,
  type IdempotencyClaim,
  type IdempotencyLedger,
  type KeptAnswer,
} from '@millrace/domain';
import { fingerprintOf } from './idempotency-key.js';

/** A claim is extended three times before it would end. */
const EXTENSIONS_PER_LEASE = 3;

export interface IdempotencySettings extends ClaimTimes {
  readonly ledger: IdempotencyLedger;
}

type Taken = Exclude<ClaimOutcome, { outcome: 'running' }>;

/** The work of a request that carries a key: to be done, begun by somebody who went away, or done. */
export class IdempotentWork {
  private readonly timer: NodeJS.Timeout | undefined;
  private isSettled = false;

  constructor(
    private readonly request: FastifyRequest,
    private readonly taken: Taken,
    private readonly settings: IdempotencySettings,
  ) {
    const { claim } = this;
    if (!claim) return;
    const { ledger, leaseMs, retentionMs } = settings;
    // A database that is away for a moment does no harm: what counts is whether the claim is still ours at the end.
    const extend = (): void => void ledger.extend(claim, { leaseMs, retentionMs }).catch(() => undefined);
    this.timer = setInterval(extend, leaseMs / EXTENSIONS_PER_LEASE).unref();
  }

  /** To be handed to the transaction that does the work; absent when it is done. */
  get claim(): IdempotencyClaim | undefined {
    return this.taken.outcome === 'claimed' ? this.taken.claim : undefined;
  }

  /** What an earlier request made before it went away without an answer. */
  get effectId(): string | undefined {
    return (this.taken.outcome === 'claimed' && this.taken.effectId) || undefined;
  }

  /** The answer to give, once it is sure that the same is asked for. */
  get answer(): KeptAnswer | undefined {
    return this.taken.outcome === 'answered' ? this.taken.answer : undefined;
  }

  /**
   * What is asked for, as a hash.
   *
   * @param content SHA-256 of the body, or what else tells one body from another
   */
  fingerprintOf(content: string): string {
    return fingerprintOf(this.request, content);
  }

  /** @throws DomainError `idempotency.key_reused` when the key came with something else before */
  check(fingerprint: string): void {
    if (this.taken.fingerprint !== null && this.taken.fingerprint !== fingerprint) throw keyReused();
  }

  /** Keeps the answer for who asks again. */
  async keep(answer: KeptAnswer): Promise<void> {
    const { claim, settings } = this;
    if (!claim || this.isSettled) return;
    this.end();
    await settings.ledger.keep(claim, { ...answer, retentionMs: settings.retentionMs });
  }

  /** Lets the next request do the work, or go on with what was made. */
  async release(): Promise<void> {
    const { claim, settings } = this;
    if (!claim || this.isSettled) return;
    this.end();
    await settings.ledger.release(claim);
  }

  private end(): void {
    this.isSettled = true;
    clearInterval(this.timer);
  }
}

/** Gives a kept answer as the answer to another request. */
export function replay(reply: FastifyReply, { status, headers }: KeptAnswer): FastifyReply {
  return reply.status(status).headers(headers).header('idempotency-replayed', 'true');
}

export function keyReused(): DomainError {
  return new DomainError(
    'idempotency.key_reused',
    'The Idempotency-Key came before with another request. Use a new key for what is new.',
  );
}
