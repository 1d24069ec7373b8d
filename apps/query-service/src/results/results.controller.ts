import { Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { pageQuerySchema } from '@millrace/contract';
import type { Principal, ResultId } from '@millrace/domain';
import { IdParam, nextPageLink, Operation } from '@millrace/http';
import { disconnectSignal } from '../disconnect-signal.js';
import { asJson } from '../rows-json.js';
import { ResultPagesService } from './result-pages.service.js';

@Controller()
export class ResultsController {
  constructor(private readonly results: ResultPagesService) {}

  @Operation('result.get')
  async get(
    @IdParam('result') id: ResultId,
    @Query({ schema: pageQuerySchema }) query: z.output<typeof pageQuerySchema>,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { text, pageFields } = await this.results.get(caller, id, { ...query, signal: disconnectSignal(reply) });
    // The interceptor that links pages sees a text here.
    const link = pageFields && nextPageLink(request.url, pageFields);
    if (link) void reply.header('link', link);
    return asJson(reply, text);
  }
}
