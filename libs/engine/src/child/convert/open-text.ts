import type { ConvertLimits, ConvertRequest, DataFormat } from '../../tasks/convert.task.js';
import type { TaskContext } from '../task-context.js';
import { noRows } from './conversion-error.js';
import { openCsv } from './csv-source.js';
import { openJsonLines } from './json-lines.js';
import { JsonOutline } from './json-outline.js';
import { openJson } from './json-source.js';
import type { TableSource } from './table-source.js';
import { checkText, type TextObserver } from './text-check.js';
import type { SourceOpener } from './write-source.js';

export interface TextTable {
  readonly format: Exclude<DataFormat, 'parquet'>;
  readonly request: ConvertRequest;
  readonly limits: ConvertLimits;
  /** In UTF-8, or else in an encoding that is not known yet. */
  readonly path: string;
}

/**
 * How to look at a table in a text.
 *
 * @throws NotUtf8Error; the opener does, too
 */
export async function textOpener(file: TextTable, context: TaskContext): Promise<SourceOpener> {
  const { format, request, limits, path } = file;
  switch (format) {
    case 'json':
      return (effort) => (effort === 'guarded' ? openJsonLines(context, file) : openWholeJson(file, context));
    case 'csv':
      await checkContent(path, context);
      return (effort) => openCsv(context.connection, { path, request, limits, effort });
  }
}

async function openWholeJson({ request, limits, path }: TextTable, context: TaskContext): Promise<TableSource> {
  const outline = new JsonOutline(limits.nestingMax);
  await checkContent(path, context, outline);
  outline.finish();
  return openJson(context, { path, request, limits, outline });
}

async function checkContent(path: string, { signal }: TaskContext, observer?: TextObserver): Promise<void> {
  if (!(await checkText(path, signal, observer))) throw noRows('The file holds nothing but white space.');
}
