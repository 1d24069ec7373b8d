/** Checks that docs/errors.md and the error catalog name the same codes. Reads the built catalog. Exit 1 on a difference. */
import { readFileSync } from 'node:fs';

const DOCS = new URL('../docs/errors.md', import.meta.url);
/** A code in the list of errors: the first cell of a table row, in backticks. */
const LISTED_CODE = /^\|\s*`([a-z][a-z_]*(?:\.[a-z][a-z_]*)+)`\s*\|/gm;

const { ERRORS } = await import(new URL('../libs/domain/dist/error-catalog.js', import.meta.url).href);
const listed = [...readFileSync(DOCS, 'utf8').matchAll(LISTED_CODE)].map((match) => match[1]);
const codes = Object.keys(ERRORS);

const breaches = [
  ...codes.filter((code) => !listed.includes(code)).map((code) => `docs/errors.md: \`${code}\` has no row. Add it.`),
  ...listed.filter((code) => !codes.includes(code)).map((code) => `docs/errors.md: \`${code}\` is no code. Remove it.`),
  ...listed
    .filter((code, at) => listed.indexOf(code) !== at)
    .map((code) => `docs/errors.md: \`${code}\` stands twice.`),
];
for (const breach of breaches) process.stderr.write(`${breach}\n`);
process.stdout.write(`${codes.length} error codes, ${breaches.length} differences from docs/errors.md.\n`);
process.exitCode = breaches.length === 0 ? 0 : 1;
