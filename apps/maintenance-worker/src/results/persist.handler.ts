import { Controller } from '@nestjs/common';
import { JobContext, JobHandler, type PayloadOf } from '@millrace/queue';
import { ResultPersister } from './result-persister.js';

@Controller()
export class PersistHandler {
  constructor(private readonly persister: ResultPersister) {}

  @JobHandler('result.persist')
  persist(_payload: PayloadOf<'result.persist'>, context: JobContext): Promise<void> {
    return this.persister.persist(context);
  }
}
