export { Closers } from './closers.js';
export { Ending } from './ending.js';
export { engineFolder } from './engine-folder.js';
export { openObjectStore } from './open-object-store.js';
export { runService } from './run-service.js';
export { openServiceCatalog, openServiceTracing, type ServiceParts, watchDependencies } from './service-parts.js';
export { type RunningService, type ServiceDefinition, ServiceProcess } from './service-process.js';
export { VERSION } from './version.js';
