const HIDDEN = '[hidden]';

/** The rules are looked at only for lines that have one of these: most have none. */
const SUSPECTS = ['://', 'mr_', 'earer ', 'ass', 'ecret', 'oken', 'api_key', 'uthorization'];

const RULES: readonly (readonly [RegExp, string])[] = [
  // The password of `postgres://user:password@host`, which may hold a slash or a colon.
  [/([a-z][a-z+.-]*:\/\/[^\s:@/"\\]*:)[^\s@"\\]+@/gi, `$1${HIDDEN}@`],
  [/\bmr_[\w-]{43}/g, `mr_${HIDDEN}`],
  [/\b(Bearer )[\w.~+/=-]+/gi, `$1${HIDDEN}`],
  [/("[^"\\]*(?:password|passwd|secret|token|api_?key|authorization)":)"(?:[^"\\]|\\.)*"/gi, `$1"${HIDDEN}"`],
  [/\b((?:password|passwd|secret)=)[^\s&"\\]+/gi, `$1${HIDDEN}`],
];

/** Hides what looks like a secret in a line of the log, wherever it stands: in an error of a driver, in an address. */
export function redactSecrets(line: string): string {
  if (!SUSPECTS.some((suspect) => line.includes(suspect))) return line;
  return RULES.reduce((text, [secret, replacement]) => text.replace(secret, replacement), line);
}
