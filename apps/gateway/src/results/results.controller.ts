import { Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { Catalog } from '@millrace/catalog';
import { listResultsQuerySchema, type resultListSchema } from '@millrace/contract';
import { type Principal, type ResultId, ownThings } from '@millrace/domain';
import { IdParam, decodeIdCursor, Operation, pageFields } from '@millrace/http';
import { QueryServiceProxy } from '../query-service.proxy.js';
import { presentResult } from './result.presenter.js';

@Controller()
export class ResultsController {
  constructor(
    private readonly catalog: Catalog,
    private readonly queryService: QueryServiceProxy,
  ) {}

  @Operation('result.list')
  async list(
    @Query({ schema: listResultsQuerySchema }) query: z.output<typeof listResultsQuerySchema>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof resultListSchema>> {
    const page = await this.catalog.results.list(caller.tenantId, {
      ...ownThings(caller),
      limit: query.limit,
      before: decodeIdCursor('result', query.cursor),
      status: query.status,
    });
    return { results: page.items.map(presentResult), ...pageFields(page) };
  }

  @Operation('result.get')
  get(
    @IdParam('result') _id: ResultId,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }
}
