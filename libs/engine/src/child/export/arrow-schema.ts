import type { Column } from '@millrace/domain';
import { Field, Schema } from 'apache-arrow';

/** The SQL type of a column, as DESCRIBE writes it: what lies in Arrow as text or a struct is told from one by this. */
const TYPE_KEY = 'millrace.type';

/** The schema of stored files with the names that people gave; Arrow allows two columns of one name. */
export function exportSchema(stored: Schema, columns: readonly Column[]): Schema {
  const fields = columns.map(({ name, type }, index) => {
    const field = stored.fields[index];
    if (!field) throw new Error('A stored file has fewer columns than its table.');
    return new Field(name, field.type, true, new Map([[TYPE_KEY, type]]));
  });
  return new Schema(fields);
}
