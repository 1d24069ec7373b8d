import { isId, type Id, type IdKind } from '@millrace/domain';
import { z } from 'zod';

/** An id of one kind, parsed from outside. */
export function idSchema<K extends IdKind>(kind: K): z.ZodType<Id<K>> {
  return z.custom<Id<K>>((value) => typeof value === 'string' && isId(kind, value), `not an id of kind ${kind}`);
}
