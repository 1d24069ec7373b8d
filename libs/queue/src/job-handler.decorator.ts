import { UseFilters } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import type { JobName, PayloadOf } from './job-catalog.js';
import type { JobContext } from './job-context.js';
import { JobErrorFilter } from './job-error.filter.js';

/** Marks the handlers of jobs, so that another transport in the same app leaves them alone. */
export const JOB_TRANSPORT = Symbol('millrace jobs');

/** What a handler looks like. What it returns is not used: results are written by the handler itself. */
export type JobMethod<N extends JobName> = (
  payload: PayloadOf<N>,
  context: JobContext,
) => Promise<unknown> | Observable<unknown>;

/**
 * Makes a method of a controller the handler of a job:
 *
 *     @JobHandler('dataset.convert')
 *     async convert(payload: PayloadOf<'dataset.convert'>, context: JobContext): Promise<void> { … }
 *
 * Guards, interceptors, pipes and filters apply as to any message handler; the parameters need no decorators. Errors
 * reach the filters of the method and of the class, then the ledger; global filters do not see them, because those of
 * an app that also speaks HTTP would try to answer.
 */
export function JobHandler<N extends JobName>(name: N) {
  return <M extends JobMethod<N>>(target: object, key: string, descriptor: TypedPropertyDescriptor<M>): void => {
    MessagePattern(name, JOB_TRANSPORT)(target, key, descriptor);
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
    UseFilters(new JobErrorFilter())(target.constructor);
  };
}
