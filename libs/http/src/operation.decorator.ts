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

/** What the server knows of a route beside its handler. */
export interface MillraceRouteConfig {
  /** The operation of the contract that the route serves; the label of its metrics. */
  readonly operation: string;
  /** Whether the handler gets the body as a stream that nobody has read. */
  readonly streamsBody: boolean;
  /** Who may pass. A route without it lets nobody in. */
  readonly access: Access;
}

/**
 * Serves an operation of the contract: its method, path, success status and access come from there.
 *
 * @param options.streamsBody hand the handler the unread body although the contract says JSON, to pass it on
 */
export function Operation(name: OperationName, options: { readonly streamsBody?: boolean } = {}): MethodDecorator {
  const operation: OperationContract = OPERATIONS[name];
  const config: MillraceRouteConfig = {
    operation: name,
    streamsBody: options.streamsBody ?? operation.body?.kind === 'bytes',
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
