import { createHash, randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import type { DirectUploadRow, Upload } from '@millrace/catalog';
import type { PresignedUploadBody, UploadBody } from '@millrace/contract';
import type { UploadId } from '@millrace/domain';
import { S3ObjectStore } from '@millrace/object-store';
import { S3Proxy, startS3 } from '@millrace/testing';
import { startTestGateway, type GatewayUnderTest, type SendOptions } from './gateway-harness.js';

/** Of every part but the last. */
export const PART_BYTES = 16 * 1024 * 1024;

export interface Part {
  readonly part_number: number;
  readonly etag: string;
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A gateway before a bucket, and what a client does that sends files past it. */
export class DirectUploadsHarness {
  /** A file of two parts. */
  readonly bytes = randomBytes(PART_BYTES + 1000);

  private constructor(
    readonly gateway: GatewayUnderTest,
    readonly store: S3ObjectStore,
    /** Before the bucket; clients' parts come through it, too. */
    readonly proxy: S3Proxy,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(variables: Record<string, string> = {}): Promise<DirectUploadsHarness> {
    const s3 = await startS3();
    const proxy = await S3Proxy.start(s3.endpoint);
    const store = new S3ObjectStore({ ...s3, endpoint: proxy.endpoint });
    const { directUploads } = store;
    const gateway = await startTestGateway(variables, undefined, { store, directUploads });
    return new DirectUploadsHarness(gateway, store, proxy, async () => {
      await gateway.stop();
      store.close();
      await proxy.stop();
      await s3.stop();
    });
  }

  /** No faults any more. */
  heal(): void {
    this.proxy.heal();
    this.gateway.store.heal();
  }

  async post<T>(path: string, json: unknown, options: SendOptions = {}): Promise<T & { status: unknown }> {
    const answer = await this.gateway.send('POST', path, { json, ...options });
    return (await answer.json()) as T & { status: unknown };
  }

  presign(request: object = {}, options?: SendOptions): Promise<PresignedUploadBody> {
    const json = { size_bytes: this.bytes.byteLength, ...request };
    return this.post<PresignedUploadBody>('/v1/files/presign', json, options) as never;
  }

  /** Sends the parts as a client would, which has nothing but the addresses. */
  send(upload: Pick<PresignedUploadBody, 'parts' | 'part_size_bytes'>, content = this.bytes): Promise<Part[]> {
    const sending = upload.parts.map(async ({ part_number: number, url }) => {
      const start = (number - 1) * upload.part_size_bytes;
      const body = content.subarray(start, start + upload.part_size_bytes);
      const answer = await fetch(url, { method: 'PUT', body });
      expect(answer.status).toBe(200);
      return { part_number: number, etag: answer.headers.get('etag') ?? '' };
    });
    return Promise.all(sending);
  }

  complete(id: string, request: object, options?: SendOptions) {
    return this.post<UploadBody & { code?: string }>(`/v1/files/${id}/complete`, request, options);
  }

  rowOf(id: string): Promise<Upload> {
    return this.gateway.catalog.uploads.get(this.gateway.tenant.tenantId, id as UploadId);
  }

  directOf(id: string): Promise<DirectUploadRow | undefined> {
    const { tenantId } = this.gateway.tenant;
    return this.gateway.catalog.directUploads.find({ tenantId, id: id as UploadId });
  }
}
