export * from './eventually.js';
export * from './faulty-object-store.js';
export * from './postgres/open-catalog.js';
export * from './postgres/start-postgres.js';
export * from './postgres/test-server.js';
export * from './postgres/with-client.js';
export * from './tenants/catalog-rows.js';
export * from './tenants/create-tenant.js';
