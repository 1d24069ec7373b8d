import { Injectable } from '@nestjs/common';
import { Catalog, type Dataset, type DatasetSource, type NewDataset } from '@millrace/catalog';
import { readingKey, type CreateDatasetBody, type SourceConfig } from '@millrace/contract';
import {
  checkLabel,
  checkTableName,
  type DatasetId,
  deriveTableName,
  DomainError,
  ERRORS,
  type IdempotencyClaim,
  newId,
  type Principal,
  ownThings,
} from '@millrace/domain';
import type { IdempotentWork } from '@millrace/http';
import { BlobWriter, objectKeys } from '@millrace/object-store';
import { describeJob } from '@millrace/queue';

type UploadSource = Extract<CreateDatasetBody['source'], { upload_id: unknown }>;
type ResultSource = Extract<CreateDatasetBody['source'], { result_id: unknown }>;
type InlineContent = Extract<CreateDatasetBody['source'], { inline: unknown }>['inline'];

/** Makes datasets: checks names, claims or stores the source, writes dataset, version and job in one transaction. */
@Injectable()
export class DatasetCreator {
  constructor(
    private readonly catalog: Catalog,
    private readonly writer: BlobWriter,
  ) {}

  /**
   * A new dataset, whose conversion has begun where there is something to convert; or the one that the same request made
   * before, whose answer was lost.
   *
   * @throws DomainError `label.blank`, `table_name.*`, `upload.*`, `inline.too_large`, `result.*`, `auth.forbidden`,
   *   `idempotency.in_progress`
   */
  async create(caller: Principal, body: CreateDatasetBody, work?: IdempotentWork): Promise<Dataset> {
    const made = await this.findMade(caller, work);
    if (made) return made;
    const label = checkLabel(body.label);
    const tableName = body.table_name ?? deriveTableName(label);
    checkTableName(tableName);
    const names = { label, tableName, claim: work?.claim };
    if ('upload_id' in body.source) return this.createFromUpload(caller, names, body.source);
    if ('result_id' in body.source) return this.createFromResult(caller, names, body.source);
    return this.createInline(caller, names, body.source.inline);
  }

  /** A conversion that may succeed the next time is begun anew: that is what a client repeats its request for. */
  private async findMade({ tenantId }: Principal, work: IdempotentWork | undefined): Promise<Dataset | undefined> {
    if (work?.effectId === undefined) return undefined;
    const made = await this.catalog.datasets.get(tenantId, work.effectId as DatasetId);
    return made.error && ERRORS[made.error.code].retryable ? undefined : made;
  }

  private async createFromUpload(
    caller: Principal,
    names: Names,
    { upload_id, ...reading }: UploadSource,
  ): Promise<Dataset> {
    const sourceConfig: SourceConfig = { upload_id, ...present(reading) };
    const { userId: onlyUserId } = ownThings(caller);
    return this.catalog.datasets.create(
      newDataset(caller, names, { type: 'upload', uploadId: upload_id, onlyUserId }, sourceConfig),
    );
  }

  private createFromResult(caller: Principal, names: Names, source: ResultSource): Promise<Dataset> {
    requireReading(caller);
    const { tenantId, userId } = caller;
    const ids = { id: newId('dataset'), versionId: newId('version') };
    const dataset = { tenantId, userId, ...ids, ...names, sourceConfig: source };
    const { userId: onlyUserId } = ownThings(caller);
    return this.catalog.datasets.createFromResult(dataset, { resultId: source.result_id, onlyUserId });
  }

  private async createInline(
    caller: Principal,
    names: Names,
    { content, ...reading }: InlineContent,
  ): Promise<Dataset> {
    const { tenantId } = caller;
    const bytes = Buffer.from(content, 'utf8');
    const { inlineBytesMax } = await this.catalog.tenants.limitsOf(tenantId);
    if (bytes.length > inlineBytesMax) {
      throw new DomainError(
        'inline.too_large',
        `Inline content has at most ${inlineBytesMax} bytes; upload the file instead.`,
      );
    }
    const key = { tenantId, storageKey: objectKeys.inline(tenantId) };
    const blob = await this.writer.write(key, { body: once(bytes) });
    try {
      return await this.catalog.datasets.create(newDataset(caller, names, { type: 'inline', blob }, present(reading)));
    } catch (error) {
      await this.writer.giveUp(key);
      throw error;
    }
  }
}

interface Names {
  readonly label: string;
  readonly tableName: string;
  readonly claim: IdempotencyClaim | undefined;
}

/** The rows of a result become those of a table: whose key may not read the one may not make the other. */
function requireReading({ scopes }: Principal): void {
  if (scopes.includes('queries:read')) return;
  throw new DomainError(
    'auth.forbidden',
    'To make a dataset of a result, the key needs the scope "queries:read", too.',
  );
}

function newDataset(
  { tenantId, userId }: Principal,
  names: Names,
  source: DatasetSource,
  sourceConfig: SourceConfig,
): NewDataset {
  const id = newId('dataset');
  const versionId = newId('version');
  const job = { id: newId('job'), ...describeJob('dataset.convert', { datasetId: id, versionId }) };
  return { tenantId, userId, id, versionId, ...names, source, sourceConfig, readingKey: readingKey(sourceConfig), job };
}

/** Without the members that are absent, so that the stored configuration shows what was asked for and no more. */
function present<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
