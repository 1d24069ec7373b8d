import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { close, constants as fsConstants, fstat, open } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { toStagingError } from './system-error.js';

const MAKE_TIMEOUT_MS = 10_000;
/** Whoever knows the name may write: the child, as another user. Nobody but us may read. */
const PIPE_MODE = '0622';

const run = promisify(execFile);

/** A named pipe from a child to its supervisor, open for reading before the child knows its name. */
export class ExportPipe {
  private constructor(
    readonly path: string,
    /** Reads without a thread that waits. It ends when whoever wrote has closed the pipe. */
    readonly source: Socket,
  ) {}

  /**
   * @param pipesDir a folder where the child can't replace what is there
   * @throws DomainError `storage.full`, `storage.unavailable`
   */
  static async create(pipesDir: string): Promise<ExportPipe> {
    const path = join(pipesDir, randomBytes(12).toString('hex'));
    try {
      // Node can't make one.
      await run('mkfifo', ['-m', PIPE_MODE, path], { env: {}, timeout: MAKE_TIMEOUT_MS });
      return new ExportPipe(path, new Socket({ fd: await openPipe(path), readable: true, writable: false }));
    } catch (error) {
      await rm(path, { force: true });
      throw toStagingError(error);
    }
  }

  /** Removes the name; the bytes in the pipe stay for the reader. */
  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/** O_NONBLOCK: without it, opening waits for a writer. */
async function openPipe(path: string): Promise<number> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fsConstants;
  const fd = await promisify(open)(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if ((await promisify(fstat)(fd)).isFIFO()) return fd;
  await promisify(close)(fd);
  throw new Error('What should be a pipe is none.');
}
