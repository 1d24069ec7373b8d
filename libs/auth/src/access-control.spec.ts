import { describe, expect, it } from '@jest/globals';
import { newId, type Principal } from '@millrace/domain';
import { AccessControl } from './access-control.js';

const principal: Principal = {
  ...{ tenantId: newId('tenant'), userId: newId('user'), apiKeyId: newId('apiKey') },
  ...{ role: 'member', scopes: ['files:read'] },
};

describe('AccessControl', () => {
  const control = new AccessControl({ authenticate: async () => principal });
  const nobody = new AccessControl({ authenticate: () => Promise.reject(new Error('asked')) });

  it('gives the caller whose key has the scope', async () => {
    await expect(control.admit('files:read', {})).resolves.toBe(principal);
  });

  it('refuses a key without the scope, and everybody where nothing is said', async () => {
    await expect(control.admit('files:write', {})).rejects.toMatchObject({ code: 'auth.forbidden' });
    await expect(control.admit(undefined, {})).rejects.toMatchObject({ code: 'auth.forbidden' });
  });

  it('asks nobody who they are where a route is public', async () => {
    await expect(nobody.admit('public', {})).resolves.toBeUndefined();
    await expect(nobody.admit('files:read', {})).rejects.toThrow('asked');
  });
});
