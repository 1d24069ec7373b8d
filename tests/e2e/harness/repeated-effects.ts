import { withClient } from '@millrace/testing';

/** Each finds what a job, or a request, has done twice, in part, or against its own word. */
const FINDINGS = `
  SELECT 'dataset ' || dataset_id || ' has ' || count(*) || ' versions' AS finding
    FROM dataset_versions GROUP BY tenant_id, dataset_id HAVING count(*) > 1
  UNION ALL
  SELECT 'upload ' || upload_id || ' became ' || count(*) || ' ready versions'
    FROM dataset_versions WHERE upload_id IS NOT NULL AND status = 'ready' GROUP BY tenant_id, upload_id HAVING count(*) > 1
  UNION ALL
  SELECT 'version ' || v.id || ' has ' || v.row_count || ' rows, its files ' || sum(f.row_count)
    FROM dataset_versions v JOIN version_files f ON f.tenant_id = v.tenant_id AND f.version_id = v.id
    GROUP BY v.tenant_id, v.id, v.row_count HAVING sum(f.row_count) <> v.row_count
  UNION ALL
  SELECT 'version ' || v.id || ' is ' || v.status || ', its job ' || j.status
    FROM dataset_versions v JOIN jobs j ON j.tenant_id = v.tenant_id AND j.id = v.job_id
    WHERE (v.status = 'ready') <> (j.status = 'succeeded')
  UNION ALL
  SELECT 'query ' || query_run_id || ' has ' || count(*) || ' results'
    FROM results GROUP BY tenant_id, query_run_id HAVING count(*) > 1
  UNION ALL
  SELECT 'result ' || r.id || ' is ' || r.status || ', its job ' || j.status
    FROM results r JOIN jobs j ON j.tenant_id = r.tenant_id AND j.id = r.job_id
    WHERE (r.status = 'ready') <> (j.status = 'succeeded')
  UNION ALL
  SELECT kind || ' of ' || (payload ->> target) || ' has ' || count(*) || ' jobs'
    FROM jobs JOIN (VALUES ('dataset.convert', 'versionId'), ('result.persist', 'resultId')) AS kinds (name, target)
      ON name = kind
    GROUP BY tenant_id, kind, payload ->> target HAVING count(*) > 1
  ORDER BY 1`;

/**
 * Looks whether each job of all tenants has had one effect, as far as the catalog tells: one version for each dataset that
 * was made once, one result for each query, whole, and in agreement with the job. To be asked when no work is open.
 *
 * @returns what is not so; nothing when all is well
 */
export async function repeatedEffects(databaseUrl: string): Promise<string[]> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ finding: string }>(FINDINGS);
    return rows.map(({ finding }) => finding);
  });
}
