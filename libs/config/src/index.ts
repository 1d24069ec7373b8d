export { type Environment, environmentSchema, parseEnvironment } from './environment.js';
