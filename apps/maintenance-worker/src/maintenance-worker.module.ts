import { type DynamicModule, Module } from '@nestjs/common';
import { PersistHandler } from './results/persist.handler.js';
import { ResultPersister } from './results/result-persister.js';

@Module({})
export class MaintenanceWorkerModule {
  static with(persister: ResultPersister): DynamicModule {
    return {
      module: MaintenanceWorkerModule,
      controllers: [PersistHandler],
      providers: [{ provide: ResultPersister, useValue: persister }],
    };
  }
}
