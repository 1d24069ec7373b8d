import type { z } from 'zod';
import type { Operation } from './operation.js';
import { OPERATIONS, type OperationName } from './operations.js';
import { problemSchema, type Problem } from './schemas/common.js';

type Op<N extends OperationName> = (typeof OPERATIONS)[N];

/** What a request of an operation takes. */
export interface ClientRequest<N extends OperationName> {
  /** Values for `{…}` in the path. */
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Op<N> extends { query: infer Q extends z.ZodType } ? z.input<Q> : never;
  readonly body?: Op<N> extends { body: { kind: 'json'; schema: infer S extends z.ZodType } }
    ? z.input<S>
    : RequestInit['body'];
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

type BodyOf<R> = R extends { body: infer S extends z.ZodType } ? z.output<S> : never;
type JsonBody<N extends OperationName> = BodyOf<Op<N>['responses'][keyof Op<N>['responses']]>;
/** Beside a body in JSON there is none only for who asked for a part, or for what changed: by `open`. */
type AnswerBody<N extends OperationName> = [JsonBody<N>] extends [never] ? undefined : JsonBody<N>;

export interface ClientAnswer<N extends OperationName> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AnswerBody<N>;
}

/** The server answered with a problem (RFC 9457). */
export class ProblemError extends Error {
  constructor(
    readonly problem: Problem,
    readonly headers: Headers,
  ) {
    super(`${problem.title}: ${problem.detail}`);
    this.name = 'ProblemError';
  }
}

/** The server answered 202: the work goes on, and there is no answer yet. */
export class PendingError extends Error {
  constructor(
    /** What the operation's `pending` says. */
    readonly pending: unknown,
    /** `Location` says where to look, `Retry-After` when. */
    readonly headers: Headers,
  ) {
    super('The work goes on: it takes longer than the wait.');
    this.name = 'PendingError';
  }
}

/** The typed HTTP client of the contract. */
export class MillraceClient {
  /**
   * @param options.url address of the gateway, for example `http://localhost:8080`
   * @param options.apiKey sent as a bearer token when given
   */
  constructor(private readonly options: { readonly url: string; readonly apiKey?: string }) {}

  /**
   * Calls one operation and gives its answer.
   *
   * @throws ProblemError when the server answers with a problem; PendingError when the work takes longer than the wait,
   * and what the server says then is not what it says at the end
   */
  async call<N extends OperationName>(name: N, request: ClientRequest<N> = {}): Promise<ClientAnswer<N>> {
    const response = await this.open(name, request);
    const { pending } = (OPERATIONS[name] as Operation).responses[response.status] ?? {};
    if (pending) throw new PendingError(pending.parse(await response.json()), response.headers);
    return { status: response.status, headers: response.headers, body: (await readBody(response)) as AnswerBody<N> };
  }

  /**
   * Calls one operation and gives its answer unread: for those that are bytes.
   *
   * @throws ProblemError when the server answers with a problem
   */
  async open<N extends OperationName>(name: N, request: ClientRequest<N> = {}): Promise<Response> {
    const operation: Operation = OPERATIONS[name];
    const json = operation.body?.kind === 'json' && request.body !== undefined;
    const response = await fetch(this.address(operation, request), {
      method: operation.method.toUpperCase(),
      headers: {
        ...(this.options.apiKey && { authorization: `Bearer ${this.options.apiKey}` }),
        ...(json && { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(request.body !== undefined && {
        body: json ? JSON.stringify(request.body) : (request.body as RequestInit['body']),
      }),
      ...(request.signal && { signal: request.signal }),
      duplex: 'half',
    } as RequestInit);
    if (response.status >= 400) await throwProblem(response);
    return response;
  }

  private address(operation: Operation, request: { path?: Readonly<Record<string, string>>; query?: unknown }): URL {
    const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(request.path?.[name] ?? ''),
    );
    const address = new URL(path, this.options.url);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) address.searchParams.set(name, String(value));
    }
    return address;
  }
}

async function readBody(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  return response.headers.get('content-type')?.includes('json') ? response.json() : response.text();
}

/** Turns an answer of 400 and above into an error; `/readyz` answers 503 without a problem, which is its body. */
async function throwProblem(response: Response): Promise<void> {
  if (!response.headers.get('content-type')?.includes('application/problem+json')) return;
  throw new ProblemError(problemSchema.parse(await response.json()), response.headers);
}
