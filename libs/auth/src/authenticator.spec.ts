import { createHmac } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { newId, type KeyDirectory, type Principal } from '@millrace/domain';
import { generateApiKey, hashApiKey, looksLikeApiKey } from './api-key.js';
import { ContextAuthenticator, KeyAuthenticator } from './authenticator.js';
import { CONTEXT_HEADER, signContext } from './signed-context.js';

const principal: Principal = {
  tenantId: newId('tenant'),
  userId: newId('user'),
  apiKeyId: newId('apiKey'),
  role: 'member',
  scopes: ['files:read'],
};
const key = generateApiKey();

/** A directory of one key. */
const directory: KeyDirectory = {
  findPrincipal: async (keyHash) => (hashApiKey(key).equals(keyHash) ? principal : undefined),
};

describe('an API key', () => {
  it('has a shape of its own and never repeats', () => {
    expect(looksLikeApiKey(key)).toBe(true);
    expect(generateApiKey()).not.toBe(key);
    expect(looksLikeApiKey('mr_short')).toBe(false);
  });
});

describe('KeyAuthenticator', () => {
  const authenticator = new KeyAuthenticator(directory);
  const authenticate = (authorization?: string) =>
    authenticator.authenticate(authorization === undefined ? {} : { authorization });

  it('finds the principal, whatever the case of "Bearer"', async () => {
    await expect(authenticate(`Bearer ${key}`)).resolves.toBe(principal);
    await expect(authenticate(`bearer ${key}`)).resolves.toBe(principal);
  });

  it.each([undefined, '', `Basic ${key}`, `Basic ${btoa(`:${key}`)}`, key, 'Bearer ', 'Bearer'])(
    'asks for a bearer key when there is none: %s',
    async (header) => {
      await expect(authenticate(header)).rejects.toMatchObject({
        code: 'auth.missing',
        message: expect.stringContaining('"Authorization: Bearer <key>"'),
      });
    },
  );

  it.each([`Bearer ${generateApiKey()}`, 'Bearer nonsense'])('refuses %s', async (header) => {
    await expect(authenticate(header)).rejects.toMatchObject({ code: 'auth.invalid' });
  });
});

describe('ContextAuthenticator', () => {
  const secret = 'a secret of more than thirty-two characters';
  const authenticator = new ContextAuthenticator(secret);
  const authenticate = (signed: string) => authenticator.authenticate({ [CONTEXT_HEADER]: signed });

  it('gives the principal that was signed', async () => {
    await expect(authenticate(signContext(principal, secret))).resolves.toEqual(principal);
  });

  it('refuses another secret, a changed payload, and no context at all', async () => {
    const [payload, signature] = signContext(principal, secret).split('.');
    const admin = Buffer.from(
      JSON.stringify({ principal: { ...principal, role: 'admin' }, expiresAt: Date.now() + 9e6 }),
    );
    await expect(authenticate(signContext(principal, `${secret}!`))).rejects.toMatchObject({ code: 'auth.invalid' });
    await expect(authenticate(`${admin.toString('base64url')}.${signature}`)).rejects.toMatchObject({
      code: 'auth.invalid',
    });
    await expect(authenticate(`${payload}`)).rejects.toMatchObject({ code: 'auth.invalid' });
    await expect(authenticator.authenticate({})).rejects.toMatchObject({ code: 'auth.missing' });
  });

  it.each<[string, unknown]>([
    ['no JSON', '{'],
    ['null', null],
    ['no principal', { expiresAt: 9e15 }],
    ['no end', { principal }],
    ['an end that never comes', { principal, expiresAt: 'never' }],
    ['a tenant that is none', { principal: { ...principal, tenantId: '' }, expiresAt: 9e15 }],
    ['the id of a user for a tenant', { principal: { ...principal, tenantId: newId('user') }, expiresAt: 9e15 }],
    ['an unknown role', { principal: { ...principal, role: 'owner' }, expiresAt: 9e15 }],
    ['an unknown scope', { principal: { ...principal, scopes: ['all'] }, expiresAt: 9e15 }],
  ])('refuses what the secret signed and no version of ours wrote: %s', async (_, context) => {
    const text = typeof context === 'string' ? context : JSON.stringify(context);
    const payload = Buffer.from(text).toString('base64url');
    const signature = createHmac('sha256', secret).update(payload).digest('base64url');
    await expect(authenticate(`${payload}.${signature}`)).rejects.toMatchObject({ code: 'auth.invalid' });
  });

  it('refuses a context after half a minute', async () => {
    const signed = signContext(principal, secret);
    const now = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 31_000);
    await expect(authenticate(signed)).rejects.toMatchObject({ code: 'auth.invalid' });
    now.mockRestore();
  });
});
