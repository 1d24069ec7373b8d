export * from './access.decorators.js';
export * from './access.guard.js';
export * from './api-key.js';
export * from './authenticator.js';
export * from './signed-context.js';
