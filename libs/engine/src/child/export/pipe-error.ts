import { faultError } from '../../pool/fault-error.js';

/** A pipe without a reader is an export that nobody wants any more. */
export function toPipeError(error: unknown): unknown {
  return (error as { code?: string }).code === 'EPIPE' ? faultError('export', 'cancelled') : error;
}
