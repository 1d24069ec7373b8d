import { spawnSync } from 'node:child_process';
import { MAIN, NODE, type ProcessUser } from './millrace-run.js';

/** Almost everywhere. */
const NOBODY: ProcessUser = { uid: 65_534, gid: 65_534 };

export interface OrdinaryUser {
  /** Undefined where the tests are somebody ordinary already. */
  readonly user: ProcessUser | undefined;
  /** False below a folder that is closed to others, which `npm test` sees to. */
  readonly canRun: boolean;
  readonly description: string;
}

/** The user to run as: an unprivileged one when the tests run as root. */
export function ordinaryUser(): OrdinaryUser {
  if (process.getuid?.() !== 0) return { user: undefined, canRun: true, description: 'the ordinary user of the tests' };
  const { status } = spawnSync(NODE, ['-e', `require('node:fs').readFileSync(${JSON.stringify(MAIN)})`], NOBODY);
  const canRun = status === 0;
  const user = `an ordinary user (uid ${NOBODY.uid})`;
  return { user: NOBODY, canRun, description: canRun ? user : `${user}, who can not read the program here` };
}
