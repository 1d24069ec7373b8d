import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalPostgres } from '@millrace/catalog/local-postgres';

/** A server that the tests of one run, or of one suite, have for themselves. */
export interface TestServer {
  readonly serverUrl: string;
  stop(): Promise<void>;
}

/** Tests lose nothing when the machine does: nothing waits for the disk. */
const SETTINGS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];

/** Starts a Postgres in a temporary folder that goes with it. About 1.5 s. */
export async function startTestServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-postgres-'));
  // mkdtemp closes the folder to everyone else; as root, Postgres runs as another user.
  await chmod(folder, 0o711);
  try {
    const server = await LocalPostgres.start({ folder: join(folder, 'server'), settings: SETTINGS });
    const stop = async (): Promise<void> => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    };
    return { serverUrl: server.databaseUrl(), stop };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}
