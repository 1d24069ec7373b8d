import { Controller, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { openApiDocument, fileFormatSchema, TABLE_FORMATS, type ConfigBody } from '@millrace/contract';
import { DEFAULT_TENANT_LIMITS, type DirectUploads } from '@millrace/domain';
import { Operation } from '@millrace/http';
import type { MetricsPage } from '@millrace/telemetry';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { DIRECT_UPLOADS, METRICS_PAGE } from '../tokens.js';

/** What the service says about itself. */
@Controller()
export class ServiceController {
  private readonly document: object;

  constructor(
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
    @Inject(METRICS_PAGE) private readonly metricsPage: MetricsPage,
    @Inject(DIRECT_UPLOADS) private readonly directUploads: DirectUploads | null,
  ) {
    this.document = openApiDocument(settings.version);
  }

  @Operation('service.openapi')
  openApi(): object {
    return this.document;
  }

  @Operation('service.config')
  config(): ConfigBody {
    const { version, uploadBytesMax, uploadRetentionMs, idempotencyRetentionMs } = this.settings;
    const limits = {
      ...DEFAULT_TENANT_LIMITS,
      uploadBytesMax: Math.min(uploadBytesMax, DEFAULT_TENANT_LIMITS.uploadBytesMax),
      uploadRetentionMs,
      idempotencyRetentionMs,
    };
    return {
      version,
      formats: fileFormatSchema.options,
      download_formats: Object.keys(TABLE_FORMATS),
      content_encodings: ['gzip', 'zstd'],
      limits: Object.fromEntries(Object.entries(limits).map(([name, value]) => [snakeCase(name), value])),
      features: { presigned_uploads: this.directUploads !== null },
    };
  }

  @Operation('service.metrics')
  async prometheus(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    void reply.header('content-type', this.metricsPage.contentType);
    return this.metricsPage.metrics();
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
