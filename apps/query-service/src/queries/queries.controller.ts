import { Body, Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { runQueryQuerySchema, runQuerySchema, type RunQueryBody } from '@millrace/contract';
import type { Principal } from '@millrace/domain';
import { Operation } from '@millrace/http';
import { disconnectSignal } from '../disconnect-signal.js';
import { negotiateAnswer } from '../formats/negotiate-answer.js';
import { asJson } from '../rows-json.js';
import { QueriesService } from './queries.service.js';

@Controller()
export class QueriesController {
  constructor(private readonly queries: QueriesService) {}

  @Operation('query.run')
  async run(
    @Query({ schema: runQueryQuerySchema }) query: z.output<typeof runQueryQuerySchema>,
    @Body({ schema: runQuerySchema }) body: RunQueryBody,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    void reply.header('vary', 'accept');
    const format = negotiateAnswer({ format: query.format, accept: request.headers.accept });
    const answer = await this.queries.run(caller, body, { format, disconnected: disconnectSignal(reply) });
    if (typeof answer === 'string') await reply.send(asJson(reply, answer));
    else await reply.headers(answer.headers).send(answer.body);
  }
}
