/** Injection tokens of ports, which have no class of their own at run time. */
export const EVENT_BUS = Symbol('event bus');
/** `DirectUploads`, or null where the store can't do that. */
export const DIRECT_UPLOADS = Symbol('direct uploads');
export const OBJECT_STORE = Symbol('object store');
export const METRICS_PAGE = Symbol('metrics page');
