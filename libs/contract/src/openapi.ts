import { ERRORS, idPattern, ID_PREFIXES, type ErrorCode, type IdKind } from '@millrace/domain';
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { z } from 'zod';
import { COMMON_ERRORS, IDEMPOTENCY_ERRORS, takesKey, type Operation, type OperationResponse } from './operation.js';
import { OPERATIONS } from './operations.js';
import { problemSchema } from './schemas/common.js';

/** What `{id}` is under each collection of the paths. */
const ID_KIND_OF_COLLECTION: Readonly<Record<string, IdKind>> = {
  files: 'upload',
  datasets: 'dataset',
  queries: 'queryRun',
  results: 'result',
  jobs: 'job',
};

/**
 * The OpenAPI 3.1 document of the whole contract, made from the operations and their zod schemas.
 *
 * @param version of the service
 */
export function openApiDocument(version: string): ReturnType<typeof createDocument> {
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Millrace',
      version,
      description: 'Upload files, get tables, query them in SQL, read the results again.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ apiKey: [] }],
    paths: documentPaths(),
    components: {
      securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'An API key.' } },
    },
  });
}

function documentPaths(): ZodOpenApiPathsObject {
  const paths: ZodOpenApiPathsObject = {};
  for (const [name, operation] of Object.entries<Operation>(OPERATIONS)) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: documentOperation(name, operation) };
  }
  return paths;
}

function documentOperation(name: string, operation: Operation): ZodOpenApiOperationObject {
  const parameters = pathParameters(operation.path);
  const headers = headerParameters(operation);
  return {
    operationId: name,
    summary: operation.summary,
    ...(operation.description && { description: operation.description }),
    tags: [operation.tag],
    ...(operation.access === 'public' && { security: [] }),
    requestParams: {
      ...(parameters && { path: parameters }),
      ...(operation.query && { query: operation.query }),
      ...(headers && { header: headers }),
    },
    ...(operation.body && { requestBody: documentBody(operation.body) }),
    responses: { ...documentResponses(operation), ...documentProblems(operation) },
  };
}

/** The headers that an operation understands beside those of every route. */
function headerParameters(operation: Operation): z.ZodObject | undefined {
  const { prefer, headers } = operation;
  const shape = {
    ...(prefer && preferHeader),
    ...(takesKey(operation) && idempotencyHeader),
    ...headers?.shape,
  };
  return Object.keys(shape).length > 0 ? z.object(shape) : undefined;
}

const preferHeader = {
  Prefer: z.string().optional().meta({
    description: '`wait=N`: answer within N seconds, at most 60. `respond-async`: answer 202 at once.',
    example: 'wait=20',
  }),
};

const idempotencyHeader = {
  'Idempotency-Key': z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/)
    .optional()
    .meta({
      description:
        'The same request with the same key is done once; its answer is given again. A new key for each new request.',
      example: '5f0c2d8e-7d0a-4d4e-9a51-0f6f1e2c9b7a',
    }),
};

function pathParameters(path: string): z.ZodObject | undefined {
  const collection = /^\/v1\/([a-z]+)\/(?:tus\/)?\{id\}/.exec(path)?.[1];
  const kind = collection && ID_KIND_OF_COLLECTION[collection];
  if (!kind) return undefined;
  return z.object({
    id: z
      .string()
      .regex(new RegExp(idPattern(kind)))
      .meta({ example: `${ID_PREFIXES[kind]}01jd3x9k2v7q8m4n5p6r7s8t9w` }),
  });
}

function documentBody(body: NonNullable<Operation['body']>): NonNullable<ZodOpenApiOperationObject['requestBody']> {
  if (body.kind === 'json') {
    return { required: !body.optional, content: { 'application/json': { schema: body.schema } } };
  }
  return {
    required: true,
    content: {
      '*/*': { schema: { type: 'string', format: 'binary' } },
      'multipart/form-data': {
        schema: { type: 'object', properties: { file: { type: 'string', format: 'binary' } }, required: ['file'] },
      },
    },
  };
}

function documentResponses(operation: Operation): ZodOpenApiOperationObject['responses'] {
  const responses: ZodOpenApiOperationObject['responses'] = {};
  for (const [status, response] of Object.entries(operation.responses)) {
    const headers = documentHeaders({
      ...response.headers,
      ...(operation.prefer && { 'Preference-Applied': 'What of `Prefer` was heeded.' }),
      ...(takesKey(operation) && {
        'Idempotency-Replayed': '`true` when this is the answer to an earlier request with the same key.',
      }),
      ...(status === '200' && isList(operation) && { Link: 'The next page, `rel="next"`, if there is one.' }),
    });
    responses[status as `${1 | 2 | 3 | 4 | 5}${string}`] = {
      description: response.description,
      ...(headers && { headers }),
      ...documentContent(response),
    };
  }
  return responses;
}

function documentContent(response: OperationResponse) {
  const { pending, body = pending, otherBody, mediaType = 'application/json', bytes = [] } = response;
  const binary = { schema: { type: 'string', format: 'binary' } } as const;
  const content = {
    ...Object.fromEntries(bytes.map((name) => [name, binary])),
    ...(body && { [mediaType]: { schema: otherBody ? z.union([body, otherBody]) : body } }),
  };
  return Object.keys(content).length > 0 ? { content } : {};
}

/** Every operation that takes a cursor answers in pages. */
function isList({ query }: Operation): boolean {
  return query !== undefined && 'cursor' in query.shape;
}

function documentHeaders(headers: Readonly<Record<string, string>>) {
  const entries = Object.entries(headers).map(
    ([name, description]) => [name, { description, schema: { type: 'string' as const } }] as const,
  );
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

/** What comes with problems beside their body. */
function problemHeaders(status: number, codes: readonly ErrorCode[]) {
  return documentHeaders({
    ...(status === 401 && { 'WWW-Authenticate': 'The scheme, and whether a key was sent that is none.' }),
    ...(codes.some((code) => ERRORS[code].retryable) && { 'Retry-After': 'Seconds, when it may succeed later.' }),
  });
}

/** One problem response per status, whose description lists the codes that come with it. */
function documentProblems(operation: Operation): ZodOpenApiOperationObject['responses'] {
  const codes = [
    ...(operation.access === 'public' ? [] : COMMON_ERRORS),
    ...(takesKey(operation) ? IDEMPOTENCY_ERRORS : []),
    ...operation.errors,
  ];
  const byStatus = Map.groupBy(new Set<ErrorCode>(codes), (code) => ERRORS[code].status);
  const responses: ZodOpenApiOperationObject['responses'] = {};
  for (const [status, ofStatus] of byStatus) {
    const headers = problemHeaders(status, ofStatus);
    responses[String(status) as `${4 | 5}${string}`] = {
      description: ofStatus.map((code) => `\`${code}\`: ${ERRORS[code].title}.`).join('\n\n'),
      ...(headers && { headers }),
      content: { 'application/problem+json': { schema: problemSchema } },
    };
  }
  return responses;
}
