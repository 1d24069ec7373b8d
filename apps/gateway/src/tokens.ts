/** Injection tokens of ports, which have no class of their own at run time. */
export const EVENT_BUS = Symbol('event bus');
export const METRICS_PAGE = Symbol('metrics page');
