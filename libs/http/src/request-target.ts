import { DomainError } from '@millrace/domain';

/** One slash, and no second one after it in either direction: what `new URL` would take for the start of a host. */
const ORIGIN_FORM = /^\/(?![/\\])/;

/**
 * Whether a request's target is a path on this server. A proxy's clients may also send a whole URL, which the router
 * would reduce to its path while whoever reads `request.url` still sees another host.
 */
export function isOriginForm(target: string | undefined): target is string {
  return target !== undefined && ORIGIN_FORM.test(target);
}

/** @throws DomainError `request.invalid` when the target of a request is anything but a path */
export function checkRequestTarget(target: string | undefined): void {
  if (isOriginForm(target)) return;
  throw new DomainError('request.invalid', 'The target of a request is a path that begins with one "/".');
}
