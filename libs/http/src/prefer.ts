import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';

export const WAIT_DEFAULT_MS = 20_000;
export const WAIT_MAX_MS = 60_000;

/** How long a caller wants to wait for work to end (RFC 7240). */
export interface Preference {
  /** 0 with `respond-async`. */
  readonly waitMs: number;
  /** What to say in `Preference-Applied`; absent when nothing was preferred. */
  readonly applied?: string;
}

/**
 * Reads `Prefer`. Preferences that are unknown or malformed are ignored, as RFC 7240 asks; a wait beyond 60 seconds
 * is cut to that.
 */
export function parsePrefer(header: string | readonly string[] | undefined): Preference {
  const preferences = [header ?? '']
    .flat()
    .join(',')
    .split(',')
    .map((part) => part.split(';', 1)[0]?.trim().toLowerCase() ?? '');
  if (preferences.includes('respond-async')) return { waitMs: 0, applied: 'respond-async' };
  for (const preference of preferences) {
    const seconds = /^wait\s*=\s*"?(\d{1,9})"?$/.exec(preference)?.[1];
    if (seconds === undefined) continue;
    const waitMs = Math.min(Number(seconds) * 1_000, WAIT_MAX_MS);
    return { waitMs, applied: `wait=${waitMs / 1_000}` };
  }
  return { waitMs: WAIT_DEFAULT_MS };
}

/** The caller's preference, for a parameter of a route; says in the answer which was applied. */
export const Prefer = createParamDecorator((_: unknown, context: ExecutionContext): Preference => {
  const http = context.switchToHttp();
  const preference = parsePrefer(http.getRequest<FastifyRequest>().headers.prefer);
  if (preference.applied) void http.getResponse<FastifyReply>().header('preference-applied', preference.applied);
  return preference;
});
