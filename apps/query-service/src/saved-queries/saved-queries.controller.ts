import { Body, Controller, Param, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import {
  type CreateSavedQueryBody,
  createSavedQuerySchema,
  listSavedQueriesQuerySchema,
  pageQuerySchema,
  runQueryQuerySchema,
  type RunSavedQueryBody,
  runSavedQuerySchema,
  type SavedQueryBody,
  type savedQueryListSchema,
  type savedQueryVersionListSchema,
  savedQueryVersionQuerySchema,
  type UpdateSavedQueryBody,
  updateSavedQuerySchema,
} from '@millrace/contract';
import type { Principal } from '@millrace/domain';
import { decodeIdCursor, decodeOffsetCursor, encodeCursor, Operation, pageFields, parsePrefer } from '@millrace/http';
import { disconnectSignal } from '../disconnect-signal.js';
import { negotiateAnswer } from '../formats/negotiate-answer.js';
import { sendAnswer } from '../queries/send-answer.js';
import { SavedQueriesService } from './saved-queries.service.js';
import { presentSavedQuery, presentSavedQueryVersion } from './saved-query.presenter.js';

@Controller()
export class SavedQueriesController {
  constructor(private readonly savedQueries: SavedQueriesService) {}

  @Operation('saved_query.create')
  async create(
    @Body({ schema: createSavedQuerySchema }) body: CreateSavedQueryBody,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SavedQueryBody> {
    const query = await this.savedQueries.create(caller, body, disconnectSignal(reply));
    void reply.header('location', `/v1/saved-queries/${query.id}`);
    return presentSavedQuery(query);
  }

  @Operation('saved_query.list')
  async list(
    @Query({ schema: listSavedQueriesQuerySchema }) query: z.output<typeof listSavedQueriesQuerySchema>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof savedQueryListSchema>> {
    const page = await this.savedQueries.list(caller, {
      limit: query.limit,
      before: decodeIdCursor('savedQuery', query.cursor),
      namePrefix: query.name,
    });
    return { saved_queries: page.items.map(presentSavedQuery), ...pageFields(page) };
  }

  @Operation('saved_query.get')
  async get(
    @Param('id') reference: string,
    @Query({ schema: savedQueryVersionQuerySchema }) { version }: z.output<typeof savedQueryVersionQuerySchema>,
    @Caller() caller: Principal,
  ): Promise<SavedQueryBody> {
    return presentSavedQuery(await this.savedQueries.get(caller, reference, version));
  }

  @Operation('saved_query.versions')
  async versions(
    @Param('id') reference: string,
    @Query({ schema: pageQuerySchema }) { limit, cursor }: z.output<typeof pageQuerySchema>,
    @Caller() caller: Principal,
  ): Promise<z.output<typeof savedQueryVersionListSchema>> {
    const before = cursor === undefined ? undefined : decodeOffsetCursor(cursor);
    const { items, hasMore } = await this.savedQueries.listVersions(caller, reference, { limit, before });
    const last = items.at(-1);
    const next_cursor = hasMore && last ? encodeCursor(last.number) : null;
    return { versions: items.map(presentSavedQueryVersion), has_more: hasMore, next_cursor };
  }

  @Operation('saved_query.update')
  async update(
    @Param('id') reference: string,
    @Body({ schema: updateSavedQuerySchema }) body: UpdateSavedQueryBody,
    @Caller() caller: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SavedQueryBody> {
    const signal = disconnectSignal(reply);
    return presentSavedQuery(await this.savedQueries.update(caller, reference, { body, signal }));
  }

  @Operation('saved_query.delete')
  async delete(@Param('id') reference: string, @Caller() caller: Principal): Promise<void> {
    await this.savedQueries.delete(caller, reference);
  }

  @Operation('saved_query.run')
  async run(
    @Param('id') reference: string,
    @Query({ schema: runQueryQuerySchema }) query: z.output<typeof runQueryQuerySchema>,
    @Body({ schema: runSavedQuerySchema }) body: RunSavedQueryBody,
    @Req() request: FastifyRequest,
    @Caller() caller: Principal,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    void reply.header('vary', 'accept');
    const format = negotiateAnswer({ format: query.format, accept: request.headers.accept });
    const { waitMs, applied } = parsePrefer(request.headers.prefer);
    const isBackground = applied === 'respond-async';
    const options = { body, format, isBackground, waitMs, disconnected: disconnectSignal(reply) };
    const { version, answer } = await this.savedQueries.run(caller, reference, options);
    void reply.header('x-saved-query-version', version);
    await sendAnswer(reply, answer, { format, ...(applied !== undefined && { applied }) });
  }
}
