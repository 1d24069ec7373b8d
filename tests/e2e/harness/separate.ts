import { BucketUnderTest } from './bucket-under-test.js';
import { Fleet } from './fleet/fleet.js';
import { type MillraceUnderTest, tenantAt } from './millrace.js';

/** What a fleet of many processes bounds, because they share a machine; here there is one of each. */
const ALONE = { QUERY_CHILDREN_MAX: '', QUERY_CHILDREN_KEPT_MAX: '', DRAIN_DELAY_MS: '0' };

/** One process of each service, on Redis and on a bucket. */
export async function startSeparate(settings: Readonly<Record<string, string>>): Promise<MillraceUnderTest> {
  const fleet = await Fleet.start({ isDirect: true, variables: { ...ALONE, ...settings } });
  const { url, dataFolder, catalog } = fleet;
  return {
    ...{ url, dataFolder, catalog },
    store: new BucketUnderTest(fleet.s3, fleet.store),
    newTenant: () => tenantAt(url, catalog),
    stop: () => fleet.stop(),
  };
}
