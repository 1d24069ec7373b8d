import { Controller, Inject, Res, type BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { ReadinessBody } from '@millrace/contract';
import { Operation } from './operation.decorator.js';
import { Readiness } from './readiness.js';

/** `/livez` says that the process answers, `/readyz` which dependency does not. */
@Controller()
export class HealthController implements BeforeApplicationShutdown {
  constructor(@Inject(Readiness) private readonly readiness: Readiness) {}

  /** Requests on connections that are open come until the last has ended: who asks for readiness goes elsewhere. */
  beforeApplicationShutdown(): void {
    this.readiness.drain();
  }

  @Operation('service.live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** Anybody may ask, so what a dependency itself said stays inside. */
  @Operation('service.ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessBody> {
    const { isReady, checks } = await this.readiness.look();
    if (!isReady) void reply.status(503);
    const shown = Object.entries(checks).map(([name, { status, detail }]) => [
      name,
      { status, ...(detail !== undefined && { detail }) },
    ]);
    return { status: isReady ? 'ready' : 'not_ready', checks: Object.fromEntries(shown) as ReadinessBody['checks'] };
  }
}
