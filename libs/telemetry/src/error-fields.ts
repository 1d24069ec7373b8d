const FRAMES_MAX = 6;
const CAUSES_MAX = 3;

/**
 * An error for the log: names, codes and where it was thrown, its causes included. Messages stay out, and so does
 * everything else that databases and parsers hang on their errors: both quote statements and values of rows.
 */
export function errorFields(error: unknown): { readonly errors: readonly object[] } {
  const errors: object[] = [];
  for (let each = error; each instanceof Error && errors.length < CAUSES_MAX; each = each.cause) {
    errors.push({ name: each.name, ...codeOf(each), frames: framesOf(each) });
  }
  return { errors };
}

function codeOf(error: Error): { code?: string } {
  return 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
}

function framesOf({ stack = '' }: Error): string[] {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames.slice(0, FRAMES_MAX).map((line) => line.trim());
}
