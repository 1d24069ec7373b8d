import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import type { RedisRun } from './redis-run.js';

const exec = promisify(execFile);

/** Ends with the process that started it, however that ends: so nothing is left when a run of the tests is killed. */
export async function runLocally(args: readonly string[]): Promise<RedisRun> {
  const server = spawn('setpriv', ['--pdeathsig=KILL', 'redis-server', ...args], { stdio: 'ignore' });
  await once(server, 'spawn');
  const hasEnded = (): boolean => server.exitCode !== null || server.signalCode !== null;
  return {
    cli: async (cliArgs, timeoutMs) => {
      if (hasEnded()) throw new Error(`redis-server has ended with ${server.exitCode ?? server.signalCode}.`);
      return (await exec('redis-cli', [...cliArgs], { timeout: timeoutMs })).stdout;
    },
    kill: async () => {
      if (hasEnded()) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    },
  };
}
