import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConvertAnswer, ConvertLimits, ConvertRequest } from '../../tasks/convert.task.js';
import type { TaskContext } from '../task-context.js';
import { noRows } from './conversion-error.js';
import { cutToRecords } from './cut-to-records.js';
import { readHead } from './decompress.js';
import { formatOf } from './format-of-head.js';
import { flattenColumns } from './flatten-columns.js';
import { QUOTED_FILE } from './json-source.js';
import { type TextTable, textOpener } from './open-text.js';
import { checkOptionsFit } from './options-fit.js';
import { openParquet } from './parquet-source.js';
import { profileWritten } from './profile-written.js';
import { withRecords } from './records-text.js';
import { selectColumns } from './select-columns.js';
import type { TableSource } from './table-source.js';
import { withUtf8 } from './utf8-text.js';
import { type ConvertedSource, type SourceOpener, writeSource } from './write-source.js';

const HEAD_BYTES = 4_096;

/** A file without compression. */
export interface PlainFile {
  readonly request: ConvertRequest;
  readonly limits: ConvertLimits;
  readonly path: string;
  /** What it had. */
  readonly compression: ConvertAnswer['compression'];
  /** Set where not all of it is wanted. */
  readonly look?: Look | undefined;
}

export interface Look {
  /** Whether these are the first bytes of a text, which may end within a record. */
  readonly isCut: boolean;
  /** Rows of a Parquet file that are enough. */
  readonly parquetRowsMax: number;
}

/**
 * Writes a file that is not compressed as a table: its format, its encoding and its types are found out here.
 *
 * @throws DomainError `conversion.*` for what is wrong with the file; `request.invalid` for options that are not for it
 */
export async function writePlain(file: PlainFile, context: TaskContext): Promise<ConvertAnswer> {
  context.phases.enter('look');
  const { path, request } = file;
  const head = await readHead(path, HEAD_BYTES);
  if (head.length === 0) throw noRows('The file is empty.');
  const format = formatOf(request, head);
  checkOptionsFit(request, format);
  return format === 'parquet' ? writeParquet(file, context) : writeText({ ...file, format, head }, context);
}

async function writeParquet(file: PlainFile, context: TaskContext): Promise<ConvertAnswer> {
  const { path, request, limits, compression, look } = file;
  const open = async (): Promise<TableSource> => {
    const source = selectColumns(await openParquet(context.connection, path, request, limits), request);
    return look ? { ...source, select: `${source.select} LIMIT ${look.parquetRowsMax}` } : source;
  };
  const written = await writeSource(open, limits, context);
  return answerOf(context, written, { format: 'parquet', compression, look, encoding: undefined, warnings: [] });
}

async function writeText(
  { head, compression, look, ...file }: PlainFile & Pick<TextTable, 'format'> & { readonly head: Buffer },
  context: TaskContext,
): Promise<ConvertAnswer> {
  const { path, limits, format, request } = file;
  const text = { path, head, limits, saidEncoding: request.options?.encoding };
  try {
    return await withUtf8(text, context, async ({ encoding, warnings, path: utf8Path }) => {
      const isCut = look?.isCut === true;
      return withRecords({ path: utf8Path, request, limits, isCut }, context, async (records) => {
        const table = { format, limits, ...records };
        if (isCut) await cutToRecords(records.path, table);
        const written = await writeSource(columnsOpener(table, await textOpener(table, context)), limits, context);
        return answerOf(context, written, { format, compression, look, encoding, warnings });
      });
    });
  } finally {
    await rm(join(context.scratchDir, QUOTED_FILE), { force: true });
  }
}

/** The columns that are wanted of what an opener gives. */
function columnsOpener({ request, limits }: TextTable, open: SourceOpener): SourceOpener {
  return async (effort) => {
    const source = await open(effort);
    const isFlat = request.options?.nested === 'flatten';
    return selectColumns(isFlat ? flattenColumns(source, request, limits) : source, request);
  };
}

/** @param found beside the table itself */
async function answerOf(
  context: TaskContext,
  { source, written }: ConvertedSource,
  {
    warnings,
    look,
    ...found
  }: Pick<ConvertAnswer, 'format' | 'compression' | 'encoding' | 'warnings'> & Pick<PlainFile, 'look'>,
): Promise<ConvertAnswer> {
  context.phases.enter('profile');
  const { columns, profile } = await profileWritten(context, written, { isProfiled: look === undefined });
  return {
    ...found,
    dialect: source.dialect,
    columns,
    rowCount: written.rowCount,
    profile,
    warnings: [...warnings, ...source.warnings],
  };
}
