import { ERRORS, type Column, type ErrorCode, type ErrorRecord } from '@millrace/domain';
import type { ValueTransformer } from 'typeorm';
import { z } from 'zod';

/** A JSON object whose shape is not the catalog's business. */
export type JsonObject = Readonly<Record<string, unknown>>;

export const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), z.unknown());

export const columnList: z.ZodType<readonly Column[]> = z.array(
  z.object({ name: z.string(), type: z.string(), nullable: z.boolean() }),
);

const errorPlace = z.object({
  message: z.string(),
  pointer: z.string().exactOptional(),
  line: z.number().exactOptional(),
  column: z.number().exactOptional(),
  column_name: z.string().exactOptional(),
  text: z.string().exactOptional(),
});

const errorCode = z.custom<ErrorCode>((code) => typeof code === 'string' && code in ERRORS);

export const errorRecord: z.ZodType<ErrorRecord> = z.object({
  code: errorCode,
  detail: z.string(),
  errors: z.array(errorPlace).exactOptional(),
});

/** Parses a JSON column where it leaves the database; NULL stays null. */
export function parsed(schema: z.ZodType): ValueTransformer {
  const nullable = schema.nullable();
  return { to: (value: unknown) => value, from: (value: unknown) => nullable.parse(value) };
}
