import { DomainError } from '@millrace/domain';
import type { ConvertRequest, DataFormat, FormatOptions } from '../../tasks/convert.task.js';

const NAMES: Readonly<Record<DataFormat, string>> = { csv: 'CSV', json: 'JSON', parquet: 'Parquet' };

/** The formats of options that are not for CSV alone. */
const FORMATS: { readonly [Option in keyof FormatOptions]: readonly DataFormat[] } = {
  encoding: ['csv', 'json'],
  json_layout: ['json'],
  records_path: ['json'],
  depth_max: ['json'],
  nested: ['json'],
  select: ['csv', 'json', 'parquet'],
};

/**
 * Whether the options are for the format of the file: one that changes nothing would be a wish that nobody hears.
 *
 * @throws DomainError `request.invalid`
 */
export function checkOptionsFit({ options = {} }: ConvertRequest, format: DataFormat): void {
  for (const [option, value] of Object.entries(options)) {
    const formats = FORMATS[option as keyof FormatOptions] ?? ['csv'];
    if (value === undefined || formats.includes(format)) continue;
    const names = formats.map((name) => NAMES[name]).join(' and ');
    throw new DomainError('request.invalid', `The option "${option}" is for ${names}; the file is ${NAMES[format]}.`);
  }
}
