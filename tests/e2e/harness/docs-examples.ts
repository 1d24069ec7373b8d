/** What an example says that its command answers: everything in it must be so, and there may be more. */
export interface ExpectedAnswer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The part of the JSON that the documentation shows; undefined where it shows none. */
  readonly body: unknown;
}

/** A command of the documentation and the answer that is shown below it. */
export interface DocsExample {
  /** Where it stands: `docs/api.md:120`. */
  readonly place: string;
  readonly command: string;
  readonly expected: ExpectedAnswer;
}

/** A block with `curl` in bash, and the next block, which is an answer as `curl -i` prints it or JSON alone. */
const EXAMPLE = /^```bash\n([^`]*?\bcurl -[^`]*?)^```\n+^```(http|json)\n([^]*?)^```/gm;
const CURL_BLOCK = /^```bash\n[^`]*?\bcurl -/gm;

/** @throws Error when a command has no answer: what is not shown can't be checked */
export function examplesIn(file: string, text: string): DocsExample[] {
  const examples = [...text.matchAll(EXAMPLE)].map(({ 1: command = '', 2: language, 3: answer = '', index }) => ({
    place: `${file}:${text.slice(0, index).split('\n').length}`,
    command,
    expected: language === 'http' ? readAnswer(answer) : { status: undefined, headers: {}, body: JSON.parse(answer) },
  }));
  const count = [...text.matchAll(CURL_BLOCK)].length;
  if (examples.length !== count) throw new Error(`${file}: ${count} commands, but ${examples.length} with an answer.`);
  return examples;
}

/** Reads an answer as `curl -i` prints it, or JSON alone. */
export function readAnswer(printed: string): ExpectedAnswer {
  const text = printed.replaceAll('\r\n', '\n').replace(/^HTTP\/1\.1 100 .*\n\n/, '');
  const [head = '', ...rest] = text.startsWith('HTTP/') ? text.split('\n\n') : ['', text];
  const [statusLine = '', ...lines] = head.split('\n').filter((line) => line !== '');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = /^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1];
  return { status: status === undefined ? undefined : Number(status), headers, body: parseJson(rest.join('\n\n')) };
}

function parseJson(text: string): unknown {
  return /^\s*[{[]/.test(text) ? JSON.parse(text) : undefined;
}

/** Fields whose values differ from run to run, or from machine to machine. */
const PASSING_FIELDS = new Set(['execution_time_ms', 'size_bytes', 'estimated_bytes', 'next_cursor', 'request_id']);
const ID = /\b(upld|data|vers|rslt|qrun|jobs)[0-7][0-9a-hjkmnp-tv-z]{25}\b/g;
const TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;

/** A value with everything in it that differs from run to run made the same. */
export function withoutPassingParts(value: unknown): unknown {
  if (typeof value === 'string') {
    return value
      .replaceAll(ID, '$1…')
      .replaceAll(TIME, '<time>')
      .replaceAll(/cursor=\w+/g, 'cursor=…');
  }
  if (Array.isArray(value)) return value.map(withoutPassingParts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      PASSING_FIELDS.has(key) && inner !== null ? '…' : withoutPassingParts(inner),
    ]),
  );
}

const VARIABLES: Readonly<Record<string, string>> = {
  upld: 'UPLOAD',
  data: 'DATASET',
  qrun: 'QUERY',
  rslt: 'RESULT',
  jobs: 'JOB',
};

/** What a person would note from an answer: its own ids and its cursor, by the names of the documentation. */
export function notedFrom(body: unknown): Record<string, string> {
  const { id, job_id, query_run_id, result_id, next_cursor } = (body ?? {}) as Record<string, unknown>;
  const ids = [id, job_id, query_run_id, result_id].filter((value) => typeof value === 'string');
  return {
    ...Object.fromEntries(ids.map((value) => [VARIABLES[value.slice(0, 4)] ?? 'OTHER', value])),
    ...(typeof next_cursor === 'string' && { CURSOR: next_cursor }),
  };
}

/** The statements of a page: those in blocks, and those of a table that names their error. */
export function statementsIn(text: string): { accepted: string[]; refused: [sql: string, code: string][] } {
  return {
    accepted: [...text.matchAll(/^```sql\n([^]*?)^```/gm)].map(([, sql = '']) => sql.trim()),
    refused: [...text.matchAll(/^\| `(.+?)` +\| `([a-z_.]+)` +\|$/gm)].map(([, sql = '', code = '']) => [sql, code]),
  };
}
