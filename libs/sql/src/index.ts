export * from './text-place.js';
