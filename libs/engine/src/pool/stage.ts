import { rm } from 'node:fs/promises';
import { DomainError } from '@millrace/domain';
import type { ConvertAnswer } from '../tasks/convert.task.js';
import type { QueryAnswer } from '../tasks/query.task.js';
import type { EngineTask, TaskKind, TaskResult, WireTask } from '../tasks/task.js';
import type { CheckedAnswer } from './checked-answer.js';
import type { ChildFolder } from './child-folder.js';
import type { WorkFolder } from './work-folder.js';

/**
 * Puts a task's files into the child's folder and rewrites their paths.
 *
 * @throws DomainError `storage.object_missing`, `storage.full`, `storage.unavailable`
 */
export async function stageTask(task: EngineTask, folder: ChildFolder): Promise<WireTask> {
  const paths = await folder.setInputs(inputFilesOf(task));
  const staged = (file: string): string => paths.get(file) ?? file;
  const outputPath = folder.newOutputPath();
  switch (task.kind) {
    case 'parse':
      return { ...task, outputPath };
    case 'read':
    case 'export':
      return { ...task, files: task.files.map(staged), outputPath };
    case 'analyze':
    case 'convert':
      return { ...task, file: staged(task.file), outputPath };
    case 'query':
    case 'describe':
    case 'inspect':
      return {
        ...task,
        inputs: task.inputs.map((input) => ({ ...input, files: input.files.map(staged) })),
        outputPath,
      };
  }
}

function inputFilesOf(task: EngineTask): readonly string[] {
  switch (task.kind) {
    case 'parse':
      return [];
    case 'read':
    case 'export':
      return task.files;
    case 'analyze':
    case 'convert':
      return [task.file];
    case 'query':
    case 'describe':
    case 'inspect':
      return task.inputs.flatMap((input) => input.files);
  }
}

/** Completes a child's answer with the file that it wrote, which moves out of its reach. */
export async function collectResult(
  wire: WireTask,
  answer: CheckedAnswer,
  work: WorkFolder,
): Promise<TaskResult<TaskKind>> {
  if (wire.kind === 'query') {
    const { path, sizeBytes } = await takeWritten(wire, work);
    return { ...(answer as QueryAnswer), filePath: path, sizeBytes };
  }
  if (wire.kind === 'convert') {
    const converted = answer as ConvertAnswer;
    return { ...converted, files: [{ ...(await takeWritten(wire, work)), rowCount: converted.rowCount }] };
  }
  return answer as TaskResult<'parse' | 'describe' | 'inspect' | 'read' | 'analyze' | 'export'>;
}

async function takeWritten(wire: WireTask, work: WorkFolder): Promise<{ path: string; sizeBytes: number }> {
  const taken = await work.takeOutput(wire.outputPath);
  if (!taken) throw new DomainError('internal', 'An engine process answered without a file.');
  return taken;
}

/** Removes what a failed task may have written. */
export async function dropOutput(wire: WireTask): Promise<void> {
  await rm(wire.outputPath, { force: true }).catch(() => undefined);
}
