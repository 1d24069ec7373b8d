import { spawn } from 'node:child_process';

const OUTPUT_CHARACTERS_MAX = 4_000_000;
const KILL_GRACE_MS = 10_000;

/**
 * Runs a command in its own process group; resolves with its exit code and what it printed (the end of it, when it
 * printed very much). `live` shows the output while it comes. After `msMax` the group is ended: SIGTERM, then SIGKILL.
 */
export function runProcess({ command, args, cwd, env, msMax, live = false }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (target) => (chunk) => {
      output = (output + chunk).slice(-OUTPUT_CHARACTERS_MAX);
      if (live) target.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', collect(process.stdout));
    child.stderr.setEncoding('utf8').on('data', collect(process.stderr));
    const fence = fenceIn(child, msMax, (note) => (output += note));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      fence.open();
      resolve({ ok: code === 0, output });
    });
  });
}

/** Ends the child's group after its time, and with us when we are interrupted. */
function fenceIn(child, msMax, note) {
  const end = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // The group is gone already.
    }
  };
  const stop = () => {
    end('SIGKILL');
    // Later, so that the fences of the steps beside this one end theirs too.
    setImmediate(() => process.exit(130));
  };
  const deadline = setTimeout(() => {
    note(`\nEnded after ${msMax / 60_000} minutes.\n`);
    end('SIGTERM');
    setTimeout(end, KILL_GRACE_MS, 'SIGKILL').unref();
  }, msMax);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);
  return {
    open() {
      clearTimeout(deadline);
      for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, stop);
    },
  };
}
