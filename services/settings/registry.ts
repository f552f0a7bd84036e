import * as z from 'zod';
import { faultOfFolder } from '../backup/explain.ts';
import { isPattern, isRecipient } from '../backup/pattern.ts';

interface Definition<Schema extends z.ZodType> {
  readonly schema: Schema;
  readonly default: z.output<Schema>;
  readonly description: string;
  /**
   * What the node that carries the change out finds the matter with a value of the right form;
   * undefined: nothing. It is asked as the value is set, not when it is read.
   */
  readonly faultOf?: (value: string | number | boolean) => Promise<string | undefined>;
}

const define = <Schema extends z.ZodType>(
  schema: Schema,
  defaultValue: z.output<Schema>,
  description: string,
): Definition<Schema> => ({ schema, default: defaultValue, description });

const isMappings = (text: string): boolean =>
  text.split(/[;\n]/).every((one) => /^\s*$|^[^=]+=\s*\/[^\0]*$/.test(one));

/**
 * Every setting there is: its type, its default, and what it does. What must be known before the
 * database is reached is configuration, not a setting.
 */
export const registry = {
  'server.name': define(
    z.string().trim().min(1).max(64),
    'Revenge',
    'How the server introduces itself.',
  ),
  'auth.session_idle_days': define(
    z.int().min(1).max(365),
    30,
    'Days without use after which a session ends.',
  ),
  'auth.session_max_days': define(
    z.int().min(1).max(730),
    90,
    'Days after which a session ends however much it is used.',
  ),
  'auth.sessions_per_user': define(
    z.int().min(1).max(1000),
    100,
    'Sessions a user may have; signing in once more ends the one unused for longest.',
  ),
  'activity.retention_days': define(
    z.int().min(1).max(3650),
    90,
    'Days the log of activity is kept.',
  ),
  'library.missing_grace_days': define(
    z.int().min(1).max(3_650),
    30,
    'Days that what is missing is kept, with all that people did and set, before it is forgotten.',
  ),
  'library.vanish_percent': define(
    z.int().min(0).max(100),
    25,
    'Of a library may be missing before a person must confirm that it is to be forgotten; 100: never.',
  ),
  'library.path_mappings': define(
    z
      .string()
      .max(20_000)
      .refine(isMappings, 'path of the other program=/path here, parted by semicolons'),
    '',
    "What paths in other programs' webhooks are here: `/movies=/media/films; /tv=/media/series`.",
  ),
  'metadata.languages': define(
    z
      .string()
      .max(200)
      .regex(
        /^(?:\s*[a-z]{2,3}(?:-[A-Z]{2})?\s*(?:,|$))*$/,
        'languages as in BCP 47, parted by commas',
      ),
    'en',
    "Languages in which titles and texts are kept beside a library's own: `en, fr, pt-BR`.",
  ),
  'backup.dir': {
    ...define(
      z
        .string()
        .max(1000)
        .regex(/^(\/[^\0]*)?$/, 'an absolute path, or nothing'),
      '',
      'Folder for backups, the same on every node; empty: no backups are made.',
    ),
    faultOf: async (folder) => (folder === '' ? undefined : faultOfFolder(String(folder))),
  } satisfies Definition<z.ZodString>,
  'backup.schedule': define(
    z
      .string()
      .max(100)
      .refine((text) => text === '' || isPattern(text), 'five fields of a crontab'),
    '17 4 * * *',
    'When backups are made, as in crontab(5), in UTC; empty: only on demand.',
  ),
  'backup.keep': define(
    z.int().min(1).max(1000),
    7,
    'Backups kept in the folder; older ones of this cluster are removed.',
  ),
  'backup.recipient': define(
    z.string().refine((text) => text === '' || isRecipient(text), 'a public key as age1…'),
    '',
    'Public key that backups in the folder are sealed for; empty: they are not sealed.',
  ),
} as const;

/** The name of a known setting. */
export type SettingKey = keyof typeof registry;

/** The type of a setting's value. */
export type SettingValue<Key extends SettingKey> = z.output<(typeof registry)[Key]['schema']>;

/** All known settings, in the order of the registry. */
export const settingKeys = Object.keys(registry) as readonly SettingKey[];

/** True when a setting of that name exists. */
export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(registry, key);
