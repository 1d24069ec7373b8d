import { appendFile, readFile, truncate } from 'node:fs/promises';
import type { ConvertRequest, DataFormat } from '../../tasks/convert.task.js';
import { beyondLimit } from './conversion-error.js';
import { recordRules } from './csv-options.js';
import { endOfRecords } from './csv-records.js';
import { cutJson } from './json-cut.js';

/**
 * Makes the beginning of a text a text of whole records: what goes on behind its end is left out.
 *
 * @param path of a file in UTF-8 that may be changed and fits into memory
 * @throws DomainError `conversion.limit` when no record ends in it
 */
export async function cutToRecords(
  path: string,
  { format, request }: { readonly format: Exclude<DataFormat, 'parquet'>; readonly request: ConvertRequest },
): Promise<void> {
  const bytes = await readFile(path);
  const { end, closing } =
    format === 'csv' ? { end: endOfRecords(bytes, recordRules(request.options ?? {})), closing: '' } : cutJson(bytes);
  if (end === 0) {
    throw beyondLimit(`The first row is longer than ${bytes.length} bytes, more of which are not looked at.`);
  }
  await truncate(path, end);
  await appendFile(path, closing);
}
