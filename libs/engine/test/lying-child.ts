import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildFolder } from '../src/pool/child-folder.js';
import { EngineChild } from '../src/pool/engine-child.js';
import { NO_GUARDS } from '../src/pool/guards.js';
import type { LaunchOptions } from '../src/pool/launch.js';

/** What a program of a test may use: `say` a message, `write` bytes, `onTask`. */
const PRELUDE = `
import { Socket } from 'node:net';
const channel = new Socket({ fd: 3 });
channel.on('error', () => undefined);
channel.on('close', () => process.exit());
const write = (bytes) => channel.write(bytes);
const frame = (head, text = '') => {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(Buffer.byteLength(head), 0);
  lengths.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([lengths, Buffer.from(head), Buffer.from(text)]);
};
const say = (message, text) => write(frame(JSON.stringify(message), text));
const onTask = (act) => channel.on('data', act);
`;

type Confinement = Pick<LaunchOptions, 'user' | 'guards'> & Partial<Pick<LaunchOptions, 'rlimits'>>;

/** Engine processes whose program is a test's own, for what a child may say that ours never does. */
export class LyingChildren {
  private constructor(readonly folder: string) {}

  static async open(): Promise<LyingChildren> {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-lying-'));
    // Children may be somebody else and must pass.
    await chmod(folder, 0o711);
    return new LyingChildren(folder);
  }

  /** @param confinement who it is and what stands around it; nothing does when left out */
  async start(
    program: string,
    confinement: Confinement = { user: undefined, guards: NO_GUARDS },
  ): Promise<EngineChild> {
    const entry = join(this.folder, `${Math.random().toString(36).slice(2)}.mjs`);
    await writeFile(entry, PRELUDE + program);
    const folder = await ChildFolder.create(this.folder, confinement.user);
    const config = {
      role: 'table',
      inputsDir: folder.inputsDir,
      scratchDir: folder.scratchDir,
      pipesDir: folder.pipesDir,
      memoryLimitBytes: 256 * 1024 ** 2,
      threads: 1,
      spillBytesMax: 256 * 1024 ** 2,
      isolation: 'tenant',
    } as const;
    return EngineChild.start(folder, { config, rlimits: undefined, ...confinement, entry });
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
