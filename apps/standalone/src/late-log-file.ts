import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { logFile, type DestinationStream } from '@millrace/telemetry';

const LOG_BYTES_MAX = 50 * 1024 * 1024;

/**
 * The log of a laptop: one file, and the one before it once that has grown large. It is opened when the data folder is
 * ours: a process that is refused must not move the log of the one that runs.
 */
export class LateLogFile implements DestinationStream {
  private file: DestinationStream | undefined;

  constructor(private readonly path: string) {}

  /** @throws Error of the system when the file can not be written */
  open(): DestinationStream {
    this.file ??= openLogFile(this.path);
    return this.file;
  }

  write(line: string): void {
    this.open().write(line);
  }
}

function openLogFile(path: string): DestinationStream {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
  // It names tenants and their requests: nobody else's business.
  closeSync(openSync(path, 'a', 0o600));
  return logFile(path);
}
