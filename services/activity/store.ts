import type { Queryable } from '#storage/postgres/connect.ts';

/** One stored entry. */
export interface ActivityRow {
  readonly id: string;
  readonly at: Date;
  readonly userId: string | null;
  readonly username: string | null;
  readonly action: string;
  readonly resourceType: string | null;
  readonly resourceId: string | null;
  readonly success: boolean;
  readonly ip: string | null;
  readonly details: Record<string, unknown>;
}

/** What a list is narrowed to; undefined means all. */
export interface ActivityFilter {
  readonly userId?: string | undefined;
  /** An action, or the part before its first dot. */
  readonly action?: string | undefined;
  readonly resourceType?: string | undefined;
  readonly resourceId?: string | undefined;
  readonly success?: boolean | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
}

/** Where a page begins and how long it is. */
export interface ActivityWindow {
  readonly beforeId?: string | undefined;
  readonly offset?: number | undefined;
  readonly limit: number;
}

/** Entries that match, newest first. */
export async function listActivity(
  sql: Queryable,
  filter: ActivityFilter,
  window: ActivityWindow,
): Promise<ActivityRow[]> {
  return sql<ActivityRow[]>`
    select id, at, user_id as "userId", username, action, resource_type as "resourceType",
      resource_id as "resourceId", success, host(ip) as ip, details
    from shared.activity
    where ${matches(sql, filter)}
      ${window.beforeId === undefined ? sql`` : sql`and id < ${window.beforeId}`}
    order by id desc
    limit ${window.limit} offset ${window.offset ?? 0}`;
}

/** How many entries match. */
export async function countActivity(sql: Queryable, filter: ActivityFilter): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from shared.activity where ${matches(sql, filter)}`;
  return row?.count ?? 0;
}

/** Deletes at most `limit` entries older than `before`; resolves to how many went. */
export async function deleteActivity(sql: Queryable, before: Date, limit: number): Promise<number> {
  const { count } = await sql`
    delete from shared.activity where id in (
      select id from shared.activity where at < ${before} order by at limit ${limit}
    )`;
  return count;
}

function matches(sql: Queryable, filter: ActivityFilter) {
  const { userId, action, resourceType, resourceId, success, from, until } = filter;
  const group = `${action ?? ''}.`;
  return sql`true
    ${userId === undefined ? sql`` : sql`and user_id = ${userId}`}
    ${action === undefined ? sql`` : sql`and (action = ${action} or starts_with(action, ${group}))`}
    ${resourceType === undefined ? sql`` : sql`and resource_type = ${resourceType}`}
    ${resourceId === undefined ? sql`` : sql`and resource_id = ${resourceId}`}
    ${success === undefined ? sql`` : sql`and success = ${success}`}
    ${from === undefined ? sql`` : sql`and at >= ${from}`}
    ${until === undefined ? sql`` : sql`and at < ${until}`}`;
}
