import { z } from 'zod';

export const livenessSchema = z.object({ status: z.literal('ok') }).meta({ id: 'Liveness' });

export const readinessSchema = z
  .object({
    status: z.enum(['ready', 'not_ready']),
    checks: z.record(z.string(), z.object({ status: z.enum(['up', 'down']), detail: z.string().optional() })),
  })
  .meta({ id: 'Readiness' });

export type ReadinessBody = z.infer<typeof readinessSchema>;

export const configSchema = z
  .object({
    version: z.string(),
    formats: z.array(z.string()).meta({ description: 'Of files to make datasets of.' }),
    download_formats: z.array(z.string()),
    content_encodings: z.array(z.string()),
    limits: z.record(z.string(), z.number()).meta({ description: 'The defaults; a name ends in its unit.' }),
    features: z.record(z.string(), z.boolean()),
  })
  .meta({ id: 'Config' });

export type ConfigBody = z.infer<typeof configSchema>;
