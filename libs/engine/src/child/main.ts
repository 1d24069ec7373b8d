import { readFileSync } from 'node:fs';
import { DomainError } from '@millrace/domain';
import type { Phase } from '../pool/phase.js';
import type { ChildConfig, ToChild } from '../pool/wire.js';
import type { TaskAnswer, TaskKind } from '../tasks/task.js';
import { EngineInstance } from './engine-instance.js';
import { PhaseClock } from './phase-clock.js';
import { SupervisorChannel } from './supervisor-channel.js';
import type { TaskOutcome } from './task-outcome.js';
import { TaskRunner } from './task-runner.js';

/** The entry of an engine process. Its supervisor is the only one it talks to, and it does not outlive it. */
const channel = new SupervisorChannel(onMessage);
const config = JSON.parse(process.argv[2] ?? '') as ChildConfig;
const instance = new EngineInstance(config);
await instance.open();
const runner = new TaskRunner(instance, config);
channel.tell({ type: 'ready', dataBytes: dataBytes() });

function onMessage(message: ToChild): void {
  if (message.type === 'interrupt') return runner.interrupt();
  const { task } = message;
  const onProgress = (progress: number): void => void channel.tell({ type: 'progress', progress });
  const phases = new PhaseClock();
  void runner.run(task, { onProgress, phases }).then((outcome) => answer(task.kind, outcome, phases.stop()));
}

function answer(kind: TaskKind, outcome: TaskOutcome, phases: readonly Phase[]): void {
  if ('error' in outcome) return void channel.tell({ type: 'error', ...outcome, phases });
  const { fields, text } = splitAnswer(outcome.answer);
  const wasTold = channel.tell({ type: 'answer', answer: fields, dataBytes: dataBytes(), phases }, text);
  if (!wasTold) channel.tell({ type: 'error', error: tooWide(kind).toRecord(), phases });
}

/** The long text of an answer goes beside it. */
function splitAnswer(given: TaskAnswer): { fields: object; text: string } {
  if ('rowsJson' in given) {
    const { rowsJson: text, ...fields } = given;
    return { fields, text };
  }
  return { fields: given, text: '' };
}

function tooWide(kind: TaskKind): DomainError {
  const code = kind === 'convert' || kind === 'analyze' ? 'conversion.limit' : 'query.result_too_large';
  return new DomainError(code, 'The names and types of the columns together are too long.');
}

/** What RLIMIT_DATA counts; 0 where the system doesn't tell. Read at once: the kernel makes it up, there is no disk. */
function dataBytes(): number {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    return Number(/^VmData:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
