import { Controller, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Caller } from '@millrace/auth';
import { PAGE_LIMIT_DEFAULT, resultQuerySchema, type RowFormat } from '@millrace/contract';
import { DomainError, type Principal, type ResultId } from '@millrace/domain';
import { IdParam, nextPageLink, Operation } from '@millrace/http';
import { disconnectSignal } from '../disconnect-signal.js';
import { DownloadsService } from '../downloads/downloads.service.js';
import { downloadRequest, sendDownload } from '../downloads/send-download.js';
import { isRowFormat, negotiateAnswer } from '../formats/negotiate-answer.js';
import { asJson } from '../rows-json.js';
import { ResultPagesService } from './result-pages.service.js';

type ResultQuery = z.output<typeof resultQuerySchema>;

@Controller()
export class ResultsController {
  constructor(
    private readonly results: ResultPagesService,
    private readonly downloads: DownloadsService,
  ) {}

  @Operation('result.get')
  async get(
    @IdParam('result') id: ResultId,
    @Query({ schema: resultQuerySchema }) query: ResultQuery,
    @Caller() caller: Principal,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const format = negotiateAnswer({ format: query.format, accept: request.headers.accept });
    if (isRowFormat(format)) {
      const text = await this.page(caller, id, { query, format, request, reply });
      await (text === undefined ? reply.status(304).send() : reply.send(asJson(reply, text)));
      return;
    }
    checkWhole(query);
    await sendDownload(reply, this.downloads.result(caller, id, downloadRequest(request, { reply, format })));
  }

  private async page(
    caller: Principal,
    id: ResultId,
    asked: { query: ResultQuery; format: RowFormat; request: FastifyRequest; reply: FastifyReply },
  ): Promise<string | undefined> {
    const { query, format, request, reply } = asked;
    const { limit = PAGE_LIMIT_DEFAULT, cursor } = query;
    const { 'if-none-match': ifNoneMatch } = request.headers;
    const page = { limit, cursor, format, ifNoneMatch, signal: disconnectSignal(reply) };
    const { text, tag, pageFields } = await this.results.get(caller, id, page);
    // The interceptor that links pages sees a text here.
    const link = pageFields && nextPageLink(request.url, pageFields);
    if (link) void reply.header('link', link);
    if (tag !== undefined) void reply.headers({ etag: tag, 'cache-control': 'private, no-cache' });
    void reply.header('vary', 'accept');
    return text;
  }
}

/** A part of a table could be taken for all of it. */
function checkWhole({ limit, cursor }: ResultQuery): void {
  if (limit === undefined && cursor === undefined) return;
  throw new DomainError('request.invalid', 'Pages are JSON: leave "limit" and "cursor" out, and all rows come.');
}
