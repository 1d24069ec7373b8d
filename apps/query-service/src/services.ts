import type { EnginePool } from '@millrace/engine';
import { BlobWriter, type ReadCache } from '@millrace/object-store';
import { AnalysesService } from './analyses/analyses.service.js';
import { UploadedFiles } from './analyses/uploaded-files.js';
import { BackgroundQueries } from './background/background-queries.js';
import { BackgroundSubmitter } from './background/background-submitter.js';
import { DatasetHeads } from './datasets/dataset-heads.js';
import { downloadPace } from './downloads/download-pace.js';
import { DownloadPlaces } from './downloads/download-places.js';
import { DownloadsService } from './downloads/downloads.service.js';
import { TableStreams } from './downloads/table-streams.js';
import { DryRunsService } from './dry-runs/dry-runs.service.js';
import { StatementPlanner } from './dry-runs/statement-planner.js';
import { InputFiles } from './inputs/input-files.js';
import { TableList } from './inputs/table-list.js';
import { TablePages } from './inputs/table-pages.js';
import { TableResolver } from './inputs/table-resolver.js';
import { OpenWork } from './open-work.js';
import { PreviewsService } from './previews/previews.service.js';
import { QueriesService } from './queries/queries.service.js';
import { QueryHistory } from './queries/query-history.js';
import { QueryMetrics } from './queries/query-metrics.js';
import { RunningQueries } from './queries/running-queries.js';
import { StatementRunner } from './queries/statement-runner.js';
import type { QueryServiceServices } from './query-service.module.js';
import type { QueryServiceOptions } from './query-service-options.js';
import { ReadableResults } from './results/readable-results.js';
import { ResultKeeper } from './results/result-keeper.js';
import { ResultPagesService } from './results/result-pages.service.js';
import { ResultWriter } from './results/result-writer.js';
import { ReuseMetrics } from './reuse/reuse-metrics.js';
import { ResultReuse } from './reuse/result-reuse.js';
import { SavedQueriesService } from './saved-queries/saved-queries.service.js';
import { StatementCheck } from './saved-queries/statement-check.js';

export interface Services extends QueryServiceServices {
  readonly running: RunningQueries;
  readonly work: OpenWork;
  /** The statements that run as jobs. */
  readonly background: BackgroundQueries;
}

type Parts = QueryServiceOptions & {
  readonly engine: EnginePool;
  readonly background: EnginePool;
  readonly exporter: EnginePool;
  readonly cache: ReadCache;
};

/** Makes everything that the controllers use, from what the service was given. */
export function createServices(parts: Parts): Services {
  const { catalog, store, events, logger, engine, exporter, cache, environment } = parts;
  const leaseMs = environment.LEASE_MS;
  const work = new OpenWork();
  const inputs = new InputFiles({ blobs: catalog.blobs, store, cache, leaseMs, logger });
  const pages = new TablePages(engine, inputs);
  const places = new DownloadPlaces();
  const streams = new TableStreams({ exporter, inputs, work, places, pace: downloadPace(environment) });
  const heads = new DatasetHeads(catalog);
  const results = new ReadableResults({ catalog, events });
  const running = new RunningQueries({ queryRuns: catalog.queryRuns, inputs, leaseMs, logger });
  const history = new QueryHistory(catalog.queryRuns, { leaseMs, logger });
  const tables = new TableResolver(catalog);
  const tableList = new TableList(catalog.datasets);
  const reuse = new ResultReuse({
    results: catalog.resultReuse,
    ...{ readable: results, pages, metrics: new ReuseMetrics(parts.metrics) },
    retentionMs: environment.RESULT_RETENTION_MS,
  });
  const statementParts = { catalog, parser: engine, inputs, tables, tableList };
  const statements = new StatementRunner({ ...statementParts, engine, reuse });
  const planner = new StatementPlanner({ engine, inputs });
  const writer = createWriter(parts);
  const keeper = createKeeper(parts, { work, writer });
  const submitter = new BackgroundSubmitter({ catalog, statements });
  const metrics = new QueryMetrics(parts.metrics, {
    running: () => running.count,
    storing: () => keeper.pendingCount,
  });
  const queries = new QueriesService({
    ...{ catalog, events, work, running, history, statements, submitter, keeper, streams, metrics, logger },
  });
  const { savedQueries } = catalog;
  return {
    running,
    work,
    analyses: new AnalysesService({ catalog, engine, work, files: new UploadedFiles(inputs, parts.engineFolder) }),
    dryRuns: new DryRunsService({ catalog, work, running, statements, tables, planner }),
    background: new BackgroundQueries({
      catalog,
      statements: new StatementRunner({ ...statementParts, engine: parts.background, reuse: undefined }),
      writer,
      leaseMs,
      retentionMs: environment.RESULT_RETENTION_MS,
    }),
    queries,
    savedQueries: new SavedQueriesService({ savedQueries, check: new StatementCheck(engine), queries, work }),
    previews: new PreviewsService({ catalog, heads, pages, work }),
    results: new ResultPagesService({ catalog, results, pages, work }),
    downloads: new DownloadsService({ catalog, heads, results, streams, work }),
    readiness: parts.readiness,
  };
}

function createWriter({ catalog, store, environment }: Parts): ResultWriter {
  const { results, blobs } = catalog;
  const leaseMs = environment.LEASE_MS;
  return new ResultWriter({ results, blobs, leaseMs, writer: new BlobWriter(store, blobs, { leaseMs }) });
}

function createKeeper(
  { catalog, events, logger, environment }: Parts,
  { work, writer }: { readonly work: OpenWork; readonly writer: ResultWriter },
): ResultKeeper {
  const { results } = catalog;
  const leaseMs = environment.LEASE_MS;
  const retentionMs = environment.RESULT_RETENTION_MS;
  return new ResultKeeper({ results, writer, events, work, leaseMs, retentionMs, logger });
}
