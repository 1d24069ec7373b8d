import type { AddressInfo } from 'node:net';
import { Body, Controller, Get, Module, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Caller, generateApiKey, hashApiKey, KeyAuthenticator } from '@millrace/auth';
import { updateDatasetSchema, type UpdateDatasetBody } from '@millrace/contract';
import { newId, type Principal } from '@millrace/domain';
import { createLogger, createMetrics, type Registry } from '@millrace/telemetry';
import { HealthController } from '../src/health.controller.js';
import { Readiness } from '../src/readiness.js';
import { closeHttpServer, createHttpServer, type HttpServerOptions } from '../src/http-server.js';
import { Operation } from '../src/operation.decorator.js';

/** What a test left open is cut off after this. */
const DRAIN_MS = 100;

const EMPTY_LIST = { uploads: [], has_more: false, next_cursor: null };

/** What a streaming route does with its body, so that a test can stop half way. */
export type Upload = (body: AsyncIterable<Uint8Array>) => Promise<unknown>;

export interface SampleServer {
  readonly url: string;
  /** `Authorization: Bearer …`, the line of a request with every scope. */
  readonly authorization: string;
  /** The same of another tenant. */
  readonly otherAuthorization: string;
  readonly metrics: Registry;
  /** How many calls have reached a handler. */
  handled: number;
  upload: Upload;
  /** What the list of files waits for and gives. */
  list: () => Promise<unknown>;
  /** What still runs after a while is cut off. */
  stop(drainMs?: number): Promise<void>;
}

/** A small HTTP app with a JSON route, a streaming one, a public one and one that nobody gave an access. */
export async function startSampleServer(options: Partial<HttpServerOptions> = {}): Promise<SampleServer> {
  const [key, otherKey] = [generateApiKey(), generateApiKey()];
  const principals = new Map([key, otherKey].map((each) => [hashApiKey(each).toString('hex'), newPrincipal()]));
  const metrics = createMetrics('test');
  const sample = { handled: 0, upload: countBytes as Upload, list: async () => EMPTY_LIST as unknown };
  const app = await createHttpServer({
    module: moduleOf(sample),
    authenticator: new KeyAuthenticator({
      findPrincipal: async (hash) => principals.get(Buffer.from(hash).toString('hex')),
    }),
    logger: createLogger({ level: 'silent', service: 'test' }),
    metrics,
    ...options,
  });
  await app.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  return Object.assign(sample, {
    ...{ url, metrics },
    ...{ authorization: `Authorization: Bearer ${key}`, otherAuthorization: `Authorization: Bearer ${otherKey}` },
    stop: (drainMs = DRAIN_MS) => closeHttpServer(app, drainMs),
  });
}

function newPrincipal(): Principal {
  return {
    ...{ tenantId: newId('tenant'), userId: newId('user'), apiKeyId: newId('apiKey') },
    ...{ role: 'admin', scopes: ['files:write', 'files:read', 'datasets:write', 'jobs:write'] },
  };
}

async function countBytes(body: AsyncIterable<Uint8Array>): Promise<{ bytes: number }> {
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.length;
  return { bytes };
}

function moduleOf(sample: Pick<SampleServer, 'handled' | 'upload' | 'list'>): HttpServerOptions['module'] {
  @Controller()
  class SampleController {
    @Operation('file.upload')
    async upload(@Req() request: FastifyRequest): Promise<unknown> {
      sample.handled += 1;
      return sample.upload(request.body as AsyncIterable<Uint8Array>);
    }

    @Operation('dataset.update')
    update(@Body({ schema: updateDatasetSchema }) body: UpdateDatasetBody, @Caller() caller: Principal): unknown {
      sample.handled += 1;
      return { body, tenant: caller.tenantId };
    }

    @Operation('job.cancel')
    cancel(): unknown {
      sample.handled += 1;
      return { status: 'cancelled' };
    }

    @Operation('file.list')
    list(): unknown {
      sample.handled += 1;
      return sample.list();
    }

    @Get('/forgotten')
    forgotten(): string {
      sample.handled += 1;
      return 'never seen';
    }

    @Post('/forgotten')
    forgottenBody(): string {
      return this.forgotten();
    }
  }

  @Module({
    controllers: [SampleController, HealthController],
    providers: [{ provide: Readiness, useValue: new Readiness() }],
  })
  class SampleModule {}
  return SampleModule;
}
