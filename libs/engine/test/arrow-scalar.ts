import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalType,
  DuckDBDecimalValue,
  DuckDBIntervalValue,
  DuckDBTimeNSValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
  type DuckDBType,
  DuckDBTypeId,
  DuckDBUUIDValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { type Data, DataType, Vector } from 'apache-arrow';
import { contractValue } from './contract-value.js';

/**
 * A cell of Arrow that is no NULL and holds no others, by the mapping that the README of the engine gives for `type`, as
 * the contract's value.
 */
export function arrowScalar(data: Data, index: number, type: DuckDBType): unknown {
  switch (type.typeId) {
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
    case DuckDBTypeId.BIGNUM:
      return contractValue(BigInt(textAt(data, index)), type);
    case DuckDBTypeId.TIME_TZ:
      return clockWithOffset(textAt(data, index));
    case DuckDBTypeId.TIMESTAMP_S:
      return instantOfText(textAt(data, index));
    // The contract has a BIT as the same text.
    case DuckDBTypeId.BIT:
    case DuckDBTypeId.ENUM:
    case DuckDBTypeId.VARCHAR:
      return textAt(data, index);
    case DuckDBTypeId.FLOAT:
      return shortFloat(Number(data.values[index]));
    default:
      return contractValue(clientValue(data, index, type), type);
  }
}

/** Arrow's value as DuckDB's client would hand it out. */
function clientValue(data: Data, index: number, type: DuckDBType): DuckDBValue {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return Boolean(new Vector([data]).get(index));
    case DuckDBTypeId.BLOB:
      return new DuckDBBlobValue(bytesAt(data, index));
    case DuckDBTypeId.UUID:
      return DuckDBUUIDValue.fromUint128(BigInt(`0x${Buffer.from(data.values).toString('hex', index * 16, index * 16 + 16)}`)); // prettier-ignore
    case DuckDBTypeId.DECIMAL:
      return decimalAt(data, index, type);
    case DuckDBTypeId.INTERVAL:
      return intervalAt(data, index);
    case DuckDBTypeId.DATE:
      return new DuckDBDateValue(Number(data.values[index]));
    default:
      return timeOrNumber(data, index, type);
  }
}

function timeOrNumber(data: Data, index: number, type: DuckDBType): DuckDBValue {
  const value = data.values[index] as number | bigint;
  switch (type.typeId) {
    case DuckDBTypeId.TIME:
      return new DuckDBTimeValue(BigInt(value));
    case DuckDBTypeId.TIME_NS:
      return new DuckDBTimeNSValue(BigInt(value));
    case DuckDBTypeId.TIMESTAMP:
      return new DuckDBTimestampValue(BigInt(value));
    case DuckDBTypeId.TIMESTAMP_MS:
      return new DuckDBTimestampMillisecondsValue(BigInt(value));
    case DuckDBTypeId.TIMESTAMP_NS:
      return new DuckDBTimestampNanosecondsValue(BigInt(value));
    case DuckDBTypeId.TIMESTAMP_TZ:
      return new DuckDBTimestampTZValue(BigInt(value));
    default:
      return value;
  }
}

/** Not by Arrow's own decoder, which drops a byte order mark. */
function textAt(data: Data, index: number): string {
  if (!DataType.isUtf8(data.type)) throw new Error(`A text was expected, not ${data.typeId}.`);
  return Buffer.from(bytesAt(data, index)).toString('utf8');
}

function bytesAt(data: Data, index: number): Uint8Array {
  const offsets = data.valueOffsets as Int32Array;
  return (data.values as Uint8Array).subarray(offsets[index], offsets[index + 1]);
}

/** Four words, the least first, the highest bit being the sign. */
function decimalAt(data: Data, index: number, type: DuckDBType): DuckDBDecimalValue {
  if (!(type instanceof DuckDBDecimalType) || !DataType.isDecimal(data.type) || data.type.scale !== type.scale) {
    throw new Error(`A ${type.typeId} was expected, not ${data.typeId}.`);
  }
  const words = (data.values as Uint32Array).subarray(index * 4, index * 4 + 4);
  const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return new DuckDBDecimalValue(BigInt.asIntN(128, unsigned), type.width, type.scale);
}

function intervalAt(data: Data, index: number): DuckDBIntervalValue {
  const [months, days, micros] = data.children.map((child) => child.values[index] as number | bigint);
  return new DuckDBIntervalValue(Number(months), Number(days), BigInt(micros ?? Number.NaN));
}

/** Of the decimals for a FLOAT the one that the comparison asks for: nine digits. */
function shortFloat(value: number): number | string {
  if (!Number.isFinite(value)) return String(value);
  return value === 0 ? value : Number(value.toPrecision(9));
}

/** `12:00:00+02` → `12:00:00+02:00`, `12:00:00+00` → `12:00:00Z`. */
function clockWithOffset(text: string): string {
  return text.replace(/[+-]00(:00)*$/, 'Z').replace(/([+-]\d\d)$/, '$1:00');
}

/** `0044-03-15 (BC) 12:00:00` → `0044-03-15T12:00:00 (BC)` */
function instantOfText(text: string): string {
  return text.replace(/^(\S+)( \(BC\))? (\S+)$/, (_, date: string, era: string | undefined, clock: string) => `${date}T${clock}${era ?? ''}`); // prettier-ignore
}
