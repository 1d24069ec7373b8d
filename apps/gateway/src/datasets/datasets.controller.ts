import { Body, Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { Catalog, datasetNotReady, type Dataset } from '@millrace/catalog';
import {
  createDatasetSchema,
  listDatasetsQuerySchema,
  updateDatasetSchema,
  type CreateDatasetBody,
  type DatasetBody,
  type datasetListSchema,
  type ProfileBody,
  type UpdateDatasetBody,
} from '@millrace/contract';
import {
  checkLabel,
  checkTableName,
  DomainError,
  type DatasetId,
  type EventBus,
  type Principal,
} from '@millrace/domain';
import {
  Idempotent,
  IdempotentWork,
  IdParam,
  decodeIdCursor,
  Operation,
  pageFields,
  Prefer,
  type Preference,
} from '@millrace/http';
import { announceCancel } from '../jobs/announce-cancel.js';
import { QueryServiceProxy } from '../query-service.proxy.js';
import { EVENT_BUS } from '../tokens.js';
import { DatasetCreator } from './dataset-creator.js';
import { presentDataset } from './dataset.presenter.js';
import { JobWaiter } from './job-waiter.js';
import { presentProfile } from './profile.presenter.js';

/** When it is worth to look again at a conversion that goes on. */
const RETRY_AFTER_S = 1;

@Controller()
export class DatasetsController {
  constructor(
    private readonly catalog: Catalog,
    private readonly creator: DatasetCreator,
    private readonly waiter: JobWaiter,
    private readonly queryService: QueryServiceProxy,
    @Inject(EVENT_BUS) private readonly events: EventBus,
  ) {}

  @Operation('dataset.create')
  async create(
    @Body({ schema: createDatasetSchema }) body: CreateDatasetBody,
    @Prefer() preference: Preference,
    @Idempotent() work: IdempotentWork | undefined,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DatasetBody> {
    const created = await this.creator.create(caller, body, work);
    const dataset = await this.waitFor(created, preference.waitMs);
    void reply.header('location', `/v1/datasets/${dataset.id}`);
    if (dataset.error) throw DomainError.fromRecord(dataset.error);
    if (dataset.status === 'processing') void reply.status(202).header('retry-after', String(RETRY_AFTER_S));
    return this.present(dataset);
  }

  @Operation('dataset.list')
  async list(
    @Query({ schema: listDatasetsQuerySchema }) query: z.output<typeof listDatasetsQuerySchema>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof datasetListSchema>> {
    const page = await this.catalog.datasets.list(caller.tenantId, {
      limit: query.limit,
      before: decodeIdCursor('dataset', query.cursor),
      labelContains: query.label,
      tableNamePrefix: query.table_name,
    });
    return { datasets: await Promise.all(page.items.map((dataset) => this.present(dataset))), ...pageFields(page) };
  }

  @Operation('dataset.get')
  async get(@IdParam('dataset') id: DatasetId, @Caller() caller: Principal): Promise<DatasetBody> {
    return this.present(await this.catalog.datasets.get(caller.tenantId, id));
  }

  @Operation('dataset.update')
  async update(
    @IdParam('dataset') id: DatasetId,
    @Body({ schema: updateDatasetSchema }) body: UpdateDatasetBody,
    @Caller() caller: Principal,
  ): Promise<DatasetBody> {
    if (body.table_name !== undefined) checkTableName(body.table_name);
    const label = body.label === undefined ? undefined : checkLabel(body.label);
    return this.present(await this.catalog.datasets.update(caller.tenantId, id, { label, tableName: body.table_name }));
  }

  @Operation('dataset.delete')
  async delete(@IdParam('dataset') id: DatasetId, @Caller() { tenantId }: Principal): Promise<void> {
    const cancelled = await this.catalog.datasets.delete(tenantId, id);
    if (cancelled) await announceCancel(this.events, cancelled);
  }

  @Operation('dataset.preview')
  preview(
    @IdParam('dataset') _id: DatasetId,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  @Operation('dataset.profile')
  async profile(@IdParam('dataset') id: DatasetId, @Caller() { tenantId }: Principal): Promise<ProfileBody> {
    const dataset = await this.catalog.datasets.get(tenantId, id);
    if (dataset.headVersionId === null) throw datasetNotReady(dataset);
    const profile = await this.catalog.versions.findProfile(tenantId, dataset.headVersionId);
    if (profile) return presentProfile(dataset, profile);
    throw new DomainError('dataset.no_profile', `There is no profile. Try SUMMARIZE datasets.${dataset.tableName}.`);
  }

  @Operation('dataset.download')
  download(
    @IdParam('dataset') _id: DatasetId,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Caller() caller: Principal,
  ): Promise<void> {
    return this.queryService.pass(caller, { request, reply });
  }

  private async waitFor(dataset: Dataset, waitMs: number): Promise<Dataset> {
    const { tenantId, id, jobId } = dataset;
    if (waitMs === 0 || !jobId || !(await this.waiter.hasEnded({ tenantId, jobId }, waitMs))) return dataset;
    return this.catalog.datasets.get(tenantId, id);
  }

  /** A dataset with the progress of its conversion, while one runs. */
  private async present(dataset: Dataset): Promise<DatasetBody> {
    if (dataset.status !== 'processing' || !dataset.jobId) return presentDataset(dataset);
    const { progress } = await this.catalog.jobs.get(dataset.tenantId, dataset.jobId);
    return presentDataset(dataset, progress);
  }
}
