import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from '@millrace/contract';
import { makePublic } from '@millrace/http';

/** Serves `/docs`, and leads from `/` there: the contract to read and to try in a browser, from files of our own. */
export async function serveDocsPage(fastify: FastifyInstance, version: string): Promise<void> {
  await fastify.register(async (pages) => addPages(pages, version));
}

async function addPages(fastify: FastifyInstance, version: string): Promise<void> {
  makePublic(fastify);
  await fastify.register(swagger, { mode: 'static', specification: { document: openApiDocument(version) as never } });
  fastify.get('/', (_request, reply) => reply.redirect('/docs'));
  await fastify.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { tryItOutEnabled: true, persistAuthorization: true, defaultModelsExpandDepth: 0 },
    theme: {
      title: 'Millrace API',
      css: [{ filename: 'millrace.css', content: '.swagger-ui .topbar { display: none }' }],
    },
  });
}
