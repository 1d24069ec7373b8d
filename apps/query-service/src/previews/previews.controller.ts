import { Controller, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { previewQuerySchema } from '@millrace/contract';
import type { DatasetId, Principal } from '@millrace/domain';
import { IdParam, Operation } from '@millrace/http';
import { disconnectSignal } from '../disconnect-signal.js';
import { asJson } from '../rows-json.js';
import { PreviewsService } from './previews.service.js';

@Controller()
export class PreviewsController {
  constructor(private readonly previews: PreviewsService) {}

  @Operation('dataset.preview')
  async preview(
    @IdParam('dataset') id: DatasetId,
    @Query({ schema: previewQuerySchema }) { limit, format }: z.output<typeof previewQuerySchema>,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return asJson(reply, await this.previews.preview(caller, id, { limit, format, signal: disconnectSignal(reply) }));
  }
}
