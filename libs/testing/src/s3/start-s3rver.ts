import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestS3 } from './start-s3.js';
import { S3_TEST_KEY, S3_TEST_REGION } from './verify-signature.js';

const PROCESS = fileURLToPath(new URL('./s3rver-process.js', import.meta.url));

/** Starts s3rver with a bucket, in a process and a folder of its own that go with it. */
export async function startS3rver(bucket: string): Promise<TestS3> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-s3-'));
  const child = fork(PROCESS, [folder, bucket], { execArgv: ['--openssl-legacy-provider'], stdio: 'inherit' });
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return {
      endpoint: `http://127.0.0.1:${await portOf(child)}`,
      region: S3_TEST_REGION,
      bucket,
      credentials: { accessKeyId: S3_TEST_KEY, secretAccessKey: S3_TEST_KEY },
      forcePathStyle: true,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`s3rver ended at its start with code ${String(code)}.`);
  });
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [{ readonly port: number }];
  ended.catch(() => undefined);
  return message.port;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
