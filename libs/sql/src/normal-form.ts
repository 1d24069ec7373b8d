/** A quote within a text is escaped, so that no text can hold this. */
const POSITION = /"query_location":\d+/g;

/**
 * What a statement is, whatever its spaces, its comments and the case of its keywords: its tree, without the positions in
 * the text. The tree is taken as DuckDB wrote it, since numbers of more than 15 digits do not survive `JSON.parse`. In
 * pieces, since a tree may be 150 times as long as its text.
 *
 * @param treeText what `json_serialize_sql` gave
 */
export function* normalForm(treeText: string): Generator<string> {
  let end = 0;
  for (const { index, 0: position } of treeText.matchAll(POSITION)) {
    yield treeText.slice(end, index);
    end = index + position.length;
  }
  yield treeText.slice(end);
}
