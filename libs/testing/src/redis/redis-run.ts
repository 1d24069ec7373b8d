import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runContained } from './run-contained.js';
import { runLocally } from './run-locally.js';

const exec = promisify(execFile);

/** One run of a redis-server, from its start to its end. */
export interface RedisRun {
  /** Runs redis-cli; gives what it prints. @throws Error for a server that is away and an answer that is an error */
  cli(args: readonly string[], timeoutMs: number): Promise<string>;
  /** Ends it at once. */
  kill(): Promise<void>;
}

let isInstalled: Promise<boolean> | undefined;

/** Starts redis-server as a process where it is on the PATH, else in a container. Its port may not be open yet. */
export async function startRedisRun(args: readonly string[]): Promise<RedisRun> {
  isInstalled ??= exec('redis-server', ['--version']).then(
    () => true,
    () => false,
  );
  return (await isInstalled) ? runLocally(args) : runContained(args);
}
