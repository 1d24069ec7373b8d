import type { AddressInfo } from 'node:net';
import { Body, Controller, Get, Module, Req } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { Caller, KeyAuthenticator, generateApiKey, hashApiKey } from '@millrace/auth';
import { updateDatasetSchema, type UpdateDatasetBody } from '@millrace/contract';
import { newId, type Principal } from '@millrace/domain';
import { createLogger, createMetrics } from '@millrace/telemetry';
import { eventually } from '@millrace/testing/eventually';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';
import { createHttpServer } from './http-server.js';
import { Operation } from './operation.decorator.js';

const principal: Principal = {
  tenantId: newId('tenant'),
  userId: newId('user'),
  apiKeyId: newId('apiKey'),
  role: 'admin',
  scopes: ['files:write', 'files:read', 'datasets:write', 'queries:read'],
};
const key = generateApiKey();
const lines: Record<string, unknown>[] = [];
const logger = createLogger({
  level: 'info',
  service: 'test',
  stream: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
});
let storeIsUp = true;
let looks = 0;

@Controller()
class SampleController {
  @Operation('file.upload')
  async upload(@Req() request: FastifyRequest): Promise<{ bytes: number }> {
    let bytes = 0;
    for await (const chunk of request.body as AsyncIterable<Buffer>) bytes += chunk.length;
    return { bytes };
  }

  @Operation('file.list')
  list(): unknown {
    return { uploads: [], has_more: true, next_cursor: 'abc' };
  }

  @Operation('dataset.update')
  update(@Body({ schema: updateDatasetSchema }) body: UpdateDatasetBody, @Caller() caller: Principal): unknown {
    logger.info({}, 'within a request');
    return { body, tenant: caller.tenantId };
  }

  @Operation('dataset.list')
  datasets(): never {
    throw new Error('not reached');
  }

  @Operation('result.list')
  results(): never {
    throw new Error('a secret detail');
  }

  @Get('/forgotten')
  forgotten(): string {
    return 'never seen';
  }
}

@Module({
  controllers: [SampleController, HealthController],
  providers: [
    {
      provide: Readiness,
      useValue: new Readiness({
        store: async () => {
          looks += 1;
          await new Promise((resolve) => setTimeout(resolve, 20));
          if (!storeIsUp) throw new Error('the store is down', { cause: new Error('at 10.0.0.1') });
        },
      }),
    },
  ],
})
class SampleModule {}

describe('an HTTP app', () => {
  let app: NestFastifyApplication;
  let url: string;

  beforeAll(async () => {
    app = await createHttpServer({
      module: SampleModule,
      authenticator: new KeyAuthenticator({
        findPrincipal: async (hash) => (hashApiKey(key).equals(hash) ? principal : undefined),
      }),
      logger,
      metrics: createMetrics('test'),
    });
    await app.listen(0, '127.0.0.1');
    url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  });

  afterAll(() => app.close());

  const send = (
    method: string,
    path: string,
    options: { body?: RequestInit['body']; headers?: Record<string, string> } = {},
  ) =>
    fetch(url + path, {
      method,
      ...(options.body !== undefined && { body: options.body }),
      headers: { authorization: `Bearer ${key}`, ...options.headers },
    });
  const sendJson = (body: string) =>
    send('PUT', `/v1/datasets/${newId('dataset')}`, { body, headers: { 'content-type': 'application/json' } });

  it('denies a route that does not say who may pass', async () => {
    const answer = await send('GET', '/forgotten');
    expect(answer.status).toBe(403);
    await expect(answer.json()).resolves.toMatchObject({ code: 'auth.forbidden' });
  });

  it('asks for credentials as HTTP says', async () => {
    const answer = await fetch(`${url}/v1/files`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="millrace"');
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    await expect(answer.json()).resolves.toMatchObject({ code: 'auth.missing', status: 401, instance: '/v1/files' });
  });

  it.each([
    [`Bearer ${generateApiKey()}`, 'auth.invalid', 'Bearer realm="millrace", error="invalid_token"'],
    ['Basic YTpi', 'auth.missing', 'Bearer realm="millrace"'],
  ])('says whether it is the key that is wrong: %s', async (authorization, code, challenge) => {
    const answer = await fetch(`${url}/v1/files`, { headers: { authorization } });
    expect(answer.headers.get('www-authenticate')).toBe(challenge);
    await expect(answer.json()).resolves.toMatchObject({ status: 401, code });
  });

  it('refuses a key without the scope', async () => {
    const answer = await send('GET', '/v1/datasets');
    await expect(answer.json()).resolves.toMatchObject({ code: 'auth.forbidden', status: 403 });
  });

  it('streams a body of any media type, also JSON that is not valid', async () => {
    const answer = await send('POST', '/v1/files', { body: '{"cut', headers: { 'content-type': 'application/json' } });
    expect(answer.status).toBe(201);
    await expect(answer.json()).resolves.toEqual({ bytes: 5 });
  });

  it('streams more than a JSON body may have', async () => {
    const answer = await send('POST', '/v1/files', { body: new Uint8Array(9 * 1024 * 1024) });
    await expect(answer.json()).resolves.toEqual({ bytes: 9 * 1024 * 1024 });
  });

  it('says what is wrong with JSON', async () => {
    await expect((await sendJson('{"label": ')).json()).resolves.toMatchObject({
      code: 'request.malformed',
      status: 400,
    });
    await expect((await sendJson('{"label": 5, "x": 1}')).json()).resolves.toMatchObject({
      code: 'request.invalid',
      status: 400,
      errors: expect.arrayContaining([expect.objectContaining({ pointer: '/label' })]),
    });
    await expect((await sendJson('{"__proto__": {}, "label": "a"}')).json()).resolves.toMatchObject({ status: 400 });
    const large = JSON.stringify({ label: 'x'.repeat(9 * 1024 * 1024) });
    await expect((await sendJson(large)).json()).resolves.toMatchObject({ code: 'request.too_large', status: 413 });
    const other = await send('PUT', `/v1/datasets/${newId('dataset')}`, {
      body: 'a',
      headers: { 'content-type': 'text/plain' },
    });
    await expect(other.json()).resolves.toMatchObject({ code: 'request.unsupported_media_type', status: 415 });
  });

  it('refuses a parameter that the route does not have', async () => {
    const answer = await send('POST', '/v1/files?dry_run=true', { body: 'a' });
    await expect(answer.json()).resolves.toMatchObject({
      ...{ status: 400, code: 'request.invalid' },
      detail: 'This route has no query parameter "dry_run".',
    });
  });

  it('gives the handler what the schema made of the body, and the caller', async () => {
    await expect((await sendJson('{"label": "A"}')).json()).resolves.toEqual({
      body: { label: 'A' },
      tenant: principal.tenantId,
    });
  });

  it('hides what it does not know behind an error of its own', async () => {
    const answer = await send('GET', '/v1/results');
    expect(answer.status).toBe(500);
    const problem = await answer.text();
    expect(JSON.parse(problem)).toMatchObject({ code: 'internal', request_id: answer.headers.get('x-request-id') });
    expect(problem).not.toContain('secret');
  });

  it('knows its routes', async () => {
    const answer = await send('GET', '/nowhere');
    await expect(answer.json()).resolves.toMatchObject({ code: 'route.unknown', status: 404 });
  });

  it('links to the next page', async () => {
    const answer = await send('GET', '/v1/files?limit=1');
    expect(answer.headers.get('link')).toBe('</v1/files?limit=1&cursor=abc>; rel="next"');
  });

  it('returns the request id and the trace', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const answer = await send('GET', '/v1/files', { headers: { 'x-request-id': 'mine', traceparent } });
    expect(answer.headers.get('x-request-id')).toBe('mine');
    expect(answer.headers.get('traceparent')).toBe(traceparent);
    const odd = await send('GET', '/v1/files', { headers: { 'x-request-id': 'a b"c' } });
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('has request, tenant and trace on each line that is logged within a request', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const headers = { 'x-request-id': 'told', traceparent: `00-${trace}-b7ad6b7169203331-01` };
    const json = { ...headers, 'content-type': 'application/json' };
    await send('PUT', `/v1/datasets/${newId('dataset')}`, { body: '{"label":"New"}', headers: json });
    const told = { requestId: 'told', tenantId: principal.tenantId, trace_id: trace };
    await eventually('it is logged', () =>
      lines.some(({ msg, requestId }) => msg === 'request' && requestId === 'told'),
    );
    expect(lines.filter(({ requestId }) => requestId === 'told')).toMatchObject([
      { msg: 'within a request', ...told },
      { msg: 'request', ...told },
    ]);
  });

  it('looks at its dependencies once for all who ask at the same time', async () => {
    looks = 0;
    const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/readyz`)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(looks).toBeLessThan(10);
  });

  it('names the dependency that is down', async () => {
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    storeIsUp = false;
    const answer = await fetch(`${url}/readyz`);
    storeIsUp = true;
    expect(answer.status).toBe(503);
    await expect(answer.json()).resolves.toEqual({
      status: 'not_ready',
      checks: { store: { status: 'down', detail: 'the store is down' } },
    });
  });
});
