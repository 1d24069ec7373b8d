import { z } from 'zod';
import type { Operation } from '../operation.js';
import { configSchema, livenessSchema, readinessSchema } from '../schemas/service.js';

const tag = 'Service';

export const serviceOperations = {
  'service.live': {
    tag,
    summary: 'Whether the process answers',
    method: 'get',
    path: '/livez',
    access: 'public',
    responses: { 200: { description: 'It does.', body: livenessSchema } },
    errors: [],
  },
  'service.ready': {
    tag,
    summary: 'Whether all it needs is there',
    method: 'get',
    path: '/readyz',
    access: 'public',
    responses: {
      200: { description: 'Every dependency is up.', body: readinessSchema },
      503: { description: 'A dependency is down; `checks` names it.', body: readinessSchema },
    },
    errors: [],
  },
  'service.metrics': {
    tag,
    summary: 'Metrics in the format of Prometheus',
    method: 'get',
    path: '/metrics',
    access: 'metrics:read',
    responses: { 200: { description: 'Text.', body: z.string(), mediaType: 'text/plain' } },
    errors: [],
  },
  'service.config': {
    tag,
    summary: 'Limits, formats and features',
    method: 'get',
    path: '/v1/config',
    access: 'public',
    responses: { 200: { description: 'What this service offers.', body: configSchema } },
    errors: [],
  },
  'service.openapi': {
    tag,
    summary: 'This document',
    method: 'get',
    path: '/v1/openapi.json',
    access: 'public',
    responses: { 200: { description: 'OpenAPI 3.1.', body: z.record(z.string(), z.json()) } },
    errors: [],
  },
} as const satisfies Record<string, Operation>;
