import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Principal } from '@millrace/domain';

/** A request that was let in: it has a principal unless its route is public. */
export interface AuthenticatedRequest {
  principal?: Principal;
}

/** The caller, for the parameter of a route that is not public. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new Error('A route that asks for its caller must not be public');
  return principal;
});
