import type { components } from '$api/types';
import { fileSize, span } from './format.ts';
import type { Values } from './text.ts';

type Schemas = components['schemas'];
export type NoticeValues = Schemas['NoticeValues'];

/** What of a machine is not well, and has something to do about it. */
type Mended = Extract<
  Schemas['MachineFindingCode'],
  | `${string}${'Old' | 'Low' | 'Missing'}`
  | ('folderUnwritable' | 'fileSystemRemote' | 'fileSystemMemory')
>;

/** What the server says by codes, by the beginning of the names of our messages for it. */
interface Codes {
  readonly 'cluster.note': Schemas['ClusterNoteCode'];
  readonly 'cluster.problem': Schemas['ClusterProblemCode'];
  readonly 'cluster.event': Schemas['ClusterEventCode'];
  readonly 'cluster.step': Schemas['ClusterStepCode'];
  readonly 'cluster.refusal': Schemas['ClusterRefusalCode'];
  readonly 'problem.why': Schemas['LibraryReasonCode'];
  readonly 'check.said': Schemas['HealthCheckCode'];
  readonly failure: Schemas['FailureCode'];
  readonly finding: Schemas['MachineFindingCode'];
  readonly mend: Mended;
}
export type NoticeGroup = keyof Codes;

/** The names of the messages that there have to be; what is `other` has only its own words. */
export type NoticeKey = {
  [Group in NoticeGroup]: `${Group}.${Exclude<Codes[Group], 'other'>}`;
}[NoticeGroup];

/** A sentence of the server: what it is about, and what it says itself, in English. */
export interface Notice {
  readonly code: string;
  readonly values: NoticeValues;
  readonly text: string;
}

/** A notice of what a node of an earlier release may have only words for. Pure. */
export const noticeOf = (told: {
  readonly code?: string | undefined;
  readonly values?: NoticeValues | undefined;
  readonly text: string;
}): Notice => ({ code: told.code ?? 'other', values: told.values ?? {}, text: told.text });

/** Values as people of that language write them: times, sizes, lists; numbers stay numbers. Pure. */
export const written = (values: NoticeValues, language: string): Values =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, writtenAs(name, value, language)]),
  );

/** A node of a later release may say more than we know, and the page is to be shown all the same. */
function writtenAs(name: string, value: unknown, language: string): string | number {
  if (Array.isArray(value)) return new Intl.ListFormat(language).format(value.map(String));
  if (typeof value !== 'number') return typeof value === 'string' ? value : JSON.stringify(value);
  if (name.endsWith('Ms')) return span(value, language);
  return name.endsWith('Bytes') ? fileSize(value, language) : value;
}
