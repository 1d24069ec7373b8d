import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '@millrace/domain';
import {
  type Compression,
  type ConvertAnswer,
  type ConvertLimits,
  type ConvertRequest,
  type DataFormat,
  DEFAULT_CONVERT_LIMITS,
} from '../../tasks/convert.task.js';
import type { TaskContext } from '../task-context.js';
import { checkPinTypes } from './column-pins.js';
import { conversionFailed, noRows } from './conversion-error.js';
import { openCsv } from './csv-source.js';
import { decompress, detectCompression, readHead } from './decompress.js';
import { detectFormat } from './detect-format.js';
import { DiskReserve, lookAtDiskOf } from './disk-reserve.js';
import { type Effort, EffortFailedError } from './effort.js';
import { openJsonLines } from './json-lines.js';
import { JsonOutline } from './json-outline.js';
import { openJson, QUOTED_FILE } from './json-source.js';
import { openParquet } from './parquet-source.js';
import type { TableSource } from './table-source.js';
import { checkText, type TextObserver } from './text-check.js';
import type { WrittenDataset } from './write-dataset.js';
import { writeProven } from './write-proven.js';

const HEAD_BYTES = 4_096;

/** Turns an uploaded file into Parquet. All that is known about the bytes is found out here. */
export async function convertFile(request: ConvertRequest, context: TaskContext): Promise<ConvertAnswer> {
  checkPinTypes(request.columns);
  const limits = { ...DEFAULT_CONVERT_LIMITS, ...request.limits };
  const { size } = await stat(request.file);
  if (size === 0) throw noRows('The file is empty.');
  const compression = await detectCompression(request.file);
  checkEncoding(request, compression);
  const path = compression === 'none' ? request.file : join(context.scratchDir, 'unpacked');
  try {
    if (compression !== 'none') {
      context.phases.enter('unpack');
      await decompress({
        compression,
        source: request.file,
        sourceBytes: size,
        target: path,
        limits,
        reserve: new DiskReserve(lookAtDiskOf(context.scratchDir)),
        signal: context.signal,
        // A value of JSON may go over lines, and all of a file may be one.
        isOfLines: (head) => isCsv(request, head),
      });
    }
    return await convertPlain({ request, limits, path, compression }, context);
  } finally {
    if (compression !== 'none') await rm(path, { force: true });
    await rm(join(context.scratchDir, QUOTED_FILE), { force: true });
  }
}

interface PlainFile {
  readonly request: ConvertRequest;
  readonly limits: ConvertLimits;
  /** The bytes without compression. */
  readonly path: string;
  readonly compression: Compression;
}

type SourceOpener = (effort: Effort) => Promise<TableSource>;

async function convertPlain(file: PlainFile, context: TaskContext): Promise<ConvertAnswer> {
  context.phases.enter('look');
  const head = await readHead(file.path, HEAD_BYTES);
  if (head.length === 0) throw noRows('The file is empty.');
  const format = detectFormat(file.request, head);
  checkOptionsFit(file.request, format);
  const open = await openerOf(format, file, context);
  const { source, written } = await writeSource(open, file.limits, context);
  return {
    format,
    compression: file.compression,
    dialect: source.dialect,
    columns: written.columns,
    rowCount: written.rowCount,
    warnings: source.warnings,
  };
}

interface ConvertedSource {
  readonly source: TableSource;
  readonly written: WrittenDataset;
}

/** Types come from a sample first; when a value does not fit, they come from the whole file. */
async function writeSource(
  open: SourceOpener,
  { decompressedBytesMax }: ConvertLimits,
  context: TaskContext,
): Promise<ConvertedSource> {
  let effort: Effort = 'guarded';
  for (;;) {
    const outcome = await tryWrite(() => open(effort), decompressedBytesMax, context);
    if (typeof outcome !== 'string') return outcome;
    effort = outcome;
  }
}

/** Or the effort that it takes. */
async function tryWrite(
  open: () => Promise<TableSource>,
  bytesMax: number,
  context: TaskContext,
): Promise<ConvertedSource | Effort> {
  context.phases.enter('look');
  const source = await open().catch(effortOf);
  if (typeof source === 'string') return source;
  context.phases.enter('write');
  try {
    return { source, written: await writeProven(context, source, bytesMax) };
  } catch (error) {
    const effort = error instanceof EffortFailedError ? error.next : source.effortAfter(error);
    if (effort === undefined) throw await source.explain(error);
    return effort;
  }
}

function effortOf(error: unknown): Effort {
  if (error instanceof EffortFailedError) return error.next;
  throw error;
}

async function openerOf(format: DataFormat, file: PlainFile, context: TaskContext): Promise<SourceOpener> {
  const { request, limits, path } = file;
  switch (format) {
    case 'parquet':
      return () => openParquet(context.connection, path, request, limits);
    case 'json':
      return (effort) => (effort === 'guarded' ? openJsonLines(context, file) : openWholeJson(file, context));
    case 'csv':
      await checkContent(path, context);
      return (effort) => openCsv(context.connection, { path, request, limits, effort });
  }
}

async function openWholeJson({ request, limits, path }: PlainFile, context: TaskContext): Promise<TableSource> {
  const outline = new JsonOutline(limits.nestingMax);
  await checkContent(path, context, outline);
  outline.finish();
  return openJson(context, { path, request, limits, outline });
}

async function checkContent(path: string, { signal }: TaskContext, observer?: TextObserver): Promise<void> {
  if (!(await checkText(path, signal, observer))) throw noRows('The file holds nothing but white space.');
}

/** False also for bytes of no format, which are refused later. */
function isCsv(request: ConvertRequest, head: Buffer): boolean {
  try {
    return detectFormat(request, head) === 'csv';
  } catch {
    return false;
  }
}

/** An option that changes nothing would be a wish that nobody hears. */
function checkOptionsFit({ options = {} }: ConvertRequest, format: DataFormat): void {
  const given = Object.entries(options).find(([, value]) => value !== undefined);
  if (format === 'csv' || !given) return;
  throw new DomainError('request.invalid', `The option "${given[0]}" is for CSV; the file is ${format.toUpperCase()}.`);
}

/** What the uploader said about the encoding must be true: a broken packing is never read as text. */
function checkEncoding({ contentEncoding = '', fileName = '' }: ConvertRequest, found: Compression): void {
  const encoding = contentEncoding.trim().toLowerCase();
  const said =
    encoding === 'gzip' || encoding === 'x-gzip' || /\.(gz|gzip)$/i.test(fileName)
      ? 'gzip'
      : encoding === 'zstd' || /\.(zst|zstd)$/i.test(fileName)
        ? 'zstd'
        : undefined;
  if (said !== undefined && found === 'none') {
    throw conversionFailed(`The file is said to be packed with ${said}, but its bytes are not.`);
  }
}
