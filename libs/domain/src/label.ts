import { DomainError } from './domain-error.js';

/** Neither blank nor without a shape of its own: of some, such as U+2800, only the name says that they are blank. */
const VISIBLE = /[^\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * The label without the blanks around it.
 *
 * @throws DomainError `label.blank`
 */
export function checkLabel(label: string): string {
  if (VISIBLE.test(label)) return label.trim();
  throw new DomainError('label.blank', 'Give the dataset a label with at least one visible character.');
}
