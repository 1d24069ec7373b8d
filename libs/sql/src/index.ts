export {
  analyzeStatement,
  type AnalyzedStatement,
  type ParsedStatement,
  type TableReference,
} from './analyze-statement.js';
export { bareStatement } from './bare-statement.js';
export { closeNames } from './close-names.js';
export { findSecondStatement, recognizeStatement, type RecognizedStatement } from './recognize-statement.js';
export { TABLE_REFERENCES_MAX, type TableSchema } from './statement-analysis.js';
export { byteOffsetOf, byteOffsetOfCodePoint, charIndexOf, placeOf, placesOf, type TextPlace } from './text-place.js';
export { NESTING_LEVELS_MAX } from './tree-walk.js';
export { unknownTable, type NamedTable } from './unknown-table.js';
