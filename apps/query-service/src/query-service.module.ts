import { Module, type DynamicModule } from '@nestjs/common';
import { HealthController, Readiness } from '@millrace/http';
import { AnalysesController } from './analyses/analyses.controller.js';
import { AnalysesService } from './analyses/analyses.service.js';
import { DownloadsController } from './downloads/downloads.controller.js';
import { DownloadsService } from './downloads/downloads.service.js';
import { DryRunsService } from './dry-runs/dry-runs.service.js';
import { PreviewsController } from './previews/previews.controller.js';
import { PreviewsService } from './previews/previews.service.js';
import { QueriesController } from './queries/queries.controller.js';
import { QueriesService } from './queries/queries.service.js';
import { ResultPagesService } from './results/result-pages.service.js';
import { ResultsController } from './results/results.controller.js';
import { SavedQueriesController } from './saved-queries/saved-queries.controller.js';
import { SavedQueriesService } from './saved-queries/saved-queries.service.js';

export interface QueryServiceServices {
  readonly analyses: AnalysesService;
  readonly queries: QueriesService;
  readonly dryRuns: DryRunsService;
  readonly previews: PreviewsService;
  readonly results: ResultPagesService;
  readonly downloads: DownloadsService;
  readonly savedQueries: SavedQueriesService;
  readonly readiness: Readiness;
}

@Module({})
export class QueryServiceModule {
  static with(services: QueryServiceServices): DynamicModule {
    const { analyses, queries, dryRuns, previews, results, downloads, savedQueries, readiness } = services;
    return {
      module: QueryServiceModule,
      controllers: [
        AnalysesController,
        QueriesController,
        SavedQueriesController,
        PreviewsController,
        ResultsController,
        DownloadsController,
        HealthController,
      ],
      providers: [
        { provide: AnalysesService, useValue: analyses },
        { provide: QueriesService, useValue: queries },
        { provide: DryRunsService, useValue: dryRuns },
        { provide: PreviewsService, useValue: previews },
        { provide: ResultPagesService, useValue: results },
        { provide: DownloadsService, useValue: downloads },
        { provide: SavedQueriesService, useValue: savedQueries },
        { provide: Readiness, useValue: readiness },
      ],
    };
  }
}
