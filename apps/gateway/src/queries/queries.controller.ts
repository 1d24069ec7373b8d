import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { Catalog, type QueryRun } from '@millrace/catalog';
import { listQueriesQuerySchema, type QueryRunBody, type queryRunListSchema } from '@millrace/contract';
import { type EventBus, type Principal, type QueryRunId, ownThings } from '@millrace/domain';
import { IdParam, decodeIdCursor, Operation, pageFields, parsePrefer } from '@millrace/http';
import { announceCancel } from '../jobs/announce-cancel.js';
import { QueryServiceProxy } from '../query-service.proxy.js';
import { EVENT_BUS } from '../tokens.js';
import { EventStreams } from '../watching/event-streams.js';
import { presentQueryRun } from './query-run.presenter.js';
import { QueryRunsService } from './query-runs.service.js';

@Controller()
export class QueriesController {
  constructor(
    private readonly catalog: Catalog,
    private readonly runs: QueryRunsService,
    private readonly queryService: QueryServiceProxy,
    private readonly streams: EventStreams,
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
    return { queries: page.items.map((run) => presentQueryRun(run)), ...pageFields(page) };
  }

  @Operation('query.get')
  get(
    @IdParam('queryRun') id: QueryRunId,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QueryRunBody> {
    const { waitMs, applied } = parsePrefer(request.headers.prefer);
    // Who says nothing looks; what is called for at once is answered at once.
    if (applied === undefined || waitMs === 0) return this.runs.get(caller, id, { waitMs: 0 });
    void reply.header('preference-applied', applied);
    return this.runs.get(caller, id, { waitMs });
  }

  @Operation('query.events')
  async follow(
    @IdParam('queryRun') id: QueryRunId,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.streams.serve(await this.runs.watch(caller, id), { request, reply });
  }

  /** Whoever runs it is told at once, and finds the request in the catalog when that message is lost. */
  @Operation('query.cancel')
  async cancel(@IdParam('queryRun') id: QueryRunId, @Caller() caller: Principal): Promise<QueryRunBody> {
    const { tenantId } = caller;
    const run = await this.catalog.queryRuns.requestCancel(tenantId, id, ownThings(caller));
    await this.announce(run);
    return presentQueryRun(run);
  }

  private async announce({ tenantId, id: queryRunId, jobId, status }: QueryRun): Promise<void> {
    if (jobId === null) return this.events.publish({ type: 'query.cancel_requested', tenantId, queryRunId });
    await announceCancel(this.events, { tenantId, jobId, status: status === 'cancelled' ? status : 'running' });
  }
}
