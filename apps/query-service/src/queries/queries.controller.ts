import { Body, Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { runQueryQuerySchema, runQuerySchema, type PendingQueryBody, type RunQueryBody } from '@millrace/contract';
import type { Principal } from '@millrace/domain';
import { Operation, parsePrefer } from '@millrace/http';
import { disconnectSignal } from '../disconnect-signal.js';
import { DryRunsService } from '../dry-runs/dry-runs.service.js';
import { isRowFormat, negotiateAnswer } from '../formats/negotiate-answer.js';
import { asJson } from '../rows-json.js';
import { QueriesService } from './queries.service.js';

/** When it is worth to look again at a query that goes on. */
const RETRY_AFTER_S = 1;

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
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
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
    // Of an answer that has come, only a wait was heeded.
    const isHeeded = 'pending' in answer || (isRowFormat(format) && !isBackground);
    if (applied !== undefined && isHeeded) void reply.header('preference-applied', applied);
    if ('pending' in answer) await sendPending(reply, answer.pending);
    else if ('json' in answer) await reply.send(asJson(reply, answer.json));
    else await reply.headers(answer.headers).send(answer.body);
  }
}

async function sendPending(reply: FastifyReply, pending: PendingQueryBody): Promise<void> {
  const location = `/v1/queries/${pending.query_run_id}`;
  await reply.status(202).headers({ location, 'retry-after': RETRY_AFTER_S }).send(pending);
}
