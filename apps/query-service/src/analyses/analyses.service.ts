import type { Catalog, Upload } from '@millrace/catalog';
import { type AnalyzeFileBody, type FileAnalysisBody, SAMPLE_ROWS_MAX } from '@millrace/contract';
import { DomainError, ownThings, type Principal, type TenantLimits, type UploadId } from '@millrace/domain';
import type { AnalyzeAnswer, EnginePool } from '@millrace/engine';
import type { InputFile } from '../inputs/input-files.js';
import type { OpenWork } from '../open-work.js';
import { withRows } from '../rows-json.js';
import { withTimeLimit } from '../time-limit.js';
import type { UploadedFiles } from './uploaded-files.js';

export interface AnalysesParts {
  readonly catalog: Catalog;
  readonly engine: EnginePool;
  readonly files: UploadedFiles;
  readonly work: OpenWork;
}

type Analysis = NonNullable<AnalyzeFileBody> & { readonly signal: AbortSignal };

/** Shows what datasets of uploads would be. */
export class AnalysesService {
  constructor(private readonly parts: AnalysesParts) {}

  /**
   * @returns the answer as JSON text
   * @throws DomainError as `file.analyze` of the contract lists them
   */
  analyze(caller: Principal, id: UploadId, wanted: Analysis): Promise<string> {
    return this.parts.work.run(async () => {
      const { catalog, work } = this.parts;
      const { tenantId } = caller;
      const upload = await catalog.uploads.get(tenantId, id, ownThings(caller));
      const file = fileOf(upload);
      const limits = await catalog.tenants.limitsOf(tenantId);
      const signal = AbortSignal.any([wanted.signal, work.signal]);
      const limit = { limitMs: limits.queryTimeoutMs, reason: () => tooLong(limits), signal };
      return withTimeLimit(limit, async (timed) => {
        try {
          const answer = await this.look(upload, file, { ...wanted, limits, signal: timed });
          return answerText(upload, answer);
        } catch (error) {
          // What the engine says about a task that was ended is not why it was.
          timed.throwIfAborted();
          throw error;
        }
      });
    });
  }

  private look(
    { tenantId, contentType, contentEncoding, fileName }: Upload,
    file: InputFile,
    { format, options, columns, limits, signal }: Analysis & { readonly limits: TenantLimits },
  ): Promise<AnalyzeAnswer> {
    const { columnsMax, lineBytesMax, nestingMax, decompressedBytesMax, compressionRatioMax } = limits;
    const { engine, files } = this.parts;
    const run = (path: string): Promise<AnalyzeAnswer> =>
      engine.run(
        {
          kind: 'analyze',
          file: path,
          sizeBytes: file.sizeBytes,
          rowsMax: SAMPLE_ROWS_MAX,
          answerBytesMax: limits.inlineAnswerBytesMax,
          format,
          contentType: contentType ?? undefined,
          contentEncoding: contentEncoding ?? undefined,
          fileName: fileName ?? undefined,
          options,
          columns,
          limits: { columnsMax, lineBytesMax, nestingMax, decompressedBytesMax, compressionRatioMax },
        },
        { tenantId, deadlineMs: limits.queryTimeoutMs, signal },
      );
    return files.use({ tenantId, file, signal }, run);
  }
}

/** @throws DomainError `upload.uploading`, `upload.consumed`, `upload.expired` for an upload whose bytes are not there */
function fileOf({ storageKey, contentHash, sizeBytes, status }: Upload): InputFile {
  if (status === 'uploading') {
    throw new DomainError('upload.uploading', 'The bytes of the upload are not all there. Complete it first.');
  }
  if (storageKey !== null && contentHash !== null) return { storageKey, contentHash, sizeBytes };
  if (status === 'expired') {
    throw new DomainError('upload.expired', 'The upload was not used in time. Upload the file again.');
  }
  throw new DomainError('upload.consumed', 'The upload was already turned into a dataset. Upload the file again.');
}

function tooLong({ queryTimeoutMs }: TenantLimits): DomainError {
  return new DomainError(
    'conversion.deadline',
    `The file could not be looked at within ${queryTimeoutMs} ms. Convert it without an analysis.`,
  );
}

function answerText({ id }: Upload, answer: AnalyzeAnswer): string {
  const { columns, isComplete } = answer;
  const fields: Omit<FileAnalysisBody, 'sample'> = {
    upload_id: id,
    format: answer.format,
    compression: answer.compression,
    encoding: answer.encoding ?? null,
    dialect: answer.dialect ?? null,
    columns: columns.map(({ name, type, nullable }) => ({
      name,
      type,
      nullable: nullable || (isComplete ? false : null),
    })),
    complete: isComplete,
    row_count: answer.rowCount,
    row_estimate: answer.rowEstimate,
    warnings: [...answer.warnings],
  };
  const sample = { columns: columns.map(({ name }) => name), types: columns.map(({ type }) => type) };
  return `${JSON.stringify(fields).slice(0, -1)},"sample":${withRows(sample, answer.rowsJson)}}`;
}
