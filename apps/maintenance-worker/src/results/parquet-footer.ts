import { DomainError } from '@millrace/domain';
import { CompactReader, CompactType, type FieldVisitor } from './compact-reader.js';

/** What the footer of a Parquet file says about it. */
export interface ParquetFooter {
  readonly rowCount: number;
  /** Columns of the table; a nested one counts once. */
  readonly columnCount: number;
  readonly rowGroupCount: number;
  /** Bytes of all column chunks as they are stored. */
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
}

/**
 * Takes five numbers from Parquet's FileMetaData (`parquet.thrift` of the format's repository).
 *
 * A process that ran foreign SQL wrote the bytes, so what they say must not decide how much memory it takes to read
 * them. That rules out hyparquet, which takes 1.4 GB for a footer of 39 bytes that announces long lists.
 *
 * @throws DomainError `result.corrupt`
 */
export function parseFooter(bytes: Uint8Array): ParquetFooter {
  const reader = new CompactReader(bytes);
  const sizes = { rowGroupCount: 0, compressedBytes: 0, uncompressedBytes: 0 };
  let rowCount: number | undefined;
  let columnCount: number | undefined;
  try {
    reader.readStruct((field, type) => {
      if (field === 2 && type === CompactType.list) columnCount = readColumnCount(reader);
      else if (field === 3 && type === CompactType.i64) rowCount = reader.readInteger();
      else if (field === 4 && type === CompactType.list) readRowGroups(reader, sizes);
      else reader.skip(type);
    });
  } catch (error) {
    throw notParquet(error);
  }
  if (rowCount === undefined || columnCount === undefined) throw notParquet();
  return { rowCount, columnCount, ...sizes };
}

export function notParquet(cause?: unknown): DomainError {
  return new DomainError('result.corrupt', 'The file of the result is no Parquet file. Run the query again.', {
    cause,
  });
}

/** The schema is a list of elements. The first one is the root, and its children (5) are the columns. */
function readColumnCount(reader: CompactReader): number | undefined {
  let columnCount: number | undefined;
  reader.readStructs((index) => (field, type) => {
    if (index === 0 && field === 5 && type === CompactType.i32) columnCount = reader.readInteger();
    else reader.skip(type);
  });
  return columnCount;
}

interface Sizes {
  rowGroupCount: number;
  compressedBytes: number;
  uncompressedBytes: number;
}

/** A row group has column chunks (1), which have metadata (3), which have the bytes before (6) and after (7) compression. */
function readRowGroups(reader: CompactReader, sizes: Sizes): void {
  const metadata: FieldVisitor = (field, type) => {
    if (field === 6 && type === CompactType.i64) sizes.uncompressedBytes += reader.readInteger();
    else if (field === 7 && type === CompactType.i64) sizes.compressedBytes += reader.readInteger();
    else reader.skip(type);
  };
  const chunk: FieldVisitor = (field, type) => {
    if (field === 3 && type === CompactType.struct) reader.readStruct(metadata);
    else reader.skip(type);
  };
  const group: FieldVisitor = (field, type) => {
    if (field === 1 && type === CompactType.list) reader.readStructs(() => chunk);
    else reader.skip(type);
  };
  reader.readStructs(() => {
    sizes.rowGroupCount += 1;
    return group;
  });
}
