import { Body, Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Caller } from '@millrace/auth';
import { type AnalyzeFileBody, analyzeFileSchema } from '@millrace/contract';
import type { Principal, UploadId } from '@millrace/domain';
import { IdParam, Operation } from '@millrace/http';
import { disconnectSignal } from '../disconnect-signal.js';
import { asJson } from '../rows-json.js';
import { AnalysesService } from './analyses.service.js';

@Controller()
export class AnalysesController {
  constructor(private readonly analyses: AnalysesService) {}

  @Operation('file.analyze')
  async analyze(
    @IdParam('upload') id: UploadId,
    @Body({ schema: analyzeFileSchema }) body: AnalyzeFileBody,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    return asJson(reply, await this.analyses.analyze(caller, id, { ...body, signal: disconnectSignal(reply) }));
  }
}
