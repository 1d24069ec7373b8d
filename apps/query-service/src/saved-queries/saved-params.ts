import type { SavedParameter } from '@millrace/catalog';
import { DomainError } from '@millrace/domain';

type Value = string | number | boolean | null;

/**
 * The values for a run: those that were given, else the defaults.
 *
 * @throws DomainError `params.invalid` for one that is missing or that nobody declared
 */
export function paramsOfRun(
  parameters: readonly SavedParameter[],
  given: Readonly<Record<string, Value>> = {},
): Record<string, Value> {
  const unknown = Object.keys(given).find((name) => !parameters.some((parameter) => parameter.name === name));
  if (unknown !== undefined) throw invalid(`The saved query has no parameter "${unknown.slice(0, 128)}".`);
  return Object.fromEntries(parameters.map((parameter) => [parameter.name, valueOf(parameter, given)]));
}

function valueOf({ name, type, default: byDefault }: SavedParameter, given: Readonly<Record<string, Value>>): Value {
  const value = Object.hasOwn(given, name) ? given[name] : byDefault;
  if (value !== undefined) return value;
  throw invalid(`The parameter "${name}" (${type}) is missing; it has no default.`);
}

/** The types by the names. */
export function paramTypesOf(parameters: readonly SavedParameter[]): Record<string, string> {
  return Object.fromEntries(parameters.map(({ name, type }) => [name, type]));
}

function invalid(detail: string): DomainError {
  return new DomainError('params.invalid', detail);
}
