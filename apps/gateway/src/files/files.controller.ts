import { Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { Catalog } from '@millrace/catalog';
import { listUploadsQuerySchema, type UploadBody, type uploadListSchema } from '@millrace/contract';
import { type Principal, type UploadId, ownThings } from '@millrace/domain';
import { Idempotent, IdempotentWork, IdParam, decodeIdCursor, Operation, pageFields } from '@millrace/http';
import { QueryServiceProxy } from '../query-service.proxy.js';
import { UploadReceiver } from './upload-receiver.js';
import { presentUpload } from './upload.presenter.js';

@Controller()
export class FilesController {
  constructor(
    private readonly catalog: Catalog,
    private readonly receiver: UploadReceiver,
    private readonly queryService: QueryServiceProxy,
  ) {}

  @Operation('file.upload')
  async upload(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Idempotent() work: IdempotentWork | undefined,
    @Caller() caller: Principal,
  ): Promise<UploadBody | undefined> {
    const upload = await this.receiver.receive(caller, request, work);
    // The answer of the first time is given, whatever became of its upload.
    if (!upload) return undefined;
    void reply.header('location', `/v1/files/${upload.id}`);
    return presentUpload(upload);
  }

  @Operation('file.list')
  async list(
    @Query({ schema: listUploadsQuerySchema }) query: z.output<typeof listUploadsQuerySchema>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof uploadListSchema>> {
    const page = await this.catalog.uploads.list(caller.tenantId, {
      ...ownThings(caller),
      limit: query.limit,
      before: decodeIdCursor('upload', query.cursor),
      status: query.status,
    });
    return { uploads: page.items.map(presentUpload), ...pageFields(page) };
  }

  @Operation('file.get')
  async get(@IdParam('upload') id: UploadId, @Caller() caller: Principal): Promise<UploadBody> {
    return presentUpload(await this.catalog.uploads.get(caller.tenantId, id, ownThings(caller)));
  }

  @Operation('file.analyze', { body: 'jsonBytes' })
  analyze(
    @IdParam('upload') _id: UploadId,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('file.delete')
  async delete(@IdParam('upload') id: UploadId, @Caller() caller: Principal): Promise<void> {
    await this.catalog.uploads.delete(caller.tenantId, id, ownThings(caller));
  }
}
