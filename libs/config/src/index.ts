export { ConfigError, type Environment, environmentSchema, parseEnvironment, requireSetting } from './environment.js';
