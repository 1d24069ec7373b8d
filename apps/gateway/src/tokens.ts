/** Injection tokens of ports, which have no class of their own at run time. */
export const EVENT_BUS = Symbol('event bus');
export const OBJECT_STORE = Symbol('object store');
export const LOGGER = Symbol('logger');
export const METRICS = Symbol('metrics');
