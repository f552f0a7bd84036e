import type { Queryable } from '#storage/postgres/connect.ts';

/** A value someone has set. */
export interface SettingRow {
  readonly key: string;
  readonly value: unknown;
  readonly updatedAt: Date;
}

/** Everything that is not at its default. */
export async function listSettings(sql: Queryable): Promise<SettingRow[]> {
  return sql<SettingRow[]>`
    select key, value, updated_at as "updatedAt" from shared.settings order by key`;
}

/** Sets one value; the last writer wins. */
export async function putSetting(
  tx: Queryable,
  setting: { key: string; value: string | number | boolean; userId: string; at: Date },
): Promise<void> {
  const { key, value, userId, at } = setting;
  await tx`
    insert into shared.settings (key, value, updated_at, updated_by)
    values (${key}, ${tx.json(value)}, ${at}, ${userId})
    on conflict (key) do update
    set value = excluded.value, updated_at = excluded.updated_at, updated_by = excluded.updated_by`;
}

/** Returns one setting to its default; false when it was there already. */
export async function deleteSetting(tx: Queryable, key: string): Promise<boolean> {
  const { count } = await tx`delete from shared.settings where key = ${key}`;
  return count > 0;
}
