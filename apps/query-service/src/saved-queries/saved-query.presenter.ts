import type { SavedParameter, SavedQuery, SavedQueryVersion } from '@millrace/catalog';
import type { SavedQueryBody, SavedQueryVersionBody } from '@millrace/contract';

/** A saved query as the contract shows it. */
export function presentSavedQuery(query: SavedQuery): SavedQueryBody {
  const { id, name, description, latestVersion, userId, createdAt, updatedAt } = query;
  return {
    ...{ id, name, description, latest_version: latestVersion },
    ...presentSavedQueryVersion(query.version),
    created_by: userId,
    created_at: createdAt.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

/** A version of one. */
export function presentSavedQueryVersion(version: SavedQueryVersion): SavedQueryVersionBody {
  const { number, sql, parameters, createdAt, userId } = version;
  return {
    version: number,
    sql,
    parameters: parameters.map(presentParameter),
    saved_at: createdAt.toISOString(),
    saved_by: userId,
  };
}

function presentParameter(parameter: SavedParameter): SavedQueryVersionBody['parameters'][number] {
  const { name, type, ...rest } = parameter;
  return { name, type, required: parameter.default === undefined, ...rest };
}
