import { Module, type DynamicModule } from '@nestjs/common';
import { HealthController, Readiness } from '@millrace/http';
import { DownloadsController } from './downloads/downloads.controller.js';
import { DownloadsService } from './downloads/downloads.service.js';
import { PreviewsController } from './previews/previews.controller.js';
import { PreviewsService } from './previews/previews.service.js';
import { QueriesController } from './queries/queries.controller.js';
import { QueriesService } from './queries/queries.service.js';
import { ResultPagesService } from './results/result-pages.service.js';
import { ResultsController } from './results/results.controller.js';

export interface QueryServiceServices {
  readonly queries: QueriesService;
  readonly previews: PreviewsService;
  readonly results: ResultPagesService;
  readonly downloads: DownloadsService;
  readonly readiness: Readiness;
}

@Module({})
export class QueryServiceModule {
  static with({ queries, previews, results, downloads, readiness }: QueryServiceServices): DynamicModule {
    return {
      module: QueryServiceModule,
      controllers: [QueriesController, PreviewsController, ResultsController, DownloadsController, HealthController],
      providers: [
        { provide: QueriesService, useValue: queries },
        { provide: PreviewsService, useValue: previews },
        { provide: ResultPagesService, useValue: results },
        { provide: DownloadsService, useValue: downloads },
        { provide: Readiness, useValue: readiness },
      ],
    };
  }
}
