import { uniqueColumnNames } from '@millrace/domain';

/** A column as it lies in a file or a view: no other there has its name. */
export interface NamedColumn {
  readonly name: string;
  readonly type: string;
}

/** Columns under the names of `uniqueColumnNames`. */
export function namedColumns(columns: readonly { readonly name: string; readonly type: string }[]): NamedColumn[] {
  const names = uniqueColumnNames(columns.map(({ name }) => name));
  return columns.map(({ type }, index) => ({ name: names[index] ?? '', type }));
}
