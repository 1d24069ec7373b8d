import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { Catalog } from '@millrace/catalog';
import { listQueriesQuerySchema, type QueryRunBody, type queryRunListSchema } from '@millrace/contract';
import { type EventBus, type Principal, type QueryRunId, ownThings } from '@millrace/domain';
import { IdParam, decodeIdCursor, Operation, pageFields } from '@millrace/http';
import { QueryServiceProxy } from '../query-service.proxy.js';
import { EVENT_BUS } from '../tokens.js';
import { presentQueryRun } from './query-run.presenter.js';

@Controller()
export class QueriesController {
  constructor(
    private readonly catalog: Catalog,
    private readonly queryService: QueryServiceProxy,
    @Inject(EVENT_BUS) private readonly events: EventBus,
  ) {}

  @Operation('query.run', { body: 'jsonBytes' })
  run(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('query.list')
  async list(
    @Query({ schema: listQueriesQuerySchema }) query: z.output<typeof listQueriesQuerySchema>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof queryRunListSchema>> {
    const page = await this.catalog.queryRuns.list(caller.tenantId, {
      ...ownThings(caller),
      limit: query.limit,
      before: decodeIdCursor('queryRun', query.cursor),
      status: query.status,
    });
    return { queries: page.items.map(presentQueryRun), ...pageFields(page) };
  }

  @Operation('query.get')
  async get(@IdParam('queryRun') id: QueryRunId, @Caller() caller: Principal): Promise<QueryRunBody> {
    return presentQueryRun(await this.catalog.queryRuns.get(caller.tenantId, id, ownThings(caller)));
  }

  /** Whoever runs it is told at once, and finds the request in the catalog when that message is lost. */
  @Operation('query.cancel')
  async cancel(@IdParam('queryRun') id: QueryRunId, @Caller() caller: Principal): Promise<QueryRunBody> {
    const { tenantId } = caller;
    const run = await this.catalog.queryRuns.requestCancel(tenantId, id, ownThings(caller));
    await this.events.publish({ type: 'query.cancel_requested', tenantId, queryRunId: id });
    return presentQueryRun(run);
  }
}
