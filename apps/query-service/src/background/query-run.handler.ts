import { Controller } from '@nestjs/common';
import { JobContext, JobHandler, type PayloadOf } from '@millrace/queue';
import { BackgroundQueries } from './background-queries.js';

@Controller()
export class QueryRunHandler {
  constructor(private readonly queries: BackgroundQueries) {}

  @JobHandler('query.run')
  run(_payload: PayloadOf<'query.run'>, context: JobContext): Promise<void> {
    return this.queries.run(context);
  }
}
