import { Body, Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import {
  completeUploadSchema,
  presignUploadSchema,
  signPartsSchema,
  type PresignedUploadBody,
  type SignedPartsBody,
  type UploadBody,
} from '@millrace/contract';
import type { Principal, SignedPart, UploadId } from '@millrace/domain';
import { IdParam, Operation } from '@millrace/http';
import { DirectUploader } from './direct-uploader.js';
import { presentUpload } from './upload.presenter.js';

/** Uploads whose bytes go past this service. */
@Controller()
export class DirectUploadsController {
  constructor(private readonly uploader: DirectUploader) {}

  @Operation('file.presign')
  async presign(
    @Body({ schema: presignUploadSchema }) body: z.output<typeof presignUploadSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<PresignedUploadBody> {
    const { upload, partSizeBytes, partCount, parts } = await this.uploader.begin(caller, body);
    void reply.header('location', `/v1/files/${upload.id}`);
    return {
      ...presentUpload(upload),
      part_size_bytes: partSizeBytes,
      part_count: partCount,
      parts: parts.map(presentPart),
    };
  }

  @Operation('file.sign_parts')
  async sign(
    @IdParam('upload') id: UploadId,
    @Body({ schema: signPartsSchema }) body: z.output<typeof signPartsSchema>,
    @Caller() caller: Principal,
  ): Promise<SignedPartsBody> {
    const { upload, parts } = await this.uploader.sign(caller, { id, numbers: body.part_numbers });
    return { parts: parts.map(presentPart), expires_at: upload.expiresAt.toISOString() };
  }

  @Operation('file.complete')
  async complete(
    @IdParam('upload') id: UploadId,
    @Body({ schema: completeUploadSchema }) body: z.output<typeof completeUploadSchema>,
    @Caller() caller: Principal,
  ): Promise<UploadBody> {
    const parts = body.parts.map(({ part_number: number, etag }) => ({ number, etag }));
    return presentUpload(await this.uploader.complete(caller, { id, parts, sha256: body.sha256 }));
  }
}

function presentPart({ number, sizeBytes, url }: SignedPart): PresignedUploadBody['parts'][number] {
  return { part_number: number, size_bytes: sizeBytes, url };
}
