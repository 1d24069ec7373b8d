export {
  analyzeStatement,
  type AnalyzedStatement,
  type ParsedStatement,
  type TableReference,
} from './analyze-statement.js';
export { refuseVersions, withoutAtClauses } from './at-clause.js';
export { bareStatement } from './bare-statement.js';
export { canBeTable } from './can-be-table.js';
export { closeNames } from './close-names.js';
export { EXPLAIN_FORMATS, type ExplainOptions } from './explain-clause.js';
export { namedParameters } from './named-parameters.js';
export { findSecondStatement, recognizeStatement, type RecognizedStatement } from './recognize-statement.js';
export { normalForm } from './normal-form.js';
export { PARAMETERS_MAX, TABLE_REFERENCES_MAX, type TableSchema } from './statement-analysis.js';
export { STATEMENT_FORMS, type StatementForm } from './statement-form.js';
export type { TableVersion } from './table-version.js';
export { byteOffsetOf, byteOffsetOfCodePoint, charIndexOf, placeOf, placesOf, type TextPlace } from './text-place.js';
export { TREE_VERSION } from './tree-shapes.js';
export { NESTING_LEVELS_MAX } from './tree-walk.js';
export { unknownTable, type NamedTable } from './unknown-table.js';
export { isVolatileFunction } from './volatility.js';
