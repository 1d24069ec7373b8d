import { DomainError } from '@millrace/domain';
import type { ConvertAnswer, ConvertRequest } from '../../tasks/convert.task.js';
import type { TaskContext } from '../task-context.js';

export async function convertFile(_request: ConvertRequest, _context: TaskContext): Promise<ConvertAnswer> {
  throw new DomainError('conversion.failed', 'Conversions are not built in.');
}
