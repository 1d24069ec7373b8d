import { z } from 'zod';

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export function integer(description: string, bounds: { min: number; max?: number; default: number }) {
  const number = z.coerce.number().int().min(bounds.min);
  return (bounds.max === undefined ? number : number.max(bounds.max)).default(bounds.default).meta({ description });
}

/** A TCP port; 0 picks a free one. */
export const port = z.coerce.number().int().min(0).max(65_535);
