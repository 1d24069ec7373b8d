import { tmpdir, userInfo } from 'node:os';
import type { RedisRun } from './redis-run.js';

/** The one of docker-compose.yml. */
const IMAGE = 'valkey/valkey:9.0.6-alpine3.24';

/**
 * In the host's network, and with its folder of temporary files, so that addresses, ports and paths mean the same inside:
 * sentinels and the nodes of a cluster tell clients where the others are.
 *
 * @throws Error that says what to do where Docker does not answer
 */
export async function runContained(args: readonly string[]): Promise<RedisRun> {
  // Loaded here, since most suites need none and it takes its time.
  const { GenericContainer, getContainerRuntimeClient } = await import('testcontainers');
  await getContainerRuntimeClient().catch((cause: unknown) => {
    throw new Error('Tests need a Redis: install redis-server (Debian: apt-get install redis-server) or Docker.', {
      cause,
    });
  });
  const { uid, gid } = userInfo();
  const container = await new GenericContainer(IMAGE)
    .withNetworkMode('host')
    .withUser(`${uid}:${gid}`)
    .withBindMounts([{ source: tmpdir(), target: tmpdir() }])
    .withEntrypoint(['valkey-server'])
    .withCommand([...args])
    .start();
  return {
    cli: async (cliArgs, timeoutMs) => {
      const { output, exitCode } = await container.exec(['timeout', `${timeoutMs / 1_000}`, 'valkey-cli', ...cliArgs]);
      if (exitCode !== 0) throw new Error(output.trimEnd());
      return output;
    },
    kill: async () => {
      await container.stop({ timeout: 0 });
    },
  };
}
