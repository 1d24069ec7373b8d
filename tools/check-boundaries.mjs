/** Checks who imports whom, what packages declare, and that the Nx graph is whole. Prints every breach; exit 1. */
import { fileURLToPath } from 'node:url';
import { findBreaches } from './boundaries/rules.mjs';
import { readWorkspace } from './boundaries/workspace.mjs';

const workspace = readWorkspace(fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, ''));
const breaches = findBreaches(workspace);
for (const breach of breaches) process.stderr.write(`${breach}\n`);
process.stdout.write(
  breaches.length === 0
    ? `${workspace.packages.length} packages keep their boundaries.\n`
    : `${breaches.length} breaches of boundaries.\n`,
);
process.exitCode = breaches.length === 0 ? 0 : 1;
