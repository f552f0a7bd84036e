import * as z from 'zod';
import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Cache } from '#storage/cache/cache.ts';
import { record } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import { callerOf, type Principal } from '../principal.ts';
import {
  isSettingKey,
  registry,
  settingKeys,
  type SettingKey,
  type SettingValue,
} from './registry.ts';
import { deleteSetting, listSettings, putSetting, type SettingRow } from './store.ts';

export { registry, settingKeys, type SettingKey, type SettingValue } from './registry.ts';

/** What settings need. */
export interface SettingsDeps {
  readonly store: Store;
  readonly cache: Cache;
  readonly now: () => number;
}

type SettingOperation = 'listSettings' | 'getSetting' | 'putSetting' | 'resetSetting';

/** The settings of the server, typed, changed at run time, the same on every node. */
export interface Settings {
  readonly handlers: HandlersOf<SettingOperation>;
  /** The present value; the default where none is set, or where an old one no longer fits. */
  get<Key extends SettingKey>(key: Key): Promise<SettingValue<Key>>;
}

type Stored = Readonly<Record<string, { value: unknown; updatedAt: string }>>;

const tag = 'settings';
const ttlMs = 300_000;

/** Makes the settings. */
export function createSettings(deps: SettingsDeps): Settings {
  const cached = deps.cache.define({
    name: 'settings',
    ttlMs,
    load: async () => toStored(await listSettings(deps.store.sql)),
    tags: () => [tag],
  });
  const stored = async () => (await cached.get('all')) ?? {};
  return {
    get: async (key) => valueOf(key, await stored()),
    handlers: {
      async listSettings() {
        const all = await stored();
        return { body: { items: settingKeys.map((key) => toJson(key, all)), nextCursor: null } };
      },
      async getSetting({ params }) {
        return { body: toJson(known(params.settingKey), await stored()) };
      },
      async putSetting({ params, body, principal }) {
        const key = known(params.settingKey);
        await put(deps, { key, value: await fit(key, body.value), principal });
        return { body: toJson(key, await stored()) };
      },
      async resetSetting({ params, principal }) {
        const key = known(params.settingKey);
        await reset(deps, { key, principal });
        return { body: toJson(key, await stored()) };
      },
    },
  };
}

const toStored = (rows: readonly SettingRow[]): Stored =>
  Object.fromEntries(
    rows.map(({ key, value, updatedAt }) => [key, { value, updatedAt: updatedAt.toISOString() }]),
  );

function known(key: string): SettingKey {
  if (isSettingKey(key)) return key;
  throw problem('not-found', `There is no setting "${key}".`);
}

function valueOf<Key extends SettingKey>(key: Key, stored: Stored): SettingValue<Key> {
  const definition = registry[key];
  const parsed = definition.schema.safeParse(stored[key]?.value);
  return (parsed.success ? parsed.data : definition.default) as SettingValue<Key>;
}

/** The value as it is kept. Throws `unprocessable` where it has another form, or cannot be used. */
async function fit(key: SettingKey, given: unknown): Promise<string | number | boolean> {
  const value = parse(key, given);
  const fault = await registry[key].faultOf?.(value);
  if (fault === undefined) return value;
  const message = `${fault}, on the node that leads`;
  throw problem('unprocessable', message, { errors: [{ path: '/value', message }] });
}

function parse(key: SettingKey, value: unknown): string | number | boolean {
  const parsed = registry[key].schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    path: ['/value', ...path].join('/'),
    message,
  }));
  throw problem('unprocessable', `This is no value for "${key}".`, { errors });
}

function toJson(key: SettingKey, stored: Stored): components['schemas']['Setting'] {
  const { description, schema, default: standard } = registry[key];
  const value = valueOf(key, stored);
  return {
    key,
    value,
    default: standard,
    isDefault: stored[key] === undefined,
    description,
    schema: z.toJSONSchema(schema),
    updatedAt: stored[key]?.updatedAt ?? null,
  };
}

async function put(
  deps: SettingsDeps,
  change: { key: SettingKey; value: string | number | boolean; principal: Principal | undefined },
): Promise<void> {
  const { key, value } = change;
  const who = actorOf(change.principal);
  const at = new Date(deps.now());
  await deps.store.write(async (tx, stale) => {
    await putSetting(tx, { key, value, userId: who.userId, at });
    const what = { resourceType: 'setting', resourceId: key, details: { value } };
    await record(tx, { action: 'setting.changed', ...who, ...what, at });
    stale(tag);
  });
}

async function reset(
  deps: SettingsDeps,
  change: { key: SettingKey; principal: Principal | undefined },
): Promise<void> {
  const { key } = change;
  const who = actorOf(change.principal);
  const at = new Date(deps.now());
  await deps.store.write(async (tx, stale) => {
    if (!(await deleteSetting(tx, key))) return;
    const what = { resourceType: 'setting', resourceId: key };
    await record(tx, { action: 'setting.reset', ...who, ...what, at });
    stale(tag);
  });
}

function actorOf(principal: Principal | undefined): { userId: string; username: string } {
  const { userId, username } = callerOf(principal);
  return { userId, username };
}
