export { type Access, AccessControl } from './access-control.js';
export { generateApiKey, hashApiKey } from './api-key.js';
export { type Authenticator, ContextAuthenticator, KeyAuthenticator } from './authenticator.js';
export { type AuthenticatedRequest, Caller } from './caller.decorator.js';
export { CONTEXT_HEADER, signContext } from './signed-context.js';
