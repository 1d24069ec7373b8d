export * from './health.controller.js';
export * from './http-server.js';
export * from './id-param.js';
export * from './nest-logger.js';
export * from './operation.decorator.js';
export * from './page.js';
export * from './prefer.js';
export * from './validation.js';
