import {
  type ArgumentsHost,
  type CallHandler,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { MessagePattern, Transport } from '@nestjs/microservices';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DomainError } from '@millrace/domain';
import { concat, from, NEVER, of, type Observable, tap, throwError } from 'rxjs';
import { eventually } from '@millrace/testing/eventually';
import { DATASTORES } from '../test/test-datastores.js';
import type { TestDatastore } from '../test/test-queue.js';
import { Bench, type ConvertPayload, convertPayload } from '../test/worker-app.js';
import { BullMqServer } from './bullmq-server.js';
import { JobContext } from './job-context.js';
import { JobHandler } from './job-handler.decorator.js';

let bench: Bench;
let trace: string[];

async function outcomeOf(payload: ConvertPayload = convertPayload()): Promise<object> {
  const { jobId } = await bench.send(payload);
  await eventually('the end is told', () => bench.ended.length === 1);
  return bench.ledger.get(jobId);
}

class TracingInterceptor implements NestInterceptor {
  intercept(host: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { fence } = host.switchToRpc().getContext<JobContext>();
    trace.push(`interceptor in, attempt ${fence.attempt}`);
    return next.handle().pipe(tap({ complete: () => trace.push('interceptor out') }));
  }
}

class TracingPipe implements PipeTransform {
  transform(value: unknown): unknown {
    if (!(value instanceof JobContext)) trace.push('pipe');
    return value;
  }
}

@Catch(TypeError)
class MistakeFilter implements ExceptionFilter {
  catch(error: TypeError, host: ArgumentsHost): Observable<never> {
    const { fence } = host.switchToRpc().getContext<JobContext>();
    trace.push(`filter, attempt ${fence.attempt}`);
    return throwError(() => new DomainError('conversion.failed', 'Mapped by a filter.', { cause: error }));
  }
}

describe.each(DATASTORES)('a job handler, the queue on %s', (_, open) => {
  let datastore: TestDatastore;

  beforeAll(() => {
    datastore = open();
  });
  beforeEach(async () => {
    trace = [];
    bench = await Bench.open((await datastore.createQueue()).location);
  });
  afterEach(async () => {
    await bench.close();
  });
  afterAll(async () => {
    await datastore.stop();
  });

  it('runs behind the guards, interceptors and pipes of the app', async () => {
    const guard = { canActivate: () => trace.push('guard') > 0 };
    @Controller()
    @UseGuards(guard)
    class Converter {
      @JobHandler('dataset.convert')
      @UseInterceptors(new TracingInterceptor())
      @UsePipes(new TracingPipe())
      async convert(_payload: ConvertPayload, context: JobContext): Promise<void> {
        trace.push(`handler, attempt ${context.fence.attempt}`);
      }
    }
    await bench.startWorker([Converter]);
    expect(await outcomeOf()).toMatchObject({ status: 'succeeded' });
    expect(trace).toEqual(['guard', 'interceptor in, attempt 1', 'pipe', 'handler, attempt 1', 'interceptor out']);
  });

  it('does not run when a guard denies', async () => {
    @Controller()
    @UseGuards({ canActivate: () => false })
    class Converter {
      @JobHandler('dataset.convert')
      async convert(_payload: ConvertPayload, _context: JobContext): Promise<void> {
        trace.push('handler');
      }
    }
    await bench.startWorker([Converter]);
    expect(await outcomeOf()).toMatchObject({ status: 'failed', error: { code: 'internal' } });
    expect(trace).toEqual([]);
  });

  it.each(['method', 'class'])('has its errors mapped by a filter of the %s', async (place) => {
    const here = (wanted: string): ClassDecorator & MethodDecorator =>
      place === wanted ? UseFilters(new MistakeFilter()) : () => undefined;
    @Controller()
    @here('class')
    class Converter {
      @JobHandler('dataset.convert')
      @here('method')
      async convert(_payload: ConvertPayload, _context: JobContext): Promise<void> {
        throw new TypeError('row 7');
      }
    }
    await bench.startWorker([Converter]);
    expect(await outcomeOf()).toMatchObject({ status: 'failed', error: { code: 'conversion.failed' } });
    expect(trace).toEqual(['filter, attempt 1']);
  });

  it('may return a stream, and has ended when that has', async () => {
    @Controller()
    class Converter {
      @JobHandler('dataset.convert')
      convert(_payload: ConvertPayload, { signal }: JobContext): Observable<unknown> {
        const aborted = new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        });
        return concat(of(1, 2).pipe(tap((n) => trace.push(`value ${n}`))), from(aborted), NEVER);
      }
    }
    const app = await bench.startWorker([Converter], { drainMs: 300 });
    const { jobId } = await bench.send();
    await eventually('values came', () => trace.length === 2);
    expect(bench.ledger.get(jobId).status).toBe('running');
    await app.close();
    expect(bench.ledger.get(jobId)).toMatchObject({ status: 'queued', error: { code: 'job.lost' } });
  });

  it('is built anew for each job when it is in request scope', async () => {
    @Controller({ scope: Scope.REQUEST })
    class Converter {
      constructor() {
        trace.push('built');
      }
      @JobHandler('dataset.convert')
      async convert(_payload: ConvertPayload, context: JobContext): Promise<void> {
        trace.push(`handler, attempt ${context.fence.attempt}`);
        throw new DomainError('conversion.no_rows', 'The file has no rows.');
      }
    }
    await bench.startWorker([Converter]);
    trace = [];
    expect(await outcomeOf()).toMatchObject({ status: 'failed', error: { code: 'conversion.no_rows' } });
    expect(trace).toEqual(['built', 'handler, attempt 1']);
  });

  it('keeps apart from handlers of other transports, in an HTTP app, too', async () => {
    @Controller()
    class Converter {
      @JobHandler('dataset.convert')
      async convert(_payload: ConvertPayload, context: JobContext): Promise<void> {
        trace.push(`handler, attempt ${context.fence.attempt}`);
      }
      @MessagePattern('something.else', Transport.TCP)
      other(): string {
        return 'never asked';
      }
    }
    const { ledger, log: logger, bus: events, queueLocation } = bench;
    const queues = [{ name: 'convert', concurrency: 1 }] as const;
    const module = await Test.createTestingModule({ controllers: [Converter] }).compile();
    const app = module.createNestApplication(new FastifyAdapter(), { logger: false });
    app.connectMicroservice({ strategy: new BullMqServer({ queues, ledger, events, queueLocation, logger }) });
    await app.startAllMicroservices();
    expect(await outcomeOf()).toMatchObject({ status: 'succeeded' });
    await app.close();
    expect(trace).toEqual(['handler, attempt 1']);
  });
});
