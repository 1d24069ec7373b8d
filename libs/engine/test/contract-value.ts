import {
  DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBBitValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBFloatType,
  DuckDBIntervalValue,
  DuckDBListType,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructType,
  DuckDBStructValue,
  DuckDBTimeNSValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeTZValue,
  DuckDBTimeValue,
  type DuckDBType,
  DuckDBUnionType,
  DuckDBUnionValue,
  DuckDBUUIDValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { FloatNumber } from './same-value.js';
import { clockText, dateText, instantText, intervalText, offsetText } from './contract-text.js';

/**
 * The JSON value that the HTTP contract ("Values") asks for, from a value as DuckDB's client hands it out. Written
 * beside the SQL expressions of the engine, not from them: a mistake in one shows against the other.
 *
 * The client gives unnamed fields one name, so that only the last of them is there: those are for tests by hand.
 */
export function contractValue(value: DuckDBValue, type: DuckDBType): unknown {
  if (value === null) return null;
  if (typeof value === 'number') return contractNumber(value, type);
  if (typeof value === 'bigint') return contractInteger(value);
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  return nestedValue(value, type) ?? timeValue(value) ?? otherValue(value);
}

function nestedValue(value: DuckDBValue, type: DuckDBType): unknown {
  if (value instanceof DuckDBListValue && type instanceof DuckDBListType) {
    return value.items.map((item) => contractValue(item, type.valueType));
  }
  if (value instanceof DuckDBArrayValue && type instanceof DuckDBArrayType) {
    return value.items.map((item) => contractValue(item, type.valueType));
  }
  if (value instanceof DuckDBMapValue && type instanceof DuckDBMapType) {
    return value.entries.map((entry) => ({
      key: contractValue(entry.key, type.keyType),
      value: contractValue(entry.value, type.valueType),
    }));
  }
  if (value instanceof DuckDBUnionValue && type instanceof DuckDBUnionType) {
    const index = type.memberTags.indexOf(value.tag);
    return { tag: value.tag, value: contractValue(value.value, typeAt(type.memberTypes, index)) };
  }
  if (value instanceof DuckDBStructValue && type instanceof DuckDBStructType) {
    const entries = type.entryNames.map((name, index): [string, unknown] => [
      name,
      contractValue(value.entries[name] ?? null, typeAt(type.entryTypes, index)),
    ]);
    return Object.fromEntries(entries);
  }
  return undefined;
}

function timeValue(value: DuckDBValue): string | undefined {
  if (value instanceof DuckDBDateValue) return dateText(value.days);
  if (value instanceof DuckDBTimeValue) return clockText(value.micros * 1_000n);
  if (value instanceof DuckDBTimeNSValue) return clockText(value.nanos);
  if (value instanceof DuckDBTimeTZValue) return clockText(value.micros * 1_000n) + offsetText(value.offset);
  if (value instanceof DuckDBIntervalValue) return intervalText(value.months, value.days, value.micros);
  if (value instanceof DuckDBTimestampSecondsValue) return instant(value.seconds, 1_000_000_000n);
  if (value instanceof DuckDBTimestampMillisecondsValue) return instant(value.millis, 1_000_000n);
  if (value instanceof DuckDBTimestampValue) return instant(value.micros, 1_000n);
  if (value instanceof DuckDBTimestampNanosecondsValue) return instant(value.nanos, 1n);
  if (value instanceof DuckDBTimestampTZValue) return instant(value.micros, 1_000n, 'Z');
  return undefined;
}

const instant = (value: bigint, unitNanos: bigint, zone = ''): string => instantText({ value, unitNanos, zone });

function otherValue(value: DuckDBValue): unknown {
  if (value instanceof DuckDBDecimalValue) return contractDecimal(value);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  if (value instanceof DuckDBBitValue) return value.toBits().join('');
  if (value instanceof DuckDBUUIDValue) return uuidText(value);
  throw new Error(`The contract says nothing about ${String(value)}.`);
}

function contractNumber(value: number, type: DuckDBType): number | string | FloatNumber {
  if (!Number.isFinite(value)) return String(value);
  return type instanceof DuckDBFloatType ? new FloatNumber(value) : value;
}

function contractInteger(value: bigint): number | string {
  return value >= -(2n ** 53n) && value <= 2n ** 53n ? Number(value) : String(value);
}

function contractDecimal({ value, scale }: DuckDBDecimalValue): number | string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const [whole, fraction] = [digits.slice(0, digits.length - scale), digits.slice(digits.length - scale)];
  const text = `${value < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${fraction}`}`;
  const significant = (whole + fraction.replace(/0+$/, '')).replace(/^0+/, '');
  return significant.length <= 15 ? Number(text) : text;
}

function uuidText(value: DuckDBUUIDValue): string {
  const hex = value.toUint128().toString(16).padStart(32, '0');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function typeAt(types: readonly DuckDBType[], index: number): DuckDBType {
  const type = types[index];
  if (!type) throw new Error(`There is no type at ${index}.`);
  return type;
}
