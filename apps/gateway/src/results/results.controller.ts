import { Body, Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { Catalog } from '@millrace/catalog';
import {
  listResultsQuerySchema,
  pinResultSchema,
  type PinResultBody,
  type resultListSchema,
  type ResultSummaryBody,
} from '@millrace/contract';
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

  @Operation('result.download')
  download(
    @IdParam('result') _id: ResultId,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('result.pin')
  async pin(
    @IdParam('result') id: ResultId,
    @Body({ schema: pinResultSchema }) body: PinResultBody,
    @Caller() caller: Principal,
  ): Promise<ResultSummaryBody> {
    const ttlMs = body?.ttl_s === undefined ? undefined : body.ttl_s * 1_000;
    const key = { tenantId: caller.tenantId, id };
    return presentResult(await this.catalog.resultLifetimes.pin(key, { ...ownThings(caller), ttlMs }));
  }

  @Operation('result.unpin')
  async unpin(@IdParam('result') id: ResultId, @Caller() caller: Principal): Promise<ResultSummaryBody> {
    const key = { tenantId: caller.tenantId, id };
    return presentResult(await this.catalog.resultLifetimes.unpin(key, ownThings(caller)));
  }

  @Operation('result.delete')
  async delete(@IdParam('result') id: ResultId, @Caller() caller: Principal): Promise<void> {
    await this.catalog.resultLifetimes.delete(caller.tenantId, id, ownThings(caller));
  }
}
