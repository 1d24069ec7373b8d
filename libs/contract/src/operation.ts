import type { ErrorCode, Scope } from '@millrace/domain';
import type { z } from 'zod';

export type HttpMethod = 'get' | 'head' | 'options' | 'post' | 'put' | 'patch' | 'delete';

/** One answer of an operation; `body` is absent for an answer without one. */
export interface OperationResponse {
  readonly description: string;
  readonly body?: z.ZodType;
  /** Of the JSON that says that the work goes on, where that is not what comes at its end. */
  readonly pending?: z.ZodType;
  /** What `body` is instead when a parameter asks for it. */
  readonly otherBody?: z.ZodType;
  /** Of a body that is no JSON. */
  readonly mediaType?: string;
  /** Media types that come as bytes, instead of `body` or beside it. */
  readonly bytes?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The body of a request: JSON with a schema, or bytes that are streamed and never parsed. */
export type OperationBody =
  | {
      readonly kind: 'json';
      readonly schema: z.ZodType;
      /** Whether it may be left out. */ readonly optional?: boolean;
    }
  | { readonly kind: 'bytes' };

/**
 * One operation of the HTTP contract. Routes, guard, validation, the OpenAPI document and the client all derive from
 * it, so that they can't disagree.
 */
export interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly method: HttpMethod;
  /** With `{name}` for parameters, as in OpenAPI. */
  readonly path: string;
  /** What a caller must be allowed to do; `public` needs no credentials. */
  readonly access: Scope | 'public';
  readonly query?: z.ZodObject;
  /** Headers that mean something to this operation alone. */
  readonly headers?: z.ZodObject;
  readonly body?: OperationBody;
  /** Of a POST that takes no `Idempotency-Key`: its protocol says how a client goes on after an answer that was lost. */
  readonly repeats?: 'by_protocol';
  /** Whether `Prefer: wait=N` and `respond-async` are understood. */
  readonly prefer?: boolean;
  readonly responses: Readonly<Record<number, OperationResponse>>;
  /** The errors of its own, beside those that every route can give. */
  readonly errors: readonly ErrorCode[];
}

/** Whether requests of an operation may carry an `Idempotency-Key`: every POST whose protocol has no other way. */
export function takesKey({ method, repeats }: Operation): boolean {
  return method === 'post' && repeats === undefined;
}

/** Errors that any route with credentials can give. */
export const COMMON_ERRORS = [
  'auth.missing',
  'auth.invalid',
  'auth.forbidden',
  'request.invalid',
  'request.interrupted',
  'request.too_many',
  'service.unavailable',
  'internal',
] as const satisfies readonly ErrorCode[];

/** Errors of requests that carry an `Idempotency-Key`, which every POST may. */
export const IDEMPOTENCY_ERRORS = [
  'idempotency.key_reused',
  'idempotency.in_progress',
] as const satisfies readonly ErrorCode[];

/** Errors of whatever reads tables in an engine process. */
export const ENGINE_ERRORS = [
  'query.deadline',
  'query.memory',
  'query.result_too_large',
  'query.crashed',
  'query.too_many',
  'result.corrupt',
  'storage.unavailable',
  'storage.full',
  'storage.object_corrupt',
] as const satisfies readonly ErrorCode[];

/** Errors of whatever reads a file of strangers in an engine process. */
export const CONVERSION_ERRORS = [
  'conversion.no_rows',
  'conversion.column_unknown',
  'conversion.type_invalid',
  'conversion.format_unknown',
  'conversion.failed',
  'conversion.limit',
  'conversion.memory',
  'conversion.deadline',
  'conversion.crashed',
] as const satisfies readonly ErrorCode[];
