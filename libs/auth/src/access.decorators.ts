import { createParamDecorator, SetMetadata, type CustomDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal, Scope } from '@millrace/domain';

export const ACCESS = Symbol('access');

/** What a route asks of its caller. */
export type Access = Scope | 'public';

/** A route that needs no credentials. */
export const Public = (): CustomDecorator<typeof ACCESS> => SetMetadata(ACCESS, 'public' satisfies Access);

/** A route for callers whose key has a scope. */
export const Requires = (scope: Scope): CustomDecorator<typeof ACCESS> => SetMetadata(ACCESS, scope);

/** A request after the guard: it has a principal unless the route is public. */
export interface AuthenticatedRequest {
  principal?: Principal;
}

/** The caller, for the parameter of a route that is not public. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new Error('A route that asks for its caller must not be public');
  return principal;
});
