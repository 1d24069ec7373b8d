import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { Catalog } from '@millrace/catalog';
import { listJobsQuerySchema, type JobBody, type jobListSchema } from '@millrace/contract';
import { type EventBus, type JobId, type Principal, isTerminal, jobLifecycle, ownThings } from '@millrace/domain';
import { IdParam, decodeIdCursor, Operation, pageFields } from '@millrace/http';
import { EVENT_BUS } from '../tokens.js';
import { EventStreams } from '../watching/event-streams.js';
import { announceCancel } from './announce-cancel.js';
import { presentJob } from './job.presenter.js';

@Controller()
export class JobsController {
  constructor(
    private readonly catalog: Catalog,
    private readonly streams: EventStreams,
    @Inject(EVENT_BUS) private readonly events: EventBus,
  ) {}

  @Operation('job.list')
  async list(
    @Query({ schema: listJobsQuerySchema }) query: z.output<typeof listJobsQuerySchema>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof jobListSchema>> {
    const page = await this.catalog.jobs.list(caller.tenantId, {
      ...ownThings(caller),
      limit: query.limit,
      before: decodeIdCursor('job', query.cursor),
      status: query.status,
      kind: query.kind,
    });
    return { jobs: page.items.map(presentJob), ...pageFields(page) };
  }

  @Operation('job.get')
  async get(@IdParam('job') id: JobId, @Caller() caller: Principal): Promise<JobBody> {
    return presentJob(await this.catalog.jobs.get(caller.tenantId, id, ownThings(caller)));
  }

  @Operation('job.events')
  async follow(
    @IdParam('job') id: JobId,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { tenantId } = caller;
    const read = async (): Promise<JobBody> => presentJob(await this.catalog.jobs.get(tenantId, id, ownThings(caller)));
    const hasEnded = ({ status }: JobBody): boolean => isTerminal(jobLifecycle, status);
    await this.streams.serve({ tenantId, id, read, hasEnded }, { request, reply });
  }

  @Operation('job.cancel')
  async cancel(@IdParam('job') id: JobId, @Caller() caller: Principal): Promise<JobBody> {
    const { tenantId } = caller;
    const end = await this.catalog.jobs.requestCancel(tenantId, id, ownThings(caller));
    await announceCancel(this.events, end);
    return presentJob(await this.catalog.jobs.get(tenantId, id));
  }
}
