import { AsyncLocalStorage } from 'node:async_hooks';

/** What every log line within a request or a job carries. */
export interface RequestContext {
  readonly requestId?: string;
  readonly tenantId?: string;
  readonly jobId?: string;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs a function within a context; what it starts keeps it. */
export function runInContext<T>(context: RequestContext, run: () => T): T {
  return storage.run({ ...storage.getStore(), ...context }, run);
}

/** Makes a context current for the rest of this request, for hooks that can't wrap what comes after them. */
export function enterContext(context: RequestContext): void {
  storage.enterWith({ ...storage.getStore(), ...context });
}

/** The current context; empty outside of requests and jobs. */
export function currentContext(): RequestContext {
  return storage.getStore() ?? {};
}
