export * from './access-control.js';
export * from './api-key.js';
export * from './authenticator.js';
export * from './caller.decorator.js';
export * from './signed-context.js';
