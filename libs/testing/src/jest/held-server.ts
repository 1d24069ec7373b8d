import type { TestServer } from '../postgres/test-server.js';

const KEY = Symbol.for('millrace.test-server');
const holder = globalThis as { [KEY]?: TestServer };

/** Keeps the server until the end of the run: Jest loads set-up and tear-down apart, only the global object is shared. */
export function holdServer(server: TestServer): void {
  holder[KEY] = server;
}

export function releaseServer(): TestServer | undefined {
  const server = holder[KEY];
  delete holder[KEY];
  return server;
}
