import { z } from 'zod';

/** Where traces go. */
export const telemetryVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description:
        'Collector of traces that speaks OTLP over HTTP, for example `http://otel-collector:4318`; `/v1/traces` is added. Left out, nothing is traced.',
    }),
  OTEL_TRACES_SAMPLE_RATIO: z.coerce.number().min(0).max(1).default(1).meta({
    description:
      'The part of the traces begun here that is recorded. Of requests that name a trace, those are that are recorded there.',
  }),
};
