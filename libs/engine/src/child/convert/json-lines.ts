import { isUtf8 } from 'node:buffer';
import { DomainError } from '@millrace/domain';
import type { ConvertLimits, ConvertRequest } from '../../tasks/convert.task.js';
import { replaceScalar } from '../../types/replace-scalar.js';
import { quoteIdentifier } from '../../types/sql-text.js';
import { isOutOfMemory, readDuckdbError } from '../duckdb-error.js';
import { toStorageFull } from '../storage-full.js';
import type { TaskContext } from '../task-context.js';
import { checkColumns } from './column-check.js';
import { EffortFailedError } from './effort.js';
import { detectJson, hasRenamedKeys, jsonText, readWithTypes } from './json-reading.js';
import { likelyTimes, timeOf } from './json-types.js';
import { linePieces } from './line-pieces.js';
import { RecordShapes } from './record-shapes.js';
import type { SourceColumn, TableSource } from './table-source.js';

const SAMPLE_ROWS = 20_480;
const SAMPLE_BYTES = 4 * 1024 * 1024;

export interface JsonLinesFile {
  readonly path: string;
  readonly request: ConvertRequest;
  readonly limits: ConvertLimits;
}

/**
 * JSON with a record on each line, whose structure is that of the first ones: it is read once, and while it is written,
 * `prove` makes sure that no later record has a key or a kind of value that the first ones had not.
 *
 * @throws EffortFailedError for anything else: small files, pins, numbers that lose digits, whatever is wrong
 */
export async function openJsonLines(context: TaskContext, file: JsonLinesFile): Promise<TableSource> {
  return openPlain(context, file).catch((error: unknown) => {
    throw error instanceof DomainError || isOfFile(error) ? new EffortFailedError('whole') : error;
  });
}

async function openPlain(
  { connection, signal }: TaskContext,
  { path, request, limits }: JsonLinesFile,
): Promise<TableSource> {
  const text = jsonText(path, request, limits);
  const isOther = text.layout === 'array' || Object.keys(request.columns ?? {}).length > 0;
  if (isOther) throw new EffortFailedError('whole');
  const shapes = await learn(path, signal);
  const { found } = await detectJson(connection, { ...text, sampleRows: shapes.recordCount });
  checkColumns(found, limits);
  if (hasRenamedKeys(found) || found.some(({ type }) => DECIDED_BY_ALL.test(type)))
    throw new EffortFailedError('whole');
  const texts = found.map(({ name, type }) => ({ name, type: withoutHugeint(type), isPinned: false }));
  const withTypes = (typed: readonly { name: string; type: string }[]): string => readWithTypes(text, typed);
  const times = await likelyTimes(connection, texts, { withTypes });
  const columns = texts.map((column) => ({ ...column, type: times.get(column.name) ?? column.type }));
  return {
    columns,
    select: selectWithTimes(columns, times, withTypes(texts)),
    dialect: undefined,
    warnings: [],
    explain: (error) => Promise.resolve(error),
    effortAfter: (error) => (isOfFile(error) ? 'whole' : undefined),
    prove: (abort) => prove(path, shapes, abort),
  };
}

/** Types that a later value may turn into others although it is of the same kind. */
export const DECIDED_BY_ALL = /\bMAP\(|\bTIME\b/;

/** The reader takes whole numbers of both signs for HUGEINT; here none has more digits than a BIGINT. */
const withoutHugeint = (type: string): string => replaceScalar(type, { from: 'HUGEINT', to: 'BIGINT' });

/** The shapes of the first records, behind which there are others. */
async function learn(path: string, signal: AbortSignal): Promise<RecordShapes> {
  const shapes = new RecordShapes();
  let bytes = 0;
  for await (const piece of linePieces(path, signal)) {
    if (shapes.recordCount >= SAMPLE_ROWS || bytes >= SAMPLE_BYTES) {
      shapes.settle();
      if (!shapes.areTyped) break;
      return shapes;
    }
    if (!isText(piece) || !shapes.admit(piece)) break;
    bytes += piece.length;
  }
  throw new EffortFailedError('whole');
}

/** @throws EffortFailedError when some record is not like the first ones */
async function prove(path: string, shapes: RecordShapes, signal: AbortSignal): Promise<void> {
  for await (const piece of linePieces(path, signal)) {
    if (!isText(piece) || !shapes.admit(piece)) throw new EffortFailedError('whole');
  }
  if (!shapes.areTyped) throw new EffortFailedError('whole');
}

const isText = (piece: Buffer): boolean => !piece.includes(0) && isUtf8(piece);

/** Reads texts, and makes times of those that the first rows had; an error at a text that is none. */
function selectWithTimes(columns: readonly SourceColumn[], times: ReadonlyMap<string, string>, from: string): string {
  const inner = columns.flatMap(({ name, type }, index) => {
    const text = `${quoteIdentifier(name)} AS c${index}`;
    return times.has(name) ? [text, `TRY_CAST(${quoteIdentifier(name)} AS ${type}) AS v${index}`] : [text];
  });
  const items = columns.map(({ name, type }, index) => {
    const item = times.has(name) ? timeOf({ text: `c${index}`, value: `v${index}`, type }) : `c${index}`;
    return `${item} AS ${quoteIdentifier(name)}`;
  });
  return `SELECT ${items.join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${from})`;
}

/** Whether an error of DuckDB may be one of the file, so that a closer look at it says more. */
function isOfFile(error: unknown): boolean {
  const duckdb = readDuckdbError(error);
  return duckdb !== undefined && !toStorageFull(error) && !isOutOfMemory(duckdb) && duckdb.type !== 'INTERRUPT';
}
