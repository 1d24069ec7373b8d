import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeldCall } from '../faulty-object-store.js';

/** What goes wrong with a request. */
export type S3Fault =
  /** An error instead of an answer; the store hears nothing. */
  | { readonly kind: 'answer'; readonly status: number; readonly code: string; readonly message?: string }
  /** The request arrives later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The store does it, and the connection ends before the answer. */
  | { readonly kind: 'lose' }
  /** The connection ends in the middle of the answer's body. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The right status and headers, but for a length that agrees with too few bytes. */
  | { readonly kind: 'shorten'; readonly bytes: number }
  /** The right body under other headers. */
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  /** The body comes to a stop; the connection stays. */
  | { readonly kind: 'stall'; readonly afterBytes: number };

export interface FaultScope {
  /** The operation it is about, such as `GetObject`; the default is every one. */
  readonly of?: S3OperationName;
  /** Only requests whose path matches. */
  readonly path?: RegExp;
  /** How often; the default is until `heal`. */
  readonly times?: number;
  /** Only each n-th of the requests it is about. */
  readonly every?: number;
}

export type S3OperationName =
  | 'AbortMultipartUpload'
  | 'CompleteMultipartUpload'
  | 'CreateMultipartUpload'
  | 'DeleteObject'
  | 'GetObject'
  | 'HeadBucket'
  | 'HeadObject'
  | 'ListMultipartUploads'
  | 'ListObjects'
  | 'ListParts'
  | 'PutObject'
  | 'UploadPart'
  | 'Other';

interface Armed {
  readonly fault: S3Fault;
  readonly of: S3OperationName | undefined;
  readonly path: RegExp | undefined;
  readonly every: number;
  timesLeft: number;
  seen: number;
}

interface Hold {
  readonly of: readonly S3OperationName[];
  readonly path: RegExp;
  readonly released: Promise<void>;
  readonly arrived: () => void;
}

export interface SeenRequest {
  readonly operation: S3OperationName;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
}

/**
 * Stands before a store that speaks S3 and makes it fail as stores do. Without a fault it changes nothing: the `Host`
 * header, which signatures cover, is passed on as it is. Faults add up; the first that fits a request counts.
 *
 *     const proxy = await S3Proxy.start(s3.endpoint);
 *     const store = new S3ObjectStore({ ...s3, endpoint: proxy.endpoint });
 *     proxy.fail({ kind: 'answer', status: 503, code: 'SlowDown' }, { every: 3 });
 */
export class S3Proxy {
  /** Every request that arrived, in order. */
  readonly requests: SeenRequest[] = [];
  #faults: Armed[] = [];
  #holds: Hold[] = [];
  #server: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  /** Of connections that have ended. */
  readonly #ended = { receivedBytes: 0, sentBytes: 0 };

  private constructor(private readonly target: URL) {}

  /** @param endpoint address of the store */
  static async start(endpoint: string): Promise<S3Proxy> {
    const proxy = new S3Proxy(new URL(endpoint));
    await proxy.accept();
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** What clients have sent and got since the start, in bytes, with all headers. */
  get traffic(): { readonly receivedBytes: number; readonly sentBytes: number } {
    let { receivedBytes, sentBytes } = this.#ended;
    for (const socket of this.#sockets) {
      receivedBytes += socket.bytesRead;
      sentBytes += socket.bytesWritten;
    }
    return { receivedBytes, sentBytes };
  }

  /** Requests from now on fail so. */
  fail(fault: S3Fault, { of, path, times = Number.POSITIVE_INFINITY, every = 1 }: FaultScope = {}): void {
    this.#faults.push({ fault, of, path, every, timesLeft: times, seen: 0 });
  }

  /** The policy of the bucket does not allow an operation, or none. */
  deny(of?: S3OperationName): void {
    this.fail({ kind: 'answer', status: 403, code: 'AccessDenied', message: 'Access Denied' }, of && { of });
  }

  /** Operations wait before the store hears of them, until they are released. */
  hold(of: readonly S3OperationName[], path = /^/): HeldCall {
    const [arrival, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const hold = { of, path, released: release.promise, arrived: arrival.resolve };
    this.#holds.push(hold);
    return {
      arrived: arrival.promise,
      release: () => {
        this.#holds = this.#holds.filter((other) => other !== hold);
        release.resolve();
      },
    };
  }

  /** No faults any more. Held requests stay held, and a store that refuses goes on refusing until `accept`. */
  heal(): void {
    this.#faults = [];
    this.requests.length = 0;
  }

  /** Nobody listens any more, and every connection is gone. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Listens again, at the same address. */
  async accept(): Promise<void> {
    if (this.#server) return;
    const server = createServer((incoming, answer) => void this.#serve(incoming, answer));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        this.#ended.receivedBytes += socket.bytesRead;
        this.#ended.sentBytes += socket.bytesWritten;
      });
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    await this.refuse();
  }

  async #serve(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const operation = operationOf(incoming);
    this.requests.push({ operation, target: incoming.url ?? '/', headers: incoming.headers });
    const path = incoming.url ?? '/';
    await this.#untilReleased(operation, path);
    const fault = this.#faultFor(operation, path);
    if (fault?.kind === 'answer') return refuse(incoming, answer, fault);
    if (fault?.kind === 'delay') await sleep(fault.delayMs, undefined, { ref: false });
    this.#forward(incoming, answer, fault);
  }

  async #untilReleased(operation: S3OperationName, path: string): Promise<void> {
    for (const { arrived, released } of this.#holds.filter(
      (hold) => hold.of.includes(operation) && hold.path.test(path),
    )) {
      arrived();
      await released;
    }
  }

  #faultFor(operation: S3OperationName, path: string): S3Fault | undefined {
    for (const armed of this.#faults) {
      if (armed.timesLeft <= 0 || (armed.of !== undefined && armed.of !== operation)) continue;
      if (armed.path && !armed.path.test(path)) continue;
      armed.seen += 1;
      if (armed.seen % armed.every !== 0) continue;
      armed.timesLeft -= 1;
      return armed.fault;
    }
    return undefined;
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse, fault: S3Fault | undefined): void {
    const { method, url, headers } = incoming;
    const { hostname, port } = this.target;
    const outgoing = request({ hostname, port, method, path: url, headers, setHost: false });
    outgoing.on('error', () => answer.destroy());
    outgoing.on('response', (response) => {
      response.on('error', () => answer.destroy());
      passOn(response, answer, fault);
    });
    answer.on('close', () => outgoing.destroy());
    incoming.on('error', () => outgoing.destroy());
    incoming.pipe(outgoing);
  }
}

/** Takes the body first: a client that is still sending would see a broken connection instead of the answer. */
function refuse(
  incoming: IncomingMessage,
  answer: ServerResponse,
  { status, code, message = 'On purpose.' }: Extract<S3Fault, { kind: 'answer' }>,
): void {
  incoming.resume();
  incoming.on('end', () => {
    answer.writeHead(status, { 'content-type': 'application/xml' });
    const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
    answer.end(incoming.method === 'HEAD' ? undefined : xml);
  });
}

function passOn(response: IncomingMessage, answer: ServerResponse, fault: S3Fault | undefined): void {
  const { statusCode = 502, headers } = response;
  switch (fault?.kind) {
    case 'lose':
      response.resume().on('end', () => answer.destroy());
      return;
    case 'shorten':
      answer.writeHead(statusCode, { ...headers, 'content-length': String(fault.bytes) });
      takeBytes(response, fault.bytes, (bytes) => answer.end(bytes));
      return;
    case 'headers':
      answer.writeHead(statusCode, { ...headers, ...fault.headers });
      response.pipe(answer);
      return;
    case 'cut':
    case 'stall':
      answer.writeHead(statusCode, headers);
      takeBytes(response, fault.afterBytes, (bytes) => {
        answer.write(bytes, () => {
          if (fault.kind === 'cut') answer.destroy();
        });
      });
      return;
    default:
      answer.writeHead(statusCode, headers);
      response.pipe(answer);
  }
}

/** The first bytes of a body, once they are there; the rest is dropped. */
function takeBytes(response: IncomingMessage, count: number, use: (bytes: Buffer) => void): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('end', () => use(Buffer.concat(chunks).subarray(0, count)));
}

/** Which operation a request is, by its method, path and query. */
function operationOf({ method = '', url = '/' }: IncomingMessage): S3OperationName {
  const { pathname, searchParams } = new URL(url, 'http://any');
  const isBucket = /^\/[^/]+\/?$/.test(pathname);
  const inUpload = searchParams.has('uploadId');
  const uploads = searchParams.has('uploads');
  if (isBucket) {
    if (method === 'HEAD') return 'HeadBucket';
    if (method === 'GET') return uploads ? 'ListMultipartUploads' : 'ListObjects';
    return 'Other';
  }
  switch (method) {
    case 'HEAD':
      return 'HeadObject';
    case 'GET':
      return inUpload ? 'ListParts' : 'GetObject';
    case 'PUT':
      return inUpload ? 'UploadPart' : 'PutObject';
    case 'POST':
      return uploads ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
    case 'DELETE':
      return inUpload ? 'AbortMultipartUpload' : 'DeleteObject';
    default:
      return 'Other';
  }
}
