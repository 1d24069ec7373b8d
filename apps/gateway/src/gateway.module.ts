import { Module, type DynamicModule } from '@nestjs/common';
import { Catalog } from '@millrace/catalog';
import type { DirectUploads, EventBus, ObjectStore } from '@millrace/domain';
import { HealthController, Readiness } from '@millrace/http';
import { BlobWriter } from '@millrace/object-store';
import type { MetricsPage } from '@millrace/telemetry';
import { DatasetCreator } from './datasets/dataset-creator.js';
import { DatasetsController } from './datasets/datasets.controller.js';
import { JobWaiter } from './datasets/job-waiter.js';
import { BlobReader } from './files/blob-reader.js';
import { DirectUploader } from './files/direct-uploader.js';
import { DirectUploadsController } from './files/direct-uploads.controller.js';
import { FilesController } from './files/files.controller.js';
import { TusController } from './files/tus.controller.js';
import { TusDoor } from './files/tus-door.js';
import { UploadPlaces } from './files/upload-places.js';
import { UploadReceiver } from './files/upload-receiver.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from './gateway-settings.js';
import { JobsController } from './jobs/jobs.controller.js';
import { QueriesController } from './queries/queries.controller.js';
import { QueryRunsService } from './queries/query-runs.service.js';
import { QueryServiceProxy } from './query-service.proxy.js';
import { ResultsController } from './results/results.controller.js';
import { SavedQueriesController } from './saved-queries/saved-queries.controller.js';
import { ServiceController } from './service/service.controller.js';
import { EventStreams } from './watching/event-streams.js';
import { WakeUpCalls } from './watching/wake-up-calls.js';
import { DIRECT_UPLOADS, EVENT_BUS, METRICS_PAGE, OBJECT_STORE } from './tokens.js';

export interface GatewayParts {
  readonly settings: GatewaySettings;
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly directUploads: DirectUploads | null;
  readonly events: EventBus;
  readonly metricsPage: MetricsPage;
  readonly readiness: Readiness;
  readonly leaseMs: number;
}

@Module({})
export class GatewayModule {
  static with(parts: GatewayParts): DynamicModule {
    const { catalog, store, directUploads, events, metricsPage, settings, readiness, leaseMs } = parts;
    return {
      module: GatewayModule,
      controllers: [
        FilesController,
        DirectUploadsController,
        TusController,
        DatasetsController,
        QueriesController,
        ResultsController,
        SavedQueriesController,
        JobsController,
        ServiceController,
        HealthController,
      ],
      providers: [
        { provide: Catalog, useValue: catalog },
        { provide: BlobWriter, useValue: new BlobWriter(store, catalog.blobs, { leaseMs }) },
        { provide: OBJECT_STORE, useValue: store },
        { provide: DIRECT_UPLOADS, useValue: directUploads },
        { provide: EVENT_BUS, useValue: events },
        { provide: METRICS_PAGE, useValue: metricsPage },
        { provide: GATEWAY_SETTINGS, useValue: settings },
        { provide: Readiness, useValue: readiness },
        BlobReader,
        DatasetCreator,
        DirectUploader,
        EventStreams,
        JobWaiter,
        QueryRunsService,
        QueryServiceProxy,
        TusDoor,
        UploadPlaces,
        UploadReceiver,
        WakeUpCalls,
      ],
    };
  }
}
