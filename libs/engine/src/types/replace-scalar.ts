export interface ScalarReplacement {
  readonly from: string;
  readonly to: string;
}

/**
 * The text of a type, as DuckDB writes it, with one scalar type in place of another at any depth. A field that has the
 * name of the type keeps it: behind the name of a field stands a space, behind a type none.
 */
export function replaceScalar(type: string, { from, to }: ScalarReplacement): string {
  const tokens = new RegExp(`"(?:[^"]|"")*"|\\b${from}\\b(?! )`, 'g');
  return type.replace(tokens, (token) => (token === from ? to : token));
}
