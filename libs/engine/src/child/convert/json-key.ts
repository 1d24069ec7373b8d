/** A key as its text, from the bytes between its quotes; what is no JSON is nobody's key. */
export function keyText(bytes: readonly number[]): string {
  try {
    return String(JSON.parse(`"${Buffer.from(bytes).toString('utf8')}"`));
  } catch {
    return '';
  }
}
