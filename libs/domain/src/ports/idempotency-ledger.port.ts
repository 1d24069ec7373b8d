import type { TenantId } from '../ids.js';

/** What makes two requests the same one: whose they are, what they ask for, and the key that the client gave. */
export interface IdempotencyKey {
  readonly tenantId: TenantId;
  /** SHA-256 of all that, 64 hexadecimal digits in lower case. */
  readonly keyHash: string;
}

/** The right to do the work of a key, for as long as nobody else has taken it. */
export interface IdempotencyClaim extends IdempotencyKey {
  /** Another one for each time that the key is taken. */
  readonly claimId: string;
}

/** What work has brought about: it is written in the transaction that brings it about. */
export interface ClaimEffect {
  /** The thing that was made. */
  readonly effectId: string;
  /** What was asked for, where that was not known when the key was taken: of bytes that stream. */
  readonly fingerprint?: string | undefined;
}

/** An answer, to be given again. */
export interface KeptAnswer {
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type ClaimOutcome =
  | {
      /** The work is the caller's to do; with an effect, somebody began it and went away before the answer. */
      readonly outcome: 'claimed';
      readonly claim: IdempotencyClaim;
      readonly fingerprint: string | null;
      readonly effectId: string | null;
    }
  | { readonly outcome: 'running'; readonly fingerprint: string | null }
  | { readonly outcome: 'answered'; readonly fingerprint: string | null; readonly answer: KeptAnswer };

/** How long a claim is good without a word, and how long its key is remembered. */
export interface ClaimTimes {
  readonly leaseMs: number;
  readonly retentionMs: number;
}

/**
 * The memory of requests that carry a key, so that one that is sent twice is done once: over restarts, and between
 * processes.
 *
 * Errors of every call: `service.unavailable`.
 */
export interface IdempotencyLedger {
  /**
   * Takes a key that nobody has, or whose holder was silent for its lease.
   *
   * @param request.fingerprint SHA-256 of what is asked for, if that is known already; a key that was used for something
   *   else is not taken
   */
  claim(
    key: IdempotencyKey,
    request: ClaimTimes & { readonly fingerprint?: string | undefined },
  ): Promise<ClaimOutcome>;
  /** Lets a claim live for another lease, if it still is one. */
  extend(claim: IdempotencyClaim, times: ClaimTimes): Promise<void>;
  /** Notes the answer, if the claim still is one. */
  keep(claim: IdempotencyClaim, answer: KeptAnswer & { readonly retentionMs: number }): Promise<void>;
  /** Gives the claim up: the key can be taken at once. What the work has brought about stays with the key. */
  release(claim: IdempotencyClaim): Promise<void>;
}
