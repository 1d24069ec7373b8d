const FRAMES_MAX = 6;
const CAUSES_MAX = 3;
/** `at name (file:///a/b.js:1:2)`, `at async /a/b.js:1:2`, `at Array.map (<anonymous>)`, `at async Promise.all (index 0)`. */
const FRAME = /^\s+at \S.*(?::\d+:\d+|<anonymous>|native|index \d+)\)?$/;

export interface LoggedError {
  readonly name: string;
  readonly code?: string;
  /** Where it was thrown: the innermost first. */
  readonly frames: readonly string[];
}

/**
 * An error for the log: names, codes and where it was thrown, its causes included. Messages stay out, and so does
 * everything else that databases and parsers hang on their errors: both quote statements and values of rows.
 */
export function errorFields(error: unknown): { readonly errors: readonly LoggedError[] } {
  const errors: LoggedError[] = [];
  for (let each = error; each instanceof Error && errors.length < CAUSES_MAX; each = each.cause) {
    errors.push({ name: each.name, ...codeOf(each), frames: framesOf(each) });
  }
  return { errors };
}

function codeOf(error: Error): { code?: string } {
  return 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
}

/** A stack begins with the message, and a line of that may look much like a frame. */
function framesOf({ stack = '', message }: Error): string[] {
  const end = message === '' ? -1 : stack.indexOf(message);
  const below = end < 0 ? stack : stack.slice(end + message.length);
  const frames = below.split('\n').filter((line) => FRAME.test(line));
  return frames.slice(0, FRAMES_MAX).map((line) => line.trim());
}
