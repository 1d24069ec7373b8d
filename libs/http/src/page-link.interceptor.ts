import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { nextPageLink, type PageFields } from './page.js';

/** Adds `Link: rel="next"` to every answer that has a `next_cursor`. */
export class PageLinkInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    return next.handle().pipe(
      map((answer: unknown) => {
        const link = isPage(answer) && nextPageLink(http.getRequest<FastifyRequest>().url, answer);
        if (link) void http.getResponse<FastifyReply>().header('link', link);
        return answer;
      }),
    );
  }
}

function isPage(answer: unknown): answer is PageFields {
  return typeof answer === 'object' && answer !== null && 'next_cursor' in answer;
}
