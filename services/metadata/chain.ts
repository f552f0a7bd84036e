import type { WorkFacts } from './match.ts';
import { findById, findByTitle, type Found } from './match.ts';
import { ProviderError } from './provider-error.ts';
import type { Locale, WorkProvider, WorkRecord } from './provider.ts';
import { acceptScore } from './score.ts';

/** Which record a work is, and whose. */
export interface ChainFound<Work extends WorkRecord = WorkRecord> extends Found<Work> {
  /** Undefined: nobody's. */
  readonly provider: WorkProvider<Work> | undefined;
  /** Why one that comes before it gave no answer. */
  readonly missed: ProviderError | undefined;
}

/** What came of asking each of them; one that fails is passed over, and its first failure kept. */
export function createAsker() {
  let missed: ProviderError | undefined;
  return {
    missed: () => missed,
    async ask<Value>(question: () => Promise<Value>): Promise<Value | undefined> {
      try {
        return await question();
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        missed ??= error;
        return undefined;
      }
    },
  };
}

/**
 * Asks one provider after the other for the record a work is: all by the ids it came with, then by
 * its title. Who comes later is asked where those before do not know, or do not answer. Throws the
 * first one's ProviderError when nobody knows and one of them did not answer.
 */
export async function findInChain<Work extends WorkRecord>(
  providers: readonly WorkProvider<Work>[],
  facts: WorkFacts,
  locale: Locale,
): Promise<ChainFound<Work>> {
  const asker = createAsker();
  for (const provider of providers) {
    const record = await asker.ask(() => findById(provider, facts.ids, locale));
    if (record === undefined) continue;
    // The ids that it tells may be ones that a provider before it knows the work by.
    const ids = { ...record.ids, ...facts.ids };
    const before = providers.slice(0, providers.indexOf(provider));
    for (const earlier of before) {
      const same = await asker.ask(() => findById(earlier, ids, locale));
      if (same !== undefined) return { ...byId(earlier, same), missed: asker.missed() };
    }
    return { ...byId(provider, record), missed: asker.missed() };
  }
  const candidates: Found['candidates'][number][] = [];
  for (const provider of providers) {
    const found = await asker.ask(() => findByTitle(provider, facts, locale));
    if (found === undefined) continue;
    const all = [...candidates, ...found.candidates].slice(0, candidatesMax);
    if (found.record !== undefined) {
      return { ...found, candidates: all, provider, missed: asker.missed() };
    }
    candidates.push(...found.candidates);
    // Several that it may be are for a person to choose from, not for the next provider.
    if (found.candidates.some(({ score }) => score >= acceptScore)) break;
  }
  const failure = asker.missed();
  if (failure !== undefined) throw failure;
  return { ...nothing, candidates: candidates.slice(0, candidatesMax) };
}

const candidatesMax = 8;

const nothing = {
  ...{ record: undefined, basis: undefined, score: undefined },
  ...{ provider: undefined, missed: undefined },
} as const;

const byId = <Work extends WorkRecord>(provider: WorkProvider<Work>, record: Work) => ({
  ...{ provider, record, basis: 'id' as const, score: 1, candidates: [] },
});
