import { readFile } from 'node:fs/promises';
import type { ChildConfig, FromChild, ToChild } from '../pool/wire.js';
import { EngineInstance } from './engine-instance.js';
import type { TaskOutcome } from './task-outcome.js';
import { TaskRunner } from './task-runner.js';

/** The entry of an engine process. Its supervisor is the only one it talks to, and it does not outlive it. */
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const config = JSON.parse(process.argv[2] ?? '') as ChildConfig;
const instance = new EngineInstance(config);
await instance.open();
const runner = new TaskRunner(instance, config);

process.on('message', (message: ToChild) => {
  if (message.type === 'interrupt') runner.interrupt();
  else void runner.run(message.task, (progress) => tell({ type: 'progress', progress })).then(answer);
});
tell({ type: 'ready', dataBytes: await dataBytes() });

async function answer(outcome: TaskOutcome): Promise<void> {
  if ('error' in outcome) tell({ type: 'error', ...outcome });
  else tell({ type: 'answer', answer: outcome.answer, dataBytes: await dataBytes() });
}

function tell(message: FromChild): void {
  process.send?.(message);
}

/** What RLIMIT_DATA counts; 0 where the system doesn't tell. */
async function dataBytes(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  return Number(/^VmData:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
