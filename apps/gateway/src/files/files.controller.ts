import type { Readable } from 'node:stream';
import { Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { Catalog } from '@millrace/catalog';
import { listUploadsQuerySchema, type UploadBody, type uploadListSchema } from '@millrace/contract';
import { DomainError, type Principal, type UploadId, ownThings } from '@millrace/domain';
import { IdParam, decodeIdCursor, Operation, pageFields } from '@millrace/http';
import { openMultipart } from './multipart.js';
import { UploadReceiver } from './upload-receiver.js';
import { describeFile, expectedHashOf, type IncomingFile } from './upload-request.js';
import { presentUpload } from './upload.presenter.js';

@Controller()
export class FilesController {
  constructor(
    private readonly catalog: Catalog,
    private readonly receiver: UploadReceiver,
  ) {}

  @Operation('file.upload')
  async upload(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<UploadBody> {
    const upload = await this.receiver.receive(caller, await incomingFile(request));
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

  @Operation('file.delete')
  async delete(@IdParam('upload') id: UploadId, @Caller() caller: Principal): Promise<void> {
    await this.catalog.uploads.delete(caller.tenantId, id, ownThings(caller));
  }
}

/** The file of a request: its raw body, or the one file of a form. */
async function incomingFile(request: FastifyRequest): Promise<IncomingFile> {
  const { headers } = request;
  const body = request.body as Readable | undefined;
  if (!body) throw new DomainError('upload.empty', 'Send the file as the body of the request.');
  const expectedHash = expectedHashOf(headerText(headers['content-digest']));
  if (!/^multipart\/form-data\b/i.test(headers['content-type'] ?? '')) {
    return { ...describeFile(headers), body, ...(expectedHash !== undefined && { expectedHash }) };
  }
  if (expectedHash !== undefined) {
    throw new DomainError(
      'request.invalid',
      'Content-Digest is verified for raw bodies only; send the file as the body.',
    );
  }
  return openMultipart(headers, body);
}

function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}
