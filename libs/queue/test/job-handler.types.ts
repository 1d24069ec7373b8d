import type { JobContext } from '../src/job-context.js';
import { JobHandler } from '../src/job-handler.decorator.js';
import type { ConvertPayload } from './worker-app.js';

/** Checked by the compiler, never run: the payload's type follows the name of the job. */
export class TypeChecks {
  // @ts-expect-error a handler of `result.persist` does not get the payload of a conversion
  @JobHandler('result.persist')
  async persist(_payload: ConvertPayload, _context: JobContext): Promise<void> {}

  // @ts-expect-error there is no such job
  @JobHandler('dataset.paint')
  async paint(_payload: object): Promise<void> {}
}
