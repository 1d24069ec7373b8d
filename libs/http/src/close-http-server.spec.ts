import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Controller, Module } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger, createMetrics } from '@millrace/telemetry';
import { closeHttpServer, createHttpServer } from './http-server.js';
import { Operation } from './operation.decorator.js';

const DRAIN_MS = 5_000;

/** What the request waits for, and what is told when its handler runs. */
let work: PromiseWithResolvers<void>;
let begun: PromiseWithResolvers<void>;

@Controller()
class SlowController {
  @Operation('service.live')
  async live(): Promise<{ status: 'ok' }> {
    begun.resolve();
    await work.promise;
    return { status: 'ok' };
  }
}

@Module({ controllers: [SlowController] })
class SlowModule {}

describe('closing an HTTP app', () => {
  let app: NestFastifyApplication;
  let agent: Agent;

  beforeEach(async () => {
    [work, begun, agent] = [Promise.withResolvers(), Promise.withResolvers(), new Agent({ keepAlive: true })];
    app = await createHttpServer({
      module: SlowModule,
      authenticator: { authenticate: () => Promise.reject(new Error('nobody is asked')) },
      logger: createLogger({ level: 'silent', service: 'test' }),
      metrics: createMetrics('test'),
    });
    await app.listen(0, '127.0.0.1');
  });
  afterEach(() => agent.destroy());

  /** Sends a request over a connection that the client keeps. */
  const send = async (): Promise<number | undefined> => {
    const { port } = app.getHttpServer().address() as AddressInfo;
    const [answer] = (await once(request({ host: '127.0.0.1', port, path: '/livez', agent }).end(), 'response')) as [
      IncomingMessage,
    ];
    answer.resume();
    return answer.statusCode;
  };

  it('waits for a request that runs, but not for its connection, which the client keeps', async () => {
    const answer = send();
    await begun.promise;
    const closed = closeHttpServer(app, DRAIN_MS).then(() => performance.now());
    while (app.getHttpServer().listening) await setImmediate();
    work.resolve();
    await expect(answer).resolves.toBe(200);
    const answeredAt = performance.now();
    expect((await closed) - answeredAt).toBeLessThan(DRAIN_MS / 2);
  });

  it('cuts off what runs for too long', async () => {
    const answer = send();
    answer.catch(() => undefined);
    await begun.promise;
    await closeHttpServer(app, 50);
    await expect(answer).rejects.toThrow('socket hang up');
    work.resolve();
  });
});
