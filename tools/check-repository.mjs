/** Checks what git holds: the lock, sizes of files, and leftovers that do not belong into a commit. Exit 1 on a breach. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingOptionals } from './complete-lock.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FILE_BYTES_MAX = 1024 * 1024;
const LOCK = 'package-lock.json';
const TEXT_FILE = /\.(ts|tsx|mts|js|mjs|sql|md|json|ya?ml|sh|css|html)$/;
const TEST_FILE = /\.spec\.ts$|^tests\/|\/test\//;

/** Split in two, so that this file does not find itself. */
const LEFTOVERS = [
  {
    pattern: new RegExp(`\\b(${'TO'}${'DO'}|${'FIX'}${'ME'}|${'XX'}${'X'})\\b`),
    advice: 'Do it, or describe the limit in plain words.',
  },
];
const TEST_LEFTOVERS = [
  {
    pattern: /\b(?:it|test|describe)(?:\.concurrent)?\.(?:only|skip|todo|failing)\b/,
    advice: 'Every test runs, always.',
  },
  { pattern: /(?<![\w.])(?:fit|xit|fdescribe|xdescribe|xtest)\(/, advice: 'Every test runs, always.' },
  { pattern: /\bretryTimes\(/, advice: 'A test that needs a second try is a defect.' },
];

/** Tracked files and those about to be: what `git add` would take. */
function repositoryFiles() {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const names = execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * FILE_BYTES_MAX });
  return [...new Set(names.split('\0'))].filter((name) => name !== '' && existsSync(join(ROOT, name))).sort();
}

function checkLock() {
  const lock = JSON.parse(readFileSync(join(ROOT, LOCK), 'utf8'));
  const addressed = Object.entries(lock.packages).filter(([, entry]) => !entry.link && 'resolved' in entry);
  const missing = missingOptionals(lock);
  return [
    ...addressed.map(([place]) => `${LOCK}: ${place} names the registry it came from. Remove its "resolved" line.`),
    ...missing.map(({ name }) => `${LOCK}: ${name} is missing. Run node tools/complete-lock.mjs.`),
  ];
}

function checkFile(name) {
  const { size } = statSync(join(ROOT, name));
  if (name === LOCK) return [];
  if (size > FILE_BYTES_MAX) return [`${name}: ${(size / FILE_BYTES_MAX).toFixed(1)} MiB. Make it when it is needed.`];
  return TEXT_FILE.test(name) ? checkText(name) : [];
}

function checkText(name) {
  const rules = [...LEFTOVERS, ...(TEST_FILE.test(name) ? TEST_LEFTOVERS : [])];
  const lines = readFileSync(join(ROOT, name), 'utf8').split('\n');
  return lines.flatMap((line, index) =>
    rules
      .filter(({ pattern }) => pattern.test(line))
      .map(({ pattern, advice }) => `${name}:${index + 1}: "${pattern.exec(line)[0]}". ${advice}`),
  );
}

const breaches = [...checkLock(), ...repositoryFiles().flatMap(checkFile)];
for (const breach of breaches) process.stderr.write(`${breach}\n`);
process.stdout.write(breaches.length === 0 ? 'The repository is tidy.\n' : `${breaches.length} things to tidy.\n`);
process.exitCode = breaches.length === 0 ? 0 : 1;
