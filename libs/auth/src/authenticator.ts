import type { IncomingHttpHeaders } from 'node:http';
import { DomainError, type KeyDirectory, type Principal } from '@millrace/domain';
import { hashApiKey, looksLikeApiKey } from './api-key.js';
import { CONTEXT_HEADER, verifyContext } from './signed-context.js';

/** Finds out who sends a request. */
export interface Authenticator {
  /** @throws DomainError `auth.missing`, `auth.invalid` */
  authenticate(headers: IncomingHttpHeaders): Promise<Principal>;
}

/** `Authorization: Bearer <api key>`, for the public door. */
export class KeyAuthenticator implements Authenticator {
  constructor(private readonly keys: KeyDirectory) {}

  async authenticate(headers: IncomingHttpHeaders): Promise<Principal> {
    const key = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
    if (key === undefined) {
      throw new DomainError('auth.missing', 'Send your API key in the header "Authorization: Bearer <key>".');
    }
    const principal = looksLikeApiKey(key) ? await this.keys.findPrincipal(hashApiKey(key)) : undefined;
    if (!principal) throw new DomainError('auth.invalid', 'The API key is unknown or was revoked.');
    return principal;
  }
}

/** The signed context of an internal call, for the services behind the gateway. */
export class ContextAuthenticator implements Authenticator {
  constructor(private readonly secret: string) {}

  async authenticate(headers: IncomingHttpHeaders): Promise<Principal> {
    const signed = headers[CONTEXT_HEADER];
    if (typeof signed !== 'string') throw new DomainError('auth.missing', 'The signed context is missing.');
    return verifyContext(signed, this.secret);
  }
}
