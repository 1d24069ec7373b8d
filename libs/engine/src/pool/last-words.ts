const LINE_LENGTH_MAX = 200;

/**
 * What Node, V8, the C++ runtime and the allocators say when they end a process, and the names and frames that a child
 * writes of an error of ours. Everything else may quote a statement or a row.
 */
const HARMLESS_LINES = [
  /^FATAL ERROR: [\w .:'-]+$/,
  /^# (?:Fatal|Check failed|last resort|Allocation failed)\b/,
  /^ {2}# {2}(?:\S*node\[\d+\]: |Assertion failed: )/,
  /^----- (?:Native|JavaScript) stack trace -----$/,
  /^<--- (?:Last few GCs|JS stacktrace) --->$/,
  /^\[\d+:0x[\da-f]+\]\s+\d+ ms: (?:Mark-Compact|Scavenge)/,
  /^terminate called /,
  /^ {2}what\(\): {2}std::[\w:]+$/,
  /^<jemalloc>: /,
  /^(?:malloc|free|realloc|munmap_chunk|malloc_consolidate|double free or corruption|corrupted)\b[\w ():!.,<>/-]*$/,
  /^\*\*\* stack smashing detected \*\*\*/,
  /^ ?\d+: 0x[\da-f]+ /,
  /^Node\.js v\d+\.\d+\.\d+$/,
  /^(?:[A-Z]\w{0,40})?Error(?: [\w.]{1,40})?$/,
  /^ {4}at \S.*(?::\d+:\d+|<anonymous>|native|index \d+)\)?$/,
];

/** The lines of a process's stderr that may go into a log. */
export function lastWords(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trimEnd());
  const harmless = lines.filter((line) => HARMLESS_LINES.some((pattern) => pattern.test(line)));
  return harmless.map((line) => line.slice(0, LINE_LENGTH_MAX)).join('\n');
}
