import { mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { logFile, type DestinationStream } from '@millrace/telemetry';

const LOG_BYTES_MAX = 50 * 1024 * 1024;

/** Opens the log of a laptop: one file, and the one before it once that has grown large. */
export function openLogFile(path: string): DestinationStream {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
  return logFile(path);
}
