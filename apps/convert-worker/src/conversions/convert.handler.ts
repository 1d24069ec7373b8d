import { Controller } from '@nestjs/common';
import { JobContext, JobHandler, type PayloadOf } from '@millrace/queue';
import { DatasetConverter } from './dataset-converter.js';

@Controller()
export class ConvertHandler {
  constructor(private readonly converter: DatasetConverter) {}

  @JobHandler('dataset.convert')
  convert(_payload: PayloadOf<'dataset.convert'>, context: JobContext): Promise<void> {
    return this.converter.convert(context);
  }
}
