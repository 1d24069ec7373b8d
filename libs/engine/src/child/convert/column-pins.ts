import { DomainError } from '@millrace/domain';
import type { ColumnPin, ConvertRequest } from '../../tasks/convert.task.js';

/** The types that may be pinned, by the names people use for them. Nothing else gets into a statement. */
const PINNABLE: Readonly<Record<string, string>> = {
  BOOLEAN: 'BOOLEAN',
  BOOL: 'BOOLEAN',
  TINYINT: 'TINYINT',
  SMALLINT: 'SMALLINT',
  INTEGER: 'INTEGER',
  INT: 'INTEGER',
  BIGINT: 'BIGINT',
  HUGEINT: 'HUGEINT',
  UTINYINT: 'UTINYINT',
  USMALLINT: 'USMALLINT',
  UINTEGER: 'UINTEGER',
  UBIGINT: 'UBIGINT',
  UHUGEINT: 'UHUGEINT',
  FLOAT: 'FLOAT',
  REAL: 'FLOAT',
  DOUBLE: 'DOUBLE',
  DECIMAL: 'DECIMAL',
  NUMERIC: 'DECIMAL',
  VARCHAR: 'VARCHAR',
  TEXT: 'VARCHAR',
  STRING: 'VARCHAR',
  BLOB: 'BLOB',
  BIT: 'BIT',
  DATE: 'DATE',
  TIME: 'TIME',
  TIMETZ: 'TIME WITH TIME ZONE',
  'TIME WITH TIME ZONE': 'TIME WITH TIME ZONE',
  TIMESTAMP: 'TIMESTAMP',
  DATETIME: 'TIMESTAMP',
  TIMESTAMP_S: 'TIMESTAMP_S',
  TIMESTAMP_MS: 'TIMESTAMP_MS',
  TIMESTAMP_NS: 'TIMESTAMP_NS',
  TIMESTAMPTZ: 'TIMESTAMP WITH TIME ZONE',
  'TIMESTAMP WITH TIME ZONE': 'TIMESTAMP WITH TIME ZONE',
  INTERVAL: 'INTERVAL',
  UUID: 'UUID',
  JSON: 'JSON',
};

const PRECISION_MAX = 38;
const DEFAULT_PRECISION = 18;
const DEFAULT_SCALE = 3;

interface TypedColumn {
  readonly name: string;
  readonly type: string;
}

/**
 * The columns with their pinned types. Names fit without regard to case, as in SQL.
 *
 * @throws DomainError `conversion.column_unknown`, `conversion.type_invalid`, `request.invalid`
 */
export function applyPins<C extends TypedColumn>(
  columns: readonly C[],
  pins: ConvertRequest['columns'],
): (C & { isPinned: boolean })[] {
  const types = new Map(Object.entries(pins ?? {}).map(([name, pin]) => [name.toLowerCase(), pinnedType(name, pin)]));
  if (types.size < Object.keys(pins ?? {}).length) {
    throw new DomainError('request.invalid', 'Two names in "columns" differ only in case, and mean the same column.');
  }
  const known = new Set(columns.map(({ name }) => name.toLowerCase()));
  for (const name of Object.keys(pins ?? {})) {
    if (!known.has(name.toLowerCase())) {
      throw columnUnknown(name, columns);
    }
  }
  return columns.map((column) => {
    const type = types.get(column.name.toLowerCase());
    return { ...column, type: type ?? column.type, isPinned: type !== undefined };
  });
}

/** Checks the types of all pins before a file is looked at. */
export function checkPinTypes(pins: ConvertRequest['columns']): void {
  for (const [name, pin] of Object.entries(pins ?? {})) pinnedType(name, pin);
}

function pinnedType(name: string, pin: ColumnPin): string {
  const written = /^([A-Za-z_ ]+?)\s*(?:\(\s*(\d{1,2})\s*(?:,\s*(\d{1,2})\s*)?\))?$/.exec(pin.type.trim());
  const type = Object.hasOwn(PINNABLE, written?.[1]?.toUpperCase() ?? '')
    ? PINNABLE[written?.[1]?.toUpperCase() ?? '']
    : undefined;
  if (!written || !type) throw invalid(name, `"${pin.type.slice(0, 100)}" is no type that can be pinned`);
  const precision = pin.precision ?? (written[2] === undefined ? undefined : Number(written[2]));
  const scale = pin.scale ?? (written[3] === undefined ? undefined : Number(written[3]));
  if (type !== 'DECIMAL') {
    if (precision !== undefined || scale !== undefined) throw invalid(name, `${type} has no precision or scale`);
    return type;
  }
  return decimalType(name, precision, scale);
}

function decimalType(name: string, precision = DEFAULT_PRECISION, scale?: number): string {
  const digits = scale ?? (precision === DEFAULT_PRECISION ? DEFAULT_SCALE : 0);
  const fits = Number.isInteger(precision) && Number.isInteger(digits) && precision >= 1 && precision <= PRECISION_MAX;
  if (!fits || digits < 0 || digits > precision) {
    throw invalid(name, `DECIMAL takes a precision from 1 to ${PRECISION_MAX} and a scale from 0 to the precision`);
  }
  return `DECIMAL(${precision},${digits})`;
}

export function columnUnknown(name: string, columns: readonly { readonly name: string }[]): DomainError {
  return new DomainError('conversion.column_unknown', `The file has no column "${name}". It has: ${listed(columns)}.`);
}

function listed(columns: readonly { readonly name: string }[]): string {
  const names = columns.slice(0, 20).map(({ name }) => name);
  return names.join(', ') + (columns.length > names.length ? ', …' : '');
}

function invalid(name: string, reason: string): DomainError {
  return new DomainError('conversion.type_invalid', `Column "${name}": ${reason}.`);
}
