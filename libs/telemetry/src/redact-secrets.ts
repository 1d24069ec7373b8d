const HIDDEN = '[hidden]';

/** The rules are looked at only for lines that have one of these: most have none. */
const SUSPECTS = /:\/\/|mr_|bearer |passw|secret|token|api_?key|authorization/i;

/** Each looks at a line once from end to end: clients choose the paths in it, and no long one may hold up the process. */
const RULES: readonly (readonly [RegExp, string])[] = [
  // The password of `postgres://user:password@host`, which may hold a slash or a colon.
  [/(:\/\/[^\s:@/"\\]*:)(?:(?!:\/\/)[^\s@"\\])+@/g, `$1${HIDDEN}@`],
  [/\bmr_[\w-]{43}/g, `mr_${HIDDEN}`],
  [/\b(Bearer )[\w.~+/=-]+/gi, `$1${HIDDEN}`],
  [/("[^"\\]*(?:password|passwd|secret|token|api_?key|authorization)":)"(?:[^"\\]|\\.)*"/gi, `$1"${HIDDEN}"`],
  [/((?:password|passwd|secret)=)[^\s&"\\]+/gi, `$1${HIDDEN}`],
];

/** Hides what looks like a secret in a line of the log, wherever it stands: in an error of a driver, in an address. */
export function redactSecrets(line: string): string {
  if (!SUSPECTS.test(line)) return line;
  return RULES.reduce((text, [secret, replacement]) => text.replace(secret, replacement), line);
}
