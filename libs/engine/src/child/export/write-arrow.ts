import { constants as fsConstants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DomainError } from '@millrace/domain';
import { type Data, makeData, RecordBatch, Schema, Struct } from 'apache-arrow';
import type { ExportAnswer, ExportRequest } from '../../tasks/export.task.js';
import { selectStored } from '../table-view.js';
import type { TaskContext } from '../task-context.js';
import { copyText } from '../write-parquet.js';
import { toArrowError } from './arrow-error.js';
import { exportSchema } from './arrow-schema.js';
import { BatchEncoder } from './batch-encoder.js';
import { StoredBatches } from './stored-batches.js';
import { COLUMNS_AT_ONCE, readWide } from './wide-batches.js';

/**
 * Writes stored files into the task's pipe as one Arrow IPC stream. The values are those of the storage form, so nothing
 * is lost: DuckDB's own way to Arrow makes a double of a HUGEINT.
 */
export async function writeArrow(request: ExportRequest, context: TaskContext): Promise<ExportAnswer> {
  const tally = { rowCount: 0 };
  const pipe = await open(context.outputPath, fsConstants.O_WRONLY);
  const trap = trapStop();
  try {
    const bytes = Readable.from(encodeTable(request, context, tally));
    await Promise.race([pipeline(bytes, pipe.createWriteStream(), { signal: context.signal }), trap.stopped]);
    return tally;
  } catch (error) {
    throw toArrowError(error);
  } finally {
    trap.release();
  }
}

/** A stop of the WebAssembly module in one of its own callbacks fails no promise of ours: it would end the process. */
function trapStop(): { stopped: Promise<never>; release: () => void } {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const onUncaught = (error: unknown): void => {
    if (!(toArrowError(error) instanceof DomainError)) throw error;
    reject(error);
  };
  process.on('uncaughtException', onUncaught);
  return { stopped, release: () => process.off('uncaughtException', onUncaught) };
}

async function* encodeTable(
  request: ExportRequest,
  context: TaskContext,
  tally: { rowCount: number },
): AsyncGenerator<Buffer> {
  const schema = request.columns.length === 0 ? new Schema([]) : await schemaOf(request, context);
  const encoder = new BatchEncoder(schema);
  for await (const data of batchesOf(request, context, schema)) {
    tally.rowCount += data.length;
    yield encoder.encode(new RecordBatch(schema, data));
  }
  yield encoder.finish();
}

function batchesOf(request: ExportRequest, context: TaskContext, schema: Schema): AsyncGenerator<Data<Struct>> {
  return request.columns.length > COLUMNS_AT_ONCE ? wideBatches(request, context, schema) : storedBatches(request);
}

async function* storedBatches({ files, columns, limit }: ExportRequest): AsyncGenerator<Data<Struct>> {
  let left = limit ?? Number.POSITIVE_INFINITY;
  for (const path of columns.length === 0 ? [] : files) {
    if (left <= 0) return;
    const stored = await StoredBatches.open(path);
    try {
      for await (const { data } of stored.read(left)) {
        left -= data.length;
        yield data;
      }
    } finally {
      stored.close();
    }
  }
}

async function* wideBatches(
  request: ExportRequest,
  context: TaskContext,
  schema: Schema,
): AsyncGenerator<Data<Struct>> {
  const type = new Struct(schema.fields);
  for await (const { rowCount, columns } of readWide(request, context)) {
    yield makeData({ type, length: rowCount, nullCount: 0, children: [...columns] });
  }
}

/** From the first file; from one without rows when there is none. */
async function schemaOf({ files, columns }: ExportRequest, context: TaskContext): Promise<Schema> {
  const [first] = files;
  if (first !== undefined) return exportSchema(await storedSchema(first), columns);
  const path = join(context.scratchDir, 'schema.parquet');
  try {
    await context.connection.run(copyText(selectStored([], columns), columns, path).text);
    return exportSchema(await storedSchema(path), columns);
  } finally {
    await rm(path, { force: true });
  }
}

async function storedSchema(path: string): Promise<Schema> {
  const stored = await StoredBatches.open(path);
  stored.close();
  return stored.schema;
}
