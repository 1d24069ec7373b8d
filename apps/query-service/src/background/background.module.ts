import { type DynamicModule, Module } from '@nestjs/common';
import { BackgroundQueries } from './background-queries.js';
import { QueryRunHandler } from './query-run.handler.js';

@Module({})
export class BackgroundModule {
  static with(queries: BackgroundQueries): DynamicModule {
    return {
      module: BackgroundModule,
      controllers: [QueryRunHandler],
      providers: [{ provide: BackgroundQueries, useValue: queries }],
    };
  }
}
