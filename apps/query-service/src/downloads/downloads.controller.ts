import { Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { downloadQuerySchema } from '@millrace/contract';
import type { DatasetId, Principal, ResultId } from '@millrace/domain';
import { IdParam, Operation } from '@millrace/http';
import { DownloadsService } from './downloads.service.js';
import { downloadRequest, sendDownload } from './send-download.js';

type DownloadQuery = z.output<typeof downloadQuerySchema>;

@Controller()
export class DownloadsController {
  constructor(private readonly downloads: DownloadsService) {}

  @Operation('dataset.download')
  dataset(
    @IdParam('dataset') id: DatasetId,
    @Query({ schema: downloadQuerySchema }) { format }: DownloadQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return sendDownload(reply, this.downloads.dataset(caller, id, downloadRequest(request, { reply, format })));
  }

  @Operation('result.download')
  result(
    @IdParam('result') id: ResultId,
    @Query({ schema: downloadQuerySchema }) { format }: DownloadQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return sendDownload(reply, this.downloads.result(caller, id, downloadRequest(request, { reply, format })));
  }
}
