import { createHmac, timingSafeEqual } from 'node:crypto';
import { DomainError, type Id, type IdKind, isId, type Principal, ROLES, SCOPES } from '@millrace/domain';
import { z } from 'zod';

export const CONTEXT_HEADER = 'x-millrace-context';

/** Long enough for a slow connection between two services, short enough to be worthless when it leaks. */
const CONTEXT_TTL_MS = 30_000;

const id = <K extends IdKind>(kind: K): z.ZodType<Id<K>> =>
  z.custom<Id<K>>((value) => typeof value === 'string' && isId(kind, value));

const principalSchema: z.ZodType<Principal> = z.object({
  tenantId: id('tenant'),
  userId: id('user'),
  apiKeyId: id('apiKey'),
  role: z.enum(ROLES),
  scopes: z.array(z.enum(SCOPES)),
});

/** `expiresAt`: Unix time in milliseconds. */
const contextSchema = z.object({ principal: principalSchema, expiresAt: z.number() });

type SignedContext = z.infer<typeof contextSchema>;

/** The principal as a header value that only a holder of the secret can make; valid for 30 seconds. */
export function signContext(principal: Principal, secret: string): string {
  const context: SignedContext = { principal, expiresAt: Date.now() + CONTEXT_TTL_MS };
  const payload = Buffer.from(JSON.stringify(context)).toString('base64url');
  return `${payload}.${signatureOf(payload, secret)}`;
}

/**
 * The principal of a signed context.
 *
 * @throws DomainError `auth.invalid` when it is forged, has expired, or was written by another version that has other
 *   roles or scopes
 */
export function verifyContext(signed: string, secret: string): Principal {
  const [payload = '', signature = ''] = signed.split('.');
  const given = Buffer.from(signature);
  const expected = Buffer.from(signatureOf(payload, secret));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw invalid();
  const context = contextSchema.safeParse(parseJson(Buffer.from(payload, 'base64url').toString()));
  if (!context.success || context.data.expiresAt < Date.now()) throw invalid();
  return context.data.principal;
}

/** Undefined, which no schema takes, for what is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function signatureOf(payload: string, secret: string): string {
  return createHmac('sha256', secret).update(payload).digest('base64url');
}

function invalid(): DomainError {
  return new DomainError('auth.invalid', 'The signed context is forged or has expired.');
}
