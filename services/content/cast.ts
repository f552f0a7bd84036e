/** Who takes part in works, as providers tell it; of all kinds alike. */
import type { Tx } from '#storage/postgres/connect.ts';
import type { Verdict } from '../metadata/kind.ts';
import { creditsOf, replaceCredits } from '../people/index.ts';

/** Sources that a provider's word does not replace. */
const stronger: ReadonlySet<string> = new Set(['user', 'nfo', 'embedded']);

/** Whether somebody with more to say than a provider has told a field. Pure. */
export const isHeld = (source: string | undefined): boolean => stronger.has(source ?? '');

/** A work, as far as that decides whose word of its people counts. */
export interface Peopled {
  readonly id: string;
  readonly sources: { readonly people?: string | undefined };
  readonly lockedFields: readonly string[];
}

/** Who tells of the people now; undefined: nobody. `isChanged`: they are others than before. */
export interface CastTold {
  readonly source: string | undefined;
  readonly isChanged: boolean;
}

/** Gives a work the people that a provider tells: they are one field, all of it its own or none. */
export async function applyCast(
  tx: Tx,
  { kind, row }: { readonly kind: string; readonly row: Peopled },
  { provider, record }: Pick<Verdict, 'provider' | 'record'>,
): Promise<CastTold> {
  const source = row.sources.people;
  const asBefore = { source, isChanged: false };
  if (row.lockedFields.includes('people') || isHeld(source)) return asBefore;
  if (source === undefined && (await creditsOf(tx, kind, [row.id])).length > 0) return asBefore;
  const credits = record?.credits ?? [];
  if (credits.length === 0 && source === undefined) return asBefore;
  const changed = await replaceCredits(tx, kind, [{ itemId: row.id, credits }]);
  return { source: credits.length === 0 ? undefined : provider, isChanged: changed.length > 0 };
}

/** A row's sources once its people are told by this one. Pure. */
export function withCastSource<Sources extends { people?: string | undefined }>(
  sources: Sources,
  source: string | undefined,
): Sources {
  const next = { ...sources };
  if (source === undefined) Reflect.deleteProperty(next, 'people');
  else Object.assign(next, { people: source });
  return next;
}
