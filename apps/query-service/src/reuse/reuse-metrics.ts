import { Counter, type Registry } from '@millrace/telemetry';

/**
 * What became of looking for an earlier result: `hit`; `new`, since there is none; `gone`, since it went at this moment;
 * `unwanted` by the caller; `volatile`, `no_table` and `format` say why none is looked for.
 */
export const REUSE_OUTCOMES = ['hit', 'new', 'gone', 'unwanted', 'volatile', 'no_table', 'format'] as const;
export type ReuseOutcome = (typeof REUSE_OUTCOMES)[number];

export class ReuseMetrics {
  private readonly outcomes: Counter<'outcome'>;

  constructor(registry: Registry) {
    this.outcomes = new Counter({
      name: 'millrace_query_reuse_total',
      help: 'SELECT statements by whether an earlier result answered them: hit, or the reason why not.',
      labelNames: ['outcome'],
      registers: [registry],
    });
    for (const outcome of REUSE_OUTCOMES) this.outcomes.inc({ outcome }, 0);
  }

  count(outcome: ReuseOutcome): void {
    this.outcomes.inc({ outcome });
  }
}
