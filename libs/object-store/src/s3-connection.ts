import type { S3Client } from '@aws-sdk/client-s3';
import { withDeadline } from './deadline.js';
import { createS3Client } from './s3-client.js';
import { s3Error, type S3CallContext } from './s3-error.js';
import { S3_LIMITS, type S3Limits, type S3StoreOptions } from './s3-store-options.js';

/** Bodies that move more slowly than this count as stalled. */
const UPLOAD_BYTES_PER_MS_MIN = 64;

/** A large object is put together from its parts before the answer ends; S3 says this may take minutes. */
const COMPLETE_TIMEOUT_MS = 10 * 60_000;

/** What a call needs from the policy of the bucket; with the right name an administrator finds it. */
const ACTIONS = {
  PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  ListParts: 's3:ListMultipartUploadParts',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  HeadBucket: 's3:ListBucket',
  ListObjectsV2: 's3:ListBucket',
  DeleteObject: 's3:DeleteObject',
} as const;

export type S3Operation = keyof typeof ACTIONS;

export interface S3CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Bytes that the call sends; it may take longer for many. */
  readonly bodyBytes?: number;
}

/** What the SDK takes beside a command. */
export interface S3SendOptions {
  readonly abortSignal: AbortSignal;
  readonly requestTimeout: number;
}

/**
 * One bucket and the connections to it. Every call has a deadline, takes a signal, is tried again by the SDK (with
 * growing, random pauses, and a budget that all calls share), and throws DomainErrors.
 */
export class S3Connection {
  readonly client: S3Client;
  readonly bucket: string;
  readonly limits: S3Limits;
  readonly #host: string | undefined;

  constructor(options: S3StoreOptions) {
    this.bucket = options.bucket;
    this.limits = { ...S3_LIMITS, ...options.limits };
    this.#host = options.endpoint === undefined ? undefined : new URL(options.endpoint).host;
    this.client = createS3Client({ ...options, limits: this.limits });
  }

  /** @throws the signal's reason; DomainErrors as `s3Error` makes them */
  async call<T>(
    operation: S3Operation,
    options: S3CallOptions,
    send: (options: S3SendOptions) => Promise<T>,
  ): Promise<T> {
    const { signal } = options;
    signal?.throwIfAborted();
    try {
      return await this.callRaw(operation, options, send);
    } catch (error) {
      signal?.throwIfAborted();
      throw s3Error(error, this.contextOf(operation));
    }
  }

  /** The same, with the errors of the SDK as they are. */
  async callRaw<T>(
    operation: S3Operation,
    { signal, bodyBytes = 0 }: S3CallOptions,
    send: (options: S3SendOptions) => Promise<T>,
  ): Promise<T> {
    const { idleTimeoutMs, attemptsMax } = this.limits;
    const requestTimeout =
      operation === 'CompleteMultipartUpload'
        ? COMPLETE_TIMEOUT_MS
        : idleTimeoutMs + Math.ceil(bodyBytes / UPLOAD_BYTES_PER_MS_MIN);
    // The SDK stops waiting when the head of an answer is there; behind it, this does. Pauses between tries included.
    const timeoutMs = requestTimeout * attemptsMax;
    return withDeadline((abortSignal) => send({ abortSignal, requestTimeout }), { timeoutMs, signal });
  }

  contextOf(operation: S3Operation): S3CallContext {
    return { action: ACTIONS[operation], bucket: this.bucket, host: this.#host };
  }

  close(): void {
    this.client.destroy();
  }
}
