import type { Page, SavedQuery, SavedQueryRepository, SavedQueryVersion, SavedStatement } from '@millrace/catalog';
import type { CreateSavedQueryBody, RunSavedQueryBody, UpdateSavedQueryBody } from '@millrace/contract';
import {
  checkSavedQueryName,
  DomainError,
  isStorableText,
  newId,
  type Principal,
  type SavedQueryId,
} from '@millrace/domain';
import type { OpenWork } from '../open-work.js';
import type { AnswerOptions, QueriesService } from '../queries/queries.service.js';
import { paramsOfRun, paramTypesOf } from './saved-params.js';
import type { StatementCheck } from './statement-check.js';

export interface SavedQueriesParts {
  readonly savedQueries: SavedQueryRepository;
  readonly check: StatementCheck;
  readonly queries: QueriesService;
  readonly work: OpenWork;
}

/** Statements that people keep: all of a tenant see and run them, their makers and admins change them. */
export class SavedQueriesService {
  constructor(private readonly parts: SavedQueriesParts) {}

  /** @throws DomainError as `saved_query.create` of the contract lists them */
  async create(caller: Principal, body: CreateSavedQueryBody, signal: AbortSignal): Promise<SavedQuery> {
    const { tenantId, userId } = caller;
    const { name, description, sql, parameters } = body;
    checkSavedQueryName(name);
    const statement = statementOf({ sql, parameters });
    await this.check(caller, statement, signal);
    return this.parts.savedQueries.create({
      ...{ tenantId, userId, id: newId('savedQuery'), name, description },
      ...statement,
    });
  }

  /** @throws DomainError `saved_query.not_found` */
  get({ tenantId }: Principal, reference: string, version?: number): Promise<SavedQuery> {
    return this.parts.savedQueries.get(tenantId, known(reference), version);
  }

  list(
    { tenantId }: Principal,
    request: {
      readonly limit: number;
      readonly before?: SavedQueryId | undefined;
      readonly namePrefix?: string | undefined;
    },
  ): Promise<Page<SavedQuery>> {
    return this.parts.savedQueries.list(tenantId, request);
  }

  /** @throws DomainError `saved_query.not_found` */
  listVersions(
    { tenantId }: Principal,
    reference: string,
    request: { readonly limit: number; readonly before?: number | undefined },
  ): Promise<Page<SavedQueryVersion>> {
    return this.parts.savedQueries.listVersions(tenantId, known(reference), request);
  }

  /** @throws DomainError as `saved_query.update` of the contract lists them */
  async update(
    caller: Principal,
    reference: string,
    { body, signal }: { readonly body: UpdateSavedQueryBody; readonly signal: AbortSignal },
  ): Promise<SavedQuery> {
    const { tenantId, userId } = caller;
    const query = await this.getToChange(caller, reference);
    if (body.name !== undefined) checkSavedQueryName(body.name);
    const { name, description } = body;
    const { sql = query.version.sql, parameters } = body;
    const changed = statementOf({ sql, parameters: parameters ?? query.version.parameters });
    const statement = isSame(changed, query.version) ? undefined : changed;
    if (statement) await this.check(caller, statement, signal);
    return this.parts.savedQueries.update(tenantId, query.id, { userId, name, description, statement });
  }

  /** @throws DomainError `saved_query.not_found`, `auth.forbidden` */
  async delete(caller: Principal, reference: string): Promise<void> {
    const { id } = await this.getToChange(caller, reference);
    await this.parts.savedQueries.delete(caller.tenantId, id);
  }

  /**
   * Runs one of its versions as a statement of the caller.
   *
   * @throws DomainError as `saved_query.run` of the contract lists them
   */
  async run(
    caller: Principal,
    reference: string,
    { body = {}, ...options }: { readonly body: RunSavedQueryBody } & AnswerOptions,
  ): Promise<{ readonly version: number; readonly answer: Awaited<ReturnType<QueriesService['run']>> }> {
    const { version: wanted, params: given, ...limits } = body;
    const { version } = await this.get(caller, reference, wanted);
    const { sql, parameters } = version;
    const params = parameters.length === 0 && !given ? undefined : paramsOfRun(parameters, given);
    const statement = { ...limits, sql, params, paramTypes: paramTypesOf(parameters) };
    return { version: version.number, answer: await this.parts.queries.run(caller, statement, options) };
  }

  private check({ tenantId }: Principal, statement: SavedStatement, signal: AbortSignal): Promise<void> {
    const { work, check } = this.parts;
    return work.run(() => check.check(statement, { tenantId, signal: AbortSignal.any([signal, work.signal]) }));
  }

  private async getToChange(caller: Principal, reference: string): Promise<SavedQuery> {
    const query = await this.get(caller, reference);
    if (caller.role === 'admin' || query.userId === caller.userId) return query;
    throw new DomainError('auth.forbidden', 'Only who made a saved query, and admins, can change it.');
  }
}

/** A text that the catalog can't keep names nothing. */
function known(reference: string): string {
  if (isStorableText(reference)) return reference;
  throw new DomainError('saved_query.not_found', 'There is no saved query with this id or name.');
}

/** Without the fields that were left out: in JSON there are none. */
function statementOf({ sql, parameters }: Pick<CreateSavedQueryBody, 'sql'> & WithParameters): SavedStatement {
  const plain = parameters.map(({ name, type, default: byDefault, description }) => ({
    ...{ name, type },
    ...(byDefault !== undefined && { default: byDefault }),
    ...(description !== undefined && { description }),
  }));
  return { sql, parameters: plain };
}

interface WithParameters {
  readonly parameters: readonly CreateSavedQueryBody['parameters'][number][] | SavedStatement['parameters'];
}

function isSame(statement: SavedStatement, saved: SavedQueryVersion): boolean {
  const parametersOf = (of: SavedStatement): string => JSON.stringify(statementOf(of).parameters);
  return statement.sql === saved.sql && parametersOf(statement) === parametersOf(saved);
}
