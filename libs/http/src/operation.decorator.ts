import { applyDecorators, Delete, Get, HttpCode, Post, Put } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import {
  OPERATIONS,
  type HttpMethod,
  type Operation as OperationContract,
  type OperationName,
} from '@millrace/contract';
import type { FastifyInstance } from 'fastify';
import type { Access } from '@millrace/auth';

const METHOD_DECORATORS = { get: Get, post: Post, put: Put, delete: Delete } as const satisfies Record<
  HttpMethod,
  unknown
>;

/**
 * A body as what was parsed, as the bytes of JSON that nobody has parsed, or as a stream that nobody has read; `none`
 * where the operation has no body.
 */
export type BodyForm = 'none' | 'json' | 'jsonBytes' | 'stream';

const FORM_OF_KIND = { none: 'none', json: 'json', bytes: 'stream' } as const satisfies Record<string, BodyForm>;

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
    body: options.body ?? FORM_OF_KIND[operation.body?.kind ?? 'none'],
    access: operation.access,
  };
  return applyDecorators(
    METHOD_DECORATORS[operation.method](operation.path.replace(/\{(\w+)\}/g, ':$1')),
    HttpCode(Number(Object.keys(operation.responses)[0])),
    RouteConfig(config),
  );
}

/** Lets everybody in to the routes that are added to an instance from now on; for pages that are no operations. */
export function makePublic(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    route.config = Object.assign({}, route.config, { access: 'public' satisfies Access });
  });
}
