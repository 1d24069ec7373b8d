import { type DynamicModule, Module } from '@nestjs/common';
import { ConvertHandler } from './conversions/convert.handler.js';
import { DatasetConverter } from './conversions/dataset-converter.js';

@Module({})
export class ConvertWorkerModule {
  static with(converter: DatasetConverter): DynamicModule {
    return {
      module: ConvertWorkerModule,
      controllers: [ConvertHandler],
      providers: [{ provide: DatasetConverter, useValue: converter }],
    };
  }
}
