import { Body, Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller } from '@millrace/auth';
import { runQuerySchema, type RunQueryBody } from '@millrace/contract';
import type { Principal } from '@millrace/domain';
import { Operation } from '@millrace/http';
import { disconnectSignal } from '../disconnect-signal.js';
import { asJson } from '../rows-json.js';
import { QueriesService } from './queries.service.js';

@Controller()
export class QueriesController {
  constructor(private readonly queries: QueriesService) {}

  @Operation('query.run')
  async run(
    @Body({ schema: runQuerySchema }) body: RunQueryBody,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return asJson(reply, await this.queries.run(caller, body, disconnectSignal(reply)));
  }
}
