import type { FastifyReply } from 'fastify';
import type { RowFormat } from '@millrace/contract';
import type { Column } from '@millrace/domain';
import type { RowFormat as EngineRowFormat } from '@millrace/engine';

/** The columns of an answer, as the contract shows them. */
export function columnFields(columns: readonly Column[]): { columns: string[]; types: string[]; nullable: boolean[] } {
  return {
    columns: columns.map((column) => column.name),
    types: columns.map((column) => column.type),
    nullable: columns.map((column) => column.nullable),
  };
}

/** How an engine process is to encode the rows of an answer. */
export function engineRows(format: RowFormat): EngineRowFormat {
  return format === 'objects' ? 'objects' : 'arrays';
}

/**
 * An answer as JSON text, its rows spliced in as the engine encoded them: parsing them would lose numbers that no
 * double holds, and cost more than the statement.
 *
 * @param fields the answer without its rows, at least one of them
 * @param rowsJson the text of a JSON array of arrays or objects
 */
export function withRows(fields: object, rowsJson: string): string {
  return `${JSON.stringify(fields).slice(0, -1)},"rows":${rowsJson}}`;
}

/** Marks a text that a handler returns as the JSON it is. */
export function asJson(reply: FastifyReply, text: string): string {
  void reply.header('content-type', 'application/json; charset=utf-8');
  return text;
}
