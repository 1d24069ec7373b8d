import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError, type Principal } from '@millrace/domain';

export const CONTEXT_HEADER = 'x-millrace-context';

/** Long enough for a slow connection between two services, short enough to be worthless when it leaks. */
const CONTEXT_TTL_MS = 30_000;

interface SignedContext {
  readonly principal: Principal;
  /** Unix time in milliseconds. */
  readonly expiresAt: number;
}

/** The principal as a header value that only a holder of the secret can make; valid for 30 seconds. */
export function signContext(principal: Principal, secret: string): string {
  const context: SignedContext = { principal, expiresAt: Date.now() + CONTEXT_TTL_MS };
  const payload = Buffer.from(JSON.stringify(context)).toString('base64url');
  return `${payload}.${signatureOf(payload, secret)}`;
}

/**
 * The principal of a signed context.
 *
 * @throws DomainError `auth.invalid` when it is forged or has expired
 */
export function verifyContext(signed: string, secret: string): Principal {
  const [payload = '', signature = ''] = signed.split('.');
  const given = Buffer.from(signature);
  const expected = Buffer.from(signatureOf(payload, secret));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw invalid();
  // Only we can have signed it: its shape needs no second check.
  const context = JSON.parse(Buffer.from(payload, 'base64url').toString()) as SignedContext;
  if (context.expiresAt < Date.now()) throw invalid();
  return context.principal;
}

function signatureOf(payload: string, secret: string): string {
  return createHmac('sha256', secret).update(payload).digest('base64url');
}

function invalid(): DomainError {
  return new DomainError('auth.invalid', 'The signed context is forged or has expired.');
}
