import type { IncomingHttpHeaders } from 'node:http';
import { DomainError, type Principal, type Scope } from '@millrace/domain';
import type { Authenticator } from './authenticator.js';

/** What a route asks of its caller: a scope of their key, or nothing at all. */
export type Access = Scope | 'public';

/** Decides who may pass. The only place that does, and it denies what nobody has allowed. */
export class AccessControl {
  constructor(private readonly authenticator: Authenticator) {}

  /**
   * The caller of a route, or undefined when the route is public.
   *
   * @param access what the route asks for; a route that does not say it lets nobody in
   * @throws DomainError `auth.missing`, `auth.invalid`, `auth.forbidden`
   */
  async admit(access: Access | undefined, headers: IncomingHttpHeaders): Promise<Principal | undefined> {
    if (access === 'public') return undefined;
    const principal = await this.authenticator.authenticate(headers);
    if (access && principal.scopes.includes(access)) return principal;
    throw new DomainError('auth.forbidden', `This needs a key with the scope "${access ?? 'none'}".`);
  }
}
