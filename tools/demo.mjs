/**
 * `npm run demo`: uploads the files of `examples/`, makes tables of them, asks questions in SQL and reads the results
 * again. Everything goes through the HTTP contract.
 */
import { parseArgs } from 'node:util';
import { DemoError, describe, UsageError } from './demo/errors.mjs';
import {
  alignsOf,
  bold,
  count,
  countOf,
  cut,
  dim,
  duration,
  heading,
  indent,
  printFolded,
  printTable,
  say,
} from './demo/print.mjs';
import { DemoRun } from './demo/run.mjs';
import { SAMPLES } from './demo/samples.mjs';
import { findServer } from './demo/server.mjs';
import { STATEMENTS } from './demo/statements.mjs';

const ROWS_SHOWN = 6;
/** @type {Record<string, number>} */
const EXIT_OF_SIGNAL = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

const HELP = `npm run demo                      on the server that runs, else on one of its own
npm run demo -- --url <address> --key <api key>
                                  on this server
npm run demo -- --keep            leave the tables there (on a server that stays)

A server that runs is found by the file credentials.json in the data folder (DATA_DIR, else .millrace). One that is
started for the demo is gone at the end, with all its data.
`;

/** Milliseconds by kind of step, for the summary. @type {Map<string, number>} */
const spentMs = new Map();

/**
 * @template T
 * @param {string} step
 * @param {() => Promise<T>} work
 * @returns {Promise<[T, number]>} what came out, and the milliseconds it took
 */
async function timed(step, work) {
  const startedAt = performance.now();
  const value = await work();
  const ms = performance.now() - startedAt;
  spentMs.set(step, (spentMs.get(step) ?? 0) + ms);
  return [value, ms];
}

/** @param {string[]} args */
function optionsFrom(args) {
  const { values } = parseArgs({
    args,
    options: {
      help: { type: 'boolean', short: 'h', default: false },
      keep: { type: 'boolean', default: false },
      url: { type: 'string' },
      key: { type: 'string' },
    },
  });
  const { url, key, ...flags } = values;
  if ((url === undefined) !== (key === undefined)) throw new UsageError('--url and --key come together.');
  if (url !== undefined && !URL.canParse(url)) throw new UsageError(`"${url}" is no address.`);
  return { ...flags, named: url !== undefined && key !== undefined ? { url, apiKey: key } : undefined };
}

/** Uploads every sample and makes a table of it. Returns the tables by the names they were wished for. @param {DemoRun} run */
async function makeTables(run) {
  heading(`${countOf(SAMPLES.length, 'file')} become tables`);
  const made = [];
  for (const sample of SAMPLES) {
    const [upload, uploadMs] = await timed('Uploads', () => run.upload(sample));
    const [dataset, conversionMs] = await timed('Conversions', () => run.createDataset(sample, upload.id));
    made.push({ sample, upload, dataset, uploadMs, conversionMs });
  }
  printTable(
    ['File', 'What', 'Bytes', 'Table', 'Rows', 'Upload', 'Conversion'],
    made.map(({ sample, upload, dataset, uploadMs, conversionMs }) => [
      sample.file,
      sample.about,
      count(upload.size_bytes),
      `datasets.${dataset.table_name}`,
      count(dataset.row_count ?? 0),
      duration(uploadMs),
      duration(conversionMs),
    ]),
    ['left', 'left', 'right', 'left', 'right', 'right', 'right'],
  );
  showColumns(made.map(({ dataset }) => dataset));
  return made;
}

/** @param {readonly import('./demo/run.mjs').Dataset[]} datasets */
function showColumns(datasets) {
  heading('The columns, as they were found');
  const text = (/** @type {import('./demo/run.mjs').Dataset['columns'][number]} */ { name, type, nullable }) =>
    `${/^\w+$/.test(name) ? name : `"${name}"`} ${cut(type)}${nullable ? ' (with NULLs)' : ''}`;
  printFolded(datasets.map(({ table_name, columns }) => [`datasets.${table_name}`, columns.map(text).join(', ')]));
  for (const { table_name, warnings } of datasets) {
    for (const warning of warnings) say(indent(`${table_name}: ${warning}`));
  }
}

/**
 * Runs every statement and reads its result again. Returns how many rows the results have.
 *
 * @param {DemoRun} run
 * @param {Record<string, string>} names what the statements call a table or an earlier result → its name in SQL
 */
async function askQuestions(run, names) {
  let rowsRead = 0;
  for (const [index, { key, title, shows, sql, params }] of STATEMENTS.entries()) {
    heading(`${index + 1}. ${title}  ${dim(shows)}`);
    const text = sql(names).trim();
    say(`\n${indent(dim(text))}\n`);
    if (params) say(`${indent(dim(`with ${JSON.stringify(params)}`))}\n`);
    const [answer, queryMs] = await timed('Statements', () => run.query({ sql: text, params, rows: ROWS_SHOWN }));
    printTable(answer.columns, answer.rows, alignsOf(answer.types));
    names[key] = `results.${answer.result_id}`;
    rowsRead += await storeAndRead(run, answer, queryMs);
  }
  return rowsRead;
}

/** @param {DemoRun} run @param {import('@millrace/contract').QueryAnswer} answer @param {number} queryMs */
async function storeAndRead(run, { result_id, row_count, total_row_count, execution_time_ms, warnings }, queryMs) {
  for (const warning of warnings) say(indent(`Warning: ${warning}`));
  const [, readyMs] = await timed('Storing results', () => run.resultReady(result_id));
  const [{ rows, pages }, readMs] = await timed('Reading results', () => run.readResult(result_id, total_row_count));
  const steps = [
    `first ${row_count} of ${countOf(total_row_count, 'row')} in ${duration(queryMs)} (${duration(execution_time_ms)} in the engine)`,
    `stored after ${duration(readyMs)} more`,
    `read again, ${countOf(rows, 'row')} in ${countOf(pages, 'page')}, in ${duration(readMs)}`,
  ];
  say(indent(`\n${steps.join('; ')}`));
  return rows;
}

/** @param {{ files: number, rows: number, rowsRead: number, totalMs: number }} totals */
function summarise({ files, rows, rowsRead, totalMs }) {
  heading('Summary');
  const steps = [...spentMs.entries(), /** @type {const} */ (['Everything', totalMs])];
  printTable(
    ['Step', 'Time'],
    steps.map(([step, ms]) => [step, duration(ms)]),
    ['left', 'right'],
  );
  const done = `${countOf(files, 'file')} and ${countOf(rows, 'row')} in, ${countOf(STATEMENTS.length, 'statement')}`;
  say(`\n${indent(`${done}, ${countOf(rowsRead, 'row')} of results read again.`)}`);
}

/** @param {DemoRun} run */
async function tellTheStory(run) {
  const made = await makeTables(run);
  const names = Object.fromEntries(made.map(({ sample, dataset }) => [sample.table, `datasets.${dataset.table_name}`]));
  const rowsRead = await askQuestions(run, names);
  return { files: made.length, rows: sum(made.map(({ dataset }) => dataset.row_count ?? 0)), rowsRead };
}

/** @param {readonly number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** @param {Omit<ReturnType<typeof optionsFrom>, 'help'>} options @param {AbortSignal} signal */
async function runDemo({ keep, named }, signal) {
  const startedAt = performance.now();
  say(bold('Millrace demo'));
  const [server, startMs] = await timed('Finding a server', () => findServer({ named, signal }));
  say(indent(`${server.url}, ${server.about} (${duration(startMs)})`));
  const run = new DemoRun({ ...server, signal });
  try {
    const totals = await tellTheStory(run);
    if (!keep) await timed('Cleaning up', () => run.cleanUp());
    summarise({ ...totals, totalMs: performance.now() - startedAt });
  } catch (error) {
    await run.cleanUp().catch(() => {});
    throw new DemoError(describe(error) + (signal.aborted ? '' : await server.lastWords()));
  } finally {
    await server.stop();
  }
  say(indent(farewell(server, keep)));
}

/** @param {import('./demo/server.mjs').Server} server @param {boolean} keep */
function farewell({ own, url }, keep) {
  if (own) return 'The server and its folder are gone. To have one that stays: npm start';
  return keep ? `The tables stay. To look at them: ${url}/docs` : 'The tables are deleted again; --keep leaves them.';
}

/** Aborts when the demo is interrupted, or nobody reads what it prints any more; so that it still tidies up. */
function interruption() {
  const controller = new AbortController();
  for (const signal of Object.keys(EXIT_OF_SIGNAL)) process.on(signal, () => controller.abort(signal));
  process.stdout.on('error', () => controller.abort('SIGPIPE'));
  return controller.signal;
}

/** What is wrong with the command line, if that is what the error is about. @param {unknown} error */
function usageProblem(error) {
  if (!(error instanceof Error)) return undefined;
  const parsing = 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  return parsing || error instanceof UsageError ? error.message : undefined;
}

async function main() {
  const { help, ...options } = optionsFrom(process.argv.slice(2));
  if (help) return say(HELP.trimEnd());
  const signal = interruption();
  try {
    await runDemo(options, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (signal.aborted) process.exitCode = EXIT_OF_SIGNAL[signal.reason] ?? 1;
}

try {
  await main();
} catch (error) {
  const usage = usageProblem(error);
  process.stderr.write(usage === undefined ? `\n${describe(error)}\n` : `${usage}\n\n${HELP}`);
  process.exitCode = usage === undefined ? 1 : 2;
}
