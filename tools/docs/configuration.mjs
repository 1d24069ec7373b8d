/**
 * Writes the table of environment variables in docs/configuration.md from the schema that services parse them with.
 * Reads the built configuration library.
 *
 *   node tools/docs/configuration.mjs            writes the table
 *   node tools/docs/configuration.mjs --check    exit 1 when the table is not what it would write
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { environmentSchema } from '@millrace/config';
import { format, resolveConfig } from 'prettier';

const FILE = fileURLToPath(new URL('../../docs/configuration.md', import.meta.url));
const TABLE = /(<!-- table: [^\n]*-->\n)[^]*?(\n<!-- end of table -->)/;

/** Units from large to small, by what a name ends in or contains. */
const UNITS = {
  MS: [
    ['day', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ],
  BYTES: [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
  ],
};

/** A number in the largest unit that holds it evenly enough to be read: `1.5 GiB`, `2 min`. */
function readable(name, value) {
  const units = UNITS[/_(MS|BYTES)(_|$)/.exec(name)?.[1]] ?? [];
  const [unit, size] = units.find(([, unitSize]) => value >= unitSize && (value * 10) % unitSize === 0) ?? [];
  if (!unit) return '';
  const count = value / size;
  return ` (${count} ${unit}${unit === 'day' && count !== 1 ? 's' : ''})`;
}

const code = (text) => `\`${text}\``;

function typeOf({ type, format: form, enum: values, minLength, minimum, maximum }) {
  if (values) return values.map(code).join(', ');
  if (form === 'uri') return 'URL';
  if (type === 'string') return minLength ? `text of at least ${minLength} characters` : 'text';
  if (type === 'number') return `number, ${minimum} to ${maximum}`;
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return isBounded ? `integer, ${minimum} to ${maximum}` : `integer, at least ${minimum}`;
}

function rowOf(name, field) {
  const initial = field.default === undefined ? 'none' : code(field.default) + readable(name, field.default);
  return `| ${[code(name), typeOf(field), initial, field.description].join(' | ')} |`;
}

function tableOf(schema) {
  const rows = Object.entries(schema.toJSONSchema().properties).map(([name, field]) => rowOf(name, field));
  return ['| variable | type | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const before = readFileSync(FILE, 'utf8');
if (!TABLE.test(before)) throw new Error('docs/configuration.md has no place for the table.');
const written = before.replace(TABLE, (_, start, end) => `${start}\n${tableOf(environmentSchema)}\n${end}`);
const after = await format(written, { ...(await resolveConfig(FILE)), filepath: FILE });

if (!process.argv.includes('--check')) writeFileSync(FILE, after);
else if (after !== before) {
  process.stderr.write('docs/configuration.md is not up to date. Run npm run docs.\n');
  process.exitCode = 1;
}
