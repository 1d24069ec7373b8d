import { create } from 'content-disposition';
import { resultUnavailable, type Catalog, type Result } from '@millrace/catalog';
import { TABLE_FORMATS, type TableFormat } from '@millrace/contract';
import { DomainError, type ByteRange, type DatasetId, type Principal, type ResultId } from '@millrace/domain';
import type { DatasetHeads } from '../datasets/dataset-heads.js';
import { negotiateFormat, notAcceptable } from '../formats/negotiate-format.js';
import { resultFile } from '../inputs/table-resolver.js';
import type { OpenWork } from '../open-work.js';
import type { ReadableResults } from '../results/readable-results.js';
import { parseByteRange } from './byte-range.js';
import type { Download, DownloadConditions } from './download.js';
import type { DownloadTable } from './download-table.js';
import { allowsRange, entityTagOf, isNamed } from './entity-tag.js';
import type { TableStreams } from './table-streams.js';

/** A stream of Arrow has another ending than a file of Arrow. */
const ENDINGS = { parquet: 'parquet', arrow: 'arrows', csv: 'csv', json: 'json', ndjson: 'ndjson' } as const;

const TABLE_FORMAT_NAMES = Object.keys(TABLE_FORMATS) as TableFormat[];

export interface DownloadsParts {
  readonly catalog: Catalog;
  readonly heads: DatasetHeads;
  readonly results: ReadableResults;
  readonly streams: TableStreams;
  readonly work: OpenWork;
}

export interface DownloadRequest {
  readonly format?: TableFormat | undefined;
  readonly accept?: string | undefined;
  readonly conditions: DownloadConditions;
  /** Whether only the head is wanted. */
  readonly isHead: boolean;
  readonly signal: AbortSignal;
}

interface Chosen {
  readonly table: DownloadTable;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends whole tables. */
export class DownloadsService {
  constructor(private readonly parts: DownloadsParts) {}

  /** @throws DomainError as `dataset.download` of the contract lists them */
  dataset({ tenantId }: Principal, id: DatasetId, request: DownloadRequest): Promise<Download> {
    return this.parts.work.run(async () => {
      const { tableName: name, version } = await this.parts.heads.get(tenantId, id);
      const { columns, files } = version;
      return this.open({ tenantId, name, columns, files }, request);
    });
  }

  /** @throws DomainError as `result.download` of the contract lists them */
  result(caller: Principal, id: ResultId, request: DownloadRequest): Promise<Download> {
    return this.parts.work.run(async () => {
      const result = await this.parts.results.get(caller, id);
      const unavailable = resultUnavailable(result);
      if (unavailable) throw unavailable;
      try {
        return await this.open(tableOf(result), request);
      } catch (error) {
        if (!(error instanceof DomainError) || error.code !== 'storage.object_missing') throw error;
        // Deleted or expired a moment ago, or lost.
        await this.parts.results.markMissing(result);
        throw resultUnavailable(await this.parts.results.get(caller, id)) ?? error;
      }
    });
  }

  private async open(table: DownloadTable, request: DownloadRequest): Promise<Download> {
    const format = chooseFormat(table, request);
    const tag = entityTagOf(table, format);
    if (isNamed(tag, request.conditions.ifNoneMatch)) return { status: 304, headers: validators(tag) };
    const chosen = { table, headers: headersOf(table, { format, tag }) };
    if (format === 'parquet') return this.sendStored(chosen, { request, tag });
    return this.sendEncoded(chosen, { request, format });
  }

  /** The stored file as it is, or a range of it. */
  private async sendStored(
    { table, headers }: Chosen,
    { request, tag }: { readonly request: DownloadRequest; readonly tag: string },
  ): Promise<Download> {
    const [file] = table.files;
    if (!file) throw notAcceptable('The table has no file.');
    const whole = { ...headers, 'repr-digest': digestOf(file.contentHash) };
    if (request.isHead) return { status: 200, headers: { ...whole, ...lengthOf(file.sizeBytes) } };
    const { range: header, ifRange } = request.conditions;
    const range = allowsRange(tag, ifRange) ? parseByteRange(header, file.sizeBytes) : undefined;
    const held = await this.reserve(table);
    const { tenantId } = table;
    const body = await this.parts.streams.stored({ tenantId, held, file, range, signal: request.signal });
    if (!range) return { status: 200, headers: { ...whole, ...lengthOf(file.sizeBytes) }, body };
    return { status: 206, headers: { ...whole, ...rangeHeaders(range, file.sizeBytes) }, body };
  }

  /** Made by an engine process while it is sent. */
  private async sendEncoded(
    { table, headers }: Chosen,
    { request, format }: { readonly request: DownloadRequest; readonly format: Exclude<TableFormat, 'parquet'> },
  ): Promise<Download> {
    if (request.isHead) return { status: 200, headers };
    const { tenantId, files, columns } = table;
    const { queryTimeoutMaxMs: deadlineMs } = await this.parts.catalog.tenants.limitsOf(tenantId);
    const held = await this.reserve(table);
    const { signal } = request;
    const body = await this.parts.streams.encoded({ tenantId, held, files, columns, format, deadlineMs, signal });
    return { status: 200, headers, body };
  }

  private async reserve({ tenantId }: DownloadTable) {
    const { downloadConcurrencyMax } = await this.parts.catalog.tenants.limitsOf(tenantId);
    return this.parts.streams.reserve(tenantId, downloadConcurrencyMax);
  }
}

/** A table of several files has no Parquet of its own: joined files would be a new one, which nothing here makes. */
function chooseFormat({ files }: DownloadTable, request: DownloadRequest): TableFormat {
  const available = TABLE_FORMAT_NAMES.filter((name) => name !== 'parquet' || files.length === 1);
  const format = negotiateFormat<TableFormat>(request, available);
  if (available.includes(format)) return format;
  throw notAcceptable(`The table has ${files.length} files, which are no Parquet file. Take ${available.join(', ')}.`);
}

function tableOf(result: Result): DownloadTable {
  const { tenantId, id: name, columns } = result;
  const file = resultFile(result);
  return { tenantId, name, columns, files: file ? [file] : [] };
}

/** Whoever keeps a copy keeps it for its one caller, and asks each time: a right to read can be taken away. */
function validators(tag: string): Record<string, string> {
  return { etag: tag, vary: 'accept', 'cache-control': 'private, no-cache' };
}

function headersOf(
  { name }: DownloadTable,
  { format, tag }: { readonly format: TableFormat; readonly tag: string },
): Record<string, string> {
  return {
    ...validators(tag),
    'content-type': TABLE_FORMATS[format].contentType,
    'content-disposition': create(`${name}.${ENDINGS[format]}`),
    'accept-ranges': format === 'parquet' ? 'bytes' : 'none',
  };
}

function lengthOf(sizeBytes: number): Record<string, string> {
  return { 'content-length': String(sizeBytes) };
}

function rangeHeaders({ start, end }: ByteRange, sizeBytes: number): Record<string, string> {
  return { 'content-range': `bytes ${start}-${end}/${sizeBytes}`, ...lengthOf(end - start + 1) };
}

/** RFC 9530, of the whole file also where a range is sent. */
function digestOf(contentHash: string): string {
  return `sha-256=:${Buffer.from(contentHash, 'hex').toString('base64')}:`;
}
