import type { Queryable } from '#storage/postgres/connect.ts';

/**
 * Every action the log of activity knows, with the details it may carry. A closed table, so that
 * no entry can ever hold a password, a token or a key by accident.
 */
export const actions = {
  'auth.setup': [],
  'auth.login': ['deviceName', 'sessionId'],
  'auth.login-failed': ['reason'],
  'auth.logout': [],
  'auth.logout-all': ['revoked'],
  'auth.token-reused': ['sessionId'],
  'auth.password-changed': ['revoked'],
  'auth.password-change-failed': [],
  'session.revoked': ['userId'],
  'user.created': ['username', 'role', 'libraryIds'],
  'user.updated': ['username', 'role', 'libraryIds', 'disabled', 'fields'],
  'user.deleted': ['username'],
  'user.password-reset': ['username', 'revoked'],
  'apikey.created': ['name', 'scopes', 'expiresAt'],
  'apikey.deleted': ['name'],
  'setting.changed': ['value'],
  'setting.reset': [],
  'library.created': ['name', 'kind'],
  'library.updated': ['name', 'fields'],
  'library.deleted': ['name'],
  'library.scan-requested': ['name', 'mode', 'scanId'],
  'library.scan-cancelled': ['name', 'scanId'],
  'library.vanished-confirmed': ['name', 'files'],
  'library.vanished-kept': ['name', 'files'],
  'library.missing-kept': ['name', 'files'],
  'library.missing-released': ['name', 'files'],
  'library.missing-forgotten': ['name', 'files'],
  'work.edited': ['name', 'fields', 'lockedFields'],
  'work.matched': ['name', 'provider', 'id'],
  'work.merged': ['name', 'merged'],
  'work.split': ['name', 'newName', 'newId'],
  'work.image-chosen': ['name', 'type', 'imageId'],
  'work.image-released': ['name', 'type', 'imageId'],
  'work.image-uploaded': ['name', 'type', 'imageId'],
  'work.image-deleted': ['name', 'type', 'imageId'],
  'backup.requested': [],
  'backup.made': ['rows', 'removed'],
  'backup.failed': ['reason'],
  'backup.restored': ['madeAt', 'clusterId'],
} as const satisfies Record<string, readonly string[]>;

/** The name of one action. */
export type Action = keyof typeof actions;

type Detail = string | number | boolean | null | readonly string[];

/** One thing that happened, as its doer tells it. */
export interface ActivityEntry<Name extends Action = Action> {
  readonly action: Name;
  /** Who did it; undefined when nobody is known (a failed sign-in, the system itself). */
  readonly userId?: string | undefined;
  readonly username?: string | undefined;
  readonly resourceType?: string;
  readonly resourceId?: string;
  /** True unless said otherwise. */
  readonly success?: boolean;
  readonly ip?: string | undefined;
  /** Only the names `actions` lists; text is cut at 500 characters. */
  readonly details?: Partial<Record<(typeof actions)[Name][number], Detail>>;
  /** When; the database's time unless given. */
  readonly at?: Date;
}

/**
 * Writes one entry in the caller's transaction: it exists exactly if the change does. Throws
 * TypeError for a detail that the action does not list.
 */
export async function record<Name extends Action>(
  tx: Queryable,
  entry: ActivityEntry<Name>,
): Promise<void> {
  await tx`
    insert into shared.activity
      (at, user_id, username, action, resource_type, resource_id, success, ip, details)
    values (
      coalesce(${entry.at ?? null}::timestamptz, now()),
      ${entry.userId ?? null}, ${entry.username ?? null}, ${entry.action},
      ${entry.resourceType ?? null}, ${entry.resourceId ?? null}, ${entry.success ?? true},
      ${entry.ip ?? null}::inet, ${tx.json(detailsOf(entry))}
    )`;
}

const textMax = 500;

function detailsOf(entry: ActivityEntry): Record<string, Detail> {
  const allowed: readonly string[] = actions[entry.action];
  const given = Object.entries(entry.details ?? {}) as [string, Detail | undefined][];
  const kept: Record<string, Detail> = {};
  for (const [name, value] of given) {
    if (!allowed.includes(name)) {
      throw new TypeError(`activity ${entry.action} has no detail "${name}"`);
    }
    if (value !== undefined) kept[name] = shorten(value);
  }
  return kept;
}

function shorten(value: Detail): Detail {
  if (typeof value === 'string') return value.slice(0, textMax);
  if (Array.isArray(value)) return value.slice(0, 100).map((text: string) => text.slice(0, 100));
  return value;
}

/** Who does something to a work, or to a part of one: the caller of an operation. */
export interface Doer {
  readonly userId?: string | undefined;
  readonly username?: string | undefined;
}

type WorkAction = Extract<Action, `work.${string}`>;

/** Something that a person did to a work, or to a season or an episode. */
export interface WorkAct<Name extends WorkAction> {
  readonly kind: string;
  readonly itemId: string;
  /** What it is called at that moment: it may be gone when the log is read. */
  readonly name: string | undefined;
  readonly by: Doer | undefined;
  readonly details: Omit<NonNullable<ActivityEntry<Name>['details']>, 'name'>;
}

/** Writes what was done to a work, in the transaction that does it. */
export async function recordWork<Name extends WorkAction>(
  tx: Queryable,
  action: Name,
  { kind, itemId, name, by, details }: WorkAct<Name>,
): Promise<void> {
  await record(tx, {
    ...{ action, userId: by?.userId, username: by?.username },
    ...{ resourceType: kind, resourceId: itemId },
    details: { ...details, name } as NonNullable<ActivityEntry<Name>['details']>,
  });
}
