import { Body, Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { runQueryQuerySchema, runQuerySchema, type RunQueryBody } from '@millrace/contract';
import type { Principal } from '@millrace/domain';
import { Operation, parsePrefer } from '@millrace/http';
import { disconnectSignal } from '../disconnect-signal.js';
import { DryRunsService } from '../dry-runs/dry-runs.service.js';
import { negotiateAnswer } from '../formats/negotiate-answer.js';
import { QueriesService } from './queries.service.js';
import { sendAnswer } from './send-answer.js';

@Controller()
export class QueriesController {
  constructor(
    private readonly queries: QueriesService,
    private readonly dryRuns: DryRunsService,
  ) {}

  @Operation('query.run')
  async run(
    @Query({ schema: runQueryQuerySchema }) query: z.output<typeof runQueryQuerySchema>,
    @Body({ schema: runQuerySchema }) body: RunQueryBody,
    @Req() request: FastifyRequest,
    @Caller() caller: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const disconnected = disconnectSignal(reply);
    if (query.dry_run === 'true') {
      const isPlanWanted = query.plan === 'true';
      await reply.send(await this.dryRuns.run(caller, body, { isPlanWanted, disconnected }));
      return;
    }
    void reply.header('vary', 'accept');
    const format = negotiateAnswer({ format: query.format, accept: request.headers.accept });
    const { waitMs, applied } = parsePrefer(request.headers.prefer);
    const isBackground = applied === 'respond-async';
    const answer = await this.queries.run(caller, body, { format, isBackground, waitMs, disconnected });
    await sendAnswer(reply, answer, { format, ...(applied !== undefined && { applied }) });
  }
}
