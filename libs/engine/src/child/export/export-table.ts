import type { ExportAnswer, ExportRequest } from '../../tasks/export.task.js';
import type { TaskContext } from '../task-context.js';
import { exportText } from './export-text.js';

/** Writes stored files into the task's pipe. */
export async function exportTable(request: ExportRequest, context: TaskContext): Promise<ExportAnswer> {
  const { format } = request;
  if (format !== 'arrow') return { rowCount: await exportText({ ...request, format }, context) };
  // Only now: its libraries take a tenth of a second and 40 MB to load.
  const { writeArrow } = await import('./write-arrow.js');
  return writeArrow(request, context);
}
