import { Controller, Inject, Res, type BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { ReadinessBody } from '@millrace/contract';
import { Operation } from './operation.decorator.js';

export const HEALTH_CHECKS = Symbol('health checks');

/** One call per dependency, by its name; it throws when the dependency does not answer. */
export type HealthChecks = Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>;

const CHECK_TIMEOUT_MS = 2_000;

/** `/livez` says that the process answers, `/readyz` which dependency does not. */
@Controller()
export class HealthController implements BeforeApplicationShutdown {
  private looking: Promise<ReadinessBody['checks']> | undefined;
  private isClosing = false;

  constructor(@Inject(HEALTH_CHECKS) private readonly checks: HealthChecks) {}

  /** Requests on connections that are open come until the last has ended: who asks for readiness goes elsewhere. */
  beforeApplicationShutdown(): void {
    this.isClosing = true;
  }

  @Operation('service.live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Operation('service.ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessBody> {
    // Anybody may ask: those who do at the same time cost the dependencies one look.
    this.looking ??= this.look().finally(() => (this.looking = undefined));
    const checks = await this.looking;
    const ready = !this.isClosing && Object.values(checks).every(({ status }) => status === 'up');
    if (!ready) void reply.status(503);
    return { status: ready ? 'ready' : 'not_ready', checks };
  }

  private async look(): Promise<ReadinessBody['checks']> {
    const outcomes = Object.entries(this.checks).map(async ([name, check]) => [name, await outcomeOf(check)] as const);
    return Object.fromEntries(await Promise.all(outcomes));
  }
}

async function outcomeOf(check: HealthChecks[string]): Promise<ReadinessBody['checks'][string]> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const timeout = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), {
      once: true,
    }),
  );
  try {
    await Promise.race([check(signal), timeout]);
    return { status: 'up' };
  } catch (error) {
    return { status: 'down', detail: error instanceof Error ? error.message : String(error) };
  }
}
