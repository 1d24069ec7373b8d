import { ReadableStream } from 'node:stream/web';
import { Inject, Injectable } from '@nestjs/common';
import { Server } from '@tus/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Catalog } from '@millrace/catalog';
import {
  DomainError,
  isId,
  newId,
  ownThings,
  type ByteStream,
  type ObjectStore,
  type Principal,
} from '@millrace/domain';
import { withTimeLimits } from '@millrace/http';
import { BlobWriter } from '@millrace/object-store';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { OBJECT_STORE } from '../tokens.js';
import { CHECKSUM_ALGORITHMS, TusChecksum } from './tus-checksum.js';
import { tusProblem } from './tus-problem.js';
import { TusLocks } from './tus-locks.js';
import { TusStore, type TusStoreParts } from './tus-store.js';
import { UploadPlaces } from './upload-places.js';

const VERSION = '1.0.0';
const TUS_PATH = '/v1/files/tus';

/** How long a request that was asked to let go may go on, so that what has come of its piece is kept. */
const DRAIN_MS = 1_000;

/** Of the request, what is tus; what belongs to proxies and browsers is not the library's business. */
const REQUEST_HEADERS = /^(?:tus-|upload-|content-length$|content-type$)/;
/** Of the answer, likewise: who may ask from where is the same for all routes. */
const ANSWER_HEADERS = /^(?:tus-(?!resumable)|upload-|location$|cache-control$)/;

/** Uploads in pieces, which go on where they broke off, by tus 1.0. The protocol is the library's, the rest is as everywhere. */
@Injectable()
export class TusDoor {
  private readonly locker = new TusLocks();

  constructor(
    private readonly catalog: Catalog,
    private readonly writer: BlobWriter,
    private readonly places: UploadPlaces,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  /** @throws DomainError of uploads; `tus.invalid`, `tus.version_unsupported`, `upload.offset_mismatch`, `upload.locked` */
  async answer(caller: Principal, { request, reply }: { request: FastifyRequest; reply: FastifyReply }): Promise<void> {
    void reply.header('tus-resumable', VERSION);
    if (request.method !== 'OPTIONS' && request.headers['tus-resumable'] !== VERSION) {
      void reply.header('tus-version', VERSION);
      throw new DomainError('tus.version_unsupported', `Send "Tus-Resumable: ${VERSION}", the one version there is.`);
    }
    const response = request.body ? await this.withPlace(caller, request) : await this.handle(caller, request);
    for (const [name, value] of response.headers) {
      if (ANSWER_HEADERS.test(name)) void reply.header(name, value);
    }
    if (request.method === 'OPTIONS') void reply.header('tus-checksum-algorithm', CHECKSUM_ALGORITHMS.join(','));
    if (response.problem) throw response.problem;
    await reply.status(response.status).send();
  }

  private withPlace(caller: Principal, request: FastifyRequest): Promise<TusAnswer> {
    return this.places.run(caller.tenantId, () => this.handle(caller, request));
  }

  private async handle(caller: Principal, request: FastifyRequest): Promise<TusAnswer> {
    let failure: unknown;
    const { catalog, writer, store } = this;
    const checksum = TusChecksum.parse(headerText(request.headers['upload-checksum']));
    const parts = { catalog, writer, store, checksum, retentionMs: this.settings.uploadRetentionMs };
    const server = this.serverFor(caller, { parts, onFailure: (error) => (failure = error) });
    const over = new AbortController();
    const { status, headers, body } = await server
      .handleWeb(this.webRequest(request, over.signal))
      .finally(() => over.abort());
    if (status < 400) return { status, headers };
    const detail = body ? await new Response(body).text() : '';
    return { status, headers, problem: tusProblem({ status, detail, failure }) };
  }

  /** One for each request: what it does, it does for the caller. */
  private serverFor(
    caller: Principal,
    { parts, onFailure }: { readonly parts: TusStoreParts; readonly onFailure: (error: unknown) => void },
  ): Server {
    const { catalog } = this;
    return new Server({
      path: TUS_PATH,
      // Proxies know where this is better than we do.
      relativeLocation: true,
      datastore: new TusStore(caller, parts),
      locker: this.locker,
      lockDrainTimeout: DRAIN_MS,
      maxSize: () => this.bytesMaxOf(caller),
      namingFunction: () => newId('upload'),
      getFileIdFromRequest: (_request, id) => (id !== undefined && isId('upload', id) ? id : undefined),
      // Before the lock is asked for: nobody gets to disturb the upload of somebody else.
      onIncomingRequest: async ({ method }, id) => {
        if (method !== 'POST' && isId('upload', id)) {
          await catalog.resumableUploads.get({ tenantId: caller.tenantId, id, ...ownThings(caller) });
        }
      },
      onResponseError: (_request, error) => {
        onFailure(error);
        return undefined;
      },
    });
  }

  private async bytesMaxOf({ tenantId }: Principal): Promise<number> {
    const { uploadBytesMax } = await this.catalog.tenants.limitsOf(tenantId);
    return Math.min(uploadBytesMax, this.settings.uploadBytesMax);
  }

  private webRequest({ method, url, headers, body }: FastifyRequest, over: AbortSignal): Request {
    const known = Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && REQUEST_HEADERS.test(name) ? [[name, value] as [string, string]] : [],
    );
    return new Request(new URL(url, 'http://gateway'), {
      ...{ method, headers: known },
      ...(body !== undefined &&
        body !== null && { body: this.streamOf(body as ByteStream, over) as never, duplex: 'half' }),
    });
  }

  /** Read as it is asked for, and never destroyed: a request takes its connection along. */
  private streamOf(body: ByteStream, signal: AbortSignal): ReadableStream<Uint8Array> {
    const limits = { idleMs: this.settings.uploadIdleMs, code: 'upload.interrupted', signal } as const;
    return ReadableStream.from(withTimeLimits(body, limits));
  }
}

function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header;
}

interface TusAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly problem?: DomainError;
}
