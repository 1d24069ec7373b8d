import 'reflect-metadata';
import type { IncomingHttpHeaders } from 'node:http';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { DomainError } from '@millrace/domain';
import { ACCESS, type Access, type AuthenticatedRequest } from './access.decorators.js';
import type { Authenticator } from './authenticator.js';

/**
 * Stands before every route and denies unless the route says who may pass: `@Public()` or `@Requires(scope)`.
 * A handler's word goes before its controller's.
 */
export class AccessGuard implements CanActivate {
  constructor(private readonly authenticator: Authenticator) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = accessOf(context);
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest & { headers: IncomingHttpHeaders }>();
    const principal = await this.authenticator.authenticate(request.headers);
    if (!access || !principal.scopes.includes(access)) {
      throw new DomainError('auth.forbidden', `This needs a key with the scope "${access ?? 'none'}".`);
    }
    request.principal = principal;
    return true;
  }
}

function accessOf(context: ExecutionContext): Access | undefined {
  const handler = Reflect.getMetadata(ACCESS, context.getHandler()) as Access | undefined;
  return handler ?? (Reflect.getMetadata(ACCESS, context.getClass()) as Access | undefined);
}
