import type { ObjectStore } from '@millrace/domain';
import type { FaultyObjectStore } from '@millrace/testing';

/** The store of all services: to look into it, and to make it fail. */
export type StoreUnderTest = Pick<FaultyObjectStore, 'fail' | 'hold' | 'cutBytes' | 'heal'> &
  Pick<ObjectStore, 'list' | 'get' | 'find' | 'delete'>;
