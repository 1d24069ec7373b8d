import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { IdempotentWork } from './idempotent-work.js';

/** The work of a request that carries an `Idempotency-Key`, for a parameter of a route; undefined without a key. */
export const Idempotent = createParamDecorator(
  (_: unknown, context: ExecutionContext): IdempotentWork | undefined =>
    context.switchToHttp().getRequest<{ idempotentWork?: IdempotentWork }>().idempotentWork,
);
