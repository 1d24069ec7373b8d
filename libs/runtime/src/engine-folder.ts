import { join, resolve } from 'node:path';
import type { Environment } from '@millrace/config';

/** Where the engine processes of a service work; several processes of the service may share it. */
export function engineFolder(environment: Environment, service: 'convert' | 'query'): string {
  return join(resolve(environment.DATA_DIR), 'engine', service);
}
