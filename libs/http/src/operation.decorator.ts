import { applyDecorators, Delete, Get, Head, HttpCode, Options, Patch, Post, Put } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  OPERATIONS,
  type HttpMethod,
  type Operation as OperationContract,
  type OperationName,
} from '@millrace/contract';
import type { FastifyInstance } from 'fastify';
import type { Access } from '@millrace/auth';

const METHOD_DECORATORS = {
  ...{ get: Get, head: Head, options: Options },
  ...{ post: Post, put: Put, patch: Patch, delete: Delete },
} as const satisfies Record<HttpMethod, unknown>;

/**
 * A body as what was parsed, or nothing where it may be left out; as the bytes of JSON that nobody has parsed; or as a
 * stream that nobody has read; `none` where the operation has no body.
 */
export type BodyForm = 'none' | 'json' | 'jsonOrNone' | 'jsonBytes' | 'stream';

/** What the server knows of a route beside its handler. */
export interface MillraceRouteConfig {
  /** The operation of the contract that the route serves; the label of its metrics. */
  readonly operation: string;
  /** What the handler gets of the body. */
  readonly body: BodyForm;
  /** Who may pass. A route without it lets nobody in. */
  readonly access: Access;
}

/**
 * Serves an operation of the contract: its method, path, success status and access come from there.
 *
 * @param options.body `jsonBytes` hands JSON to the handler as it came, to pass it on
 */
export function Operation(name: OperationName, options: { readonly body?: BodyForm } = {}): MethodDecorator {
  const operation: OperationContract = OPERATIONS[name];
  const config: MillraceRouteConfig = {
    operation: name,
    body: options.body ?? formOf(operation.body),
    access: operation.access,
  };
  return applyDecorators(
    METHOD_DECORATORS[operation.method](operation.path.replace(/\{(\w+)\}/g, ':$1')),
    HttpCode(Number(Object.keys(operation.responses)[0])),
    RouteConfig(config),
  );
}

function formOf(body: OperationContract['body']): BodyForm {
  if (!body) return 'none';
  if (body.kind === 'bytes') return 'stream';
  return body.optional ? 'jsonOrNone' : 'json';
}

/** Lets everybody in to the routes that are added to an instance from now on; for pages that are no operations. */
export function makePublic(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    route.config = Object.assign({}, route.config, { access: 'public' satisfies Access });
  });
}
