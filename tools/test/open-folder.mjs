import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const TRIAL_MS_MAX = 10_000;
const OTHERS_PASS = 0o001;
const MOUNTED = 'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec "$@"';

/**
 * Where others than root can read this repository. Below a folder that is closed to them, such as /root, engine processes
 * can be nobody but root, and the tests of what they can't do would say nothing. There, the repository is mounted once
 * more, for the tests alone, at a folder that anybody may pass.
 *
 * @returns that folder, and a command line that runs another in it; undefined when none is needed, or root may not mount
 */
export function findOpenFolder(root) {
  if (process.getuid?.() !== 0 || isOpen(root)) return undefined;
  // The same for each run, so that Jest finds what it translated.
  const folder = join(tmpdir(), `millrace-open-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`);
  mkdirSync(folder, { recursive: true });
  const lineFor = (line) => ['unshare', '--mount', '--', 'sh', '-c', MOUNTED, 'sh', root, folder, ...line];
  return isOpen(folder) && works(lineFor(['true'])) ? { folder, lineFor } : undefined;
}

function isOpen(folder) {
  if ((statSync(folder).mode & OTHERS_PASS) === 0) return false;
  return folder === dirname(folder) || isOpen(dirname(folder));
}

function works([command, ...args]) {
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: TRIAL_MS_MAX });
    return true;
  } catch {
    return false;
  }
}
