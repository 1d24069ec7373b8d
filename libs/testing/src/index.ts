export * from './faulty-object-store.js';
