/**
 * Checks that docs/errors.md and the error catalog name the same codes with the same status, and agree on which errors
 * may pass; and that some spec names each code, which says nothing of how the spec comes by it. Reads the built catalog.
 * Exit 1 on a difference.
 */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const DOCS = new URL('../docs/errors.md', import.meta.url);
/** A code in the list of errors: a row that begins with the code in backticks, its status, and whether it may pass. */
const LISTED_ERROR = /^\|\s*`([a-z][a-z_.]*)`\s*\|\s*(\d+)\s*\|\s*(\w+)\s*\|/gm;

const { ERRORS } = await import(new URL('../libs/domain/dist/error-catalog.js', import.meta.url).href);
const rows = [...readFileSync(DOCS, 'utf8').matchAll(LISTED_ERROR)];
const listed = rows.map(([, code]) => code);
const codes = Object.keys(ERRORS);
/** What the specs name: a code that none of them does may be one that nothing gives. */
const specs = globSync('{libs,apps,tests}/**/*.spec.ts', {
  cwd: ROOT,
  exclude: (path) => path.includes('node_modules'),
})
  .map((path) => readFileSync(`${ROOT}/${path}`, 'utf8'))
  .join('\n');
const factsOf = ({ status, retryable }) => `${status}, retryable ${retryable ? 'yes' : 'no'}`;

const breaches = [
  ...codes
    .filter((code) => !specs.includes(`'${code}'`) && !specs.includes(`"${code}"`))
    .map(
      (code) =>
        `libs/domain/src/error-catalog.ts: no spec names \`${code}\`. Write a test that meets it, or remove the code.`,
    ),
  ...codes.filter((code) => !listed.includes(code)).map((code) => `docs/errors.md: \`${code}\` has no row. Add it.`),
  ...listed.filter((code) => !codes.includes(code)).map((code) => `docs/errors.md: \`${code}\` is no code. Remove it.`),
  ...listed
    .filter((code, at) => listed.indexOf(code) !== at)
    .map((code) => `docs/errors.md: \`${code}\` stands twice.`),
  ...rows
    .filter(
      ([, code, status, passes]) => codes.includes(code) && `${status}, retryable ${passes}` !== factsOf(ERRORS[code]),
    )
    .map(([, code]) => `docs/errors.md: \`${code}\` is ${factsOf(ERRORS[code])}. Correct its row.`),
];
for (const breach of breaches) process.stderr.write(`${breach}\n`);
process.stdout.write(`${codes.length} error codes, ${breaches.length} differences from docs/errors.md.\n`);
process.exitCode = breaches.length === 0 ? 0 : 1;
