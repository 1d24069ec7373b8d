import { createHash } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Makes sure that one process at a time works on a data folder. The lock is a socket that we listen on: unlike a file
 * with a process id it can't outlive its owner, whatever ended that.
 */
export class FolderLock {
  private constructor(private readonly server: Server) {}

  /** @throws Error when another process works on the folder */
  static async take(folder: string): Promise<FolderLock> {
    const path = await socketPath(folder);
    if (await answers(path)) throw new Error(`Another Millrace already runs on ${folder}. Stop it, or set DATA_DIR.`);
    await rm(path, { force: true });
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    server.unref();
    return new FolderLock(server);
  }

  async release(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** In the folder for temporary files, under a hash: the path of a socket has about 100 bytes at most. */
async function socketPath(folder: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
    .slice(0, 24);
  return join(tmpdir(), `millrace-${hash}.sock`);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
