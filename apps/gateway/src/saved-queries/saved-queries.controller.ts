import { Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Caller } from '@millrace/auth';
import type { Principal } from '@millrace/domain';
import { Operation } from '@millrace/http';
import { QueryServiceProxy } from '../query-service.proxy.js';

/** Saved queries belong to the query service, which checks their statements. */
@Controller()
export class SavedQueriesController {
  constructor(private readonly queryService: QueryServiceProxy) {}

  @Operation('saved_query.create', { body: 'jsonBytes' })
  create(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('saved_query.list')
  list(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('saved_query.get')
  get(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('saved_query.versions')
  versions(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('saved_query.update', { body: 'jsonBytes' })
  update(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('saved_query.delete')
  delete(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('saved_query.run', { body: 'jsonBytes' })
  run(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Caller() caller: Principal): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }
}
