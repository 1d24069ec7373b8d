import { DomainError, type ErrorCode } from '@millrace/domain';
import { byteOffsetOf, placeOf } from './text-place.js';

/** Names in sentences are cut: one may be as long as the statement. */
const NAME_LENGTH_MAX = 120;

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  /** Where in the statement, in UTF-8 bytes. */
  readonly byteOffset: number;
}

/** The error for a part of a statement, with its line and column. */
export function refusal(sql: string, { code, message, byteOffset }: Refusal): DomainError {
  return new DomainError(code, message, { errors: [{ message, ...placeOf(sql, byteOffset) }] });
}

/** The same for a place given in UTF-16 units. */
export function refusalAt(sql: string, at: { code: ErrorCode; message: string; charIndex: number }): DomainError {
  return refusal(sql, { code: at.code, message: at.message, byteOffset: byteOffsetOf(sql, at.charIndex) });
}

/** A name for a sentence: in quotes, cut. */
export function quoteName(name: string): string {
  return `"${name.length > NAME_LENGTH_MAX ? `${name.slice(0, NAME_LENGTH_MAX)}…` : name}"`;
}
