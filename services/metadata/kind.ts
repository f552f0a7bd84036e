import type { Queryable, Tx } from '#storage/postgres/connect.ts';
import type { Kind } from '../content/module.ts';
import type { WorkFacts } from './match.ts';
import type { Locale, WorkProvider, WorkRecord } from './provider.ts';

/** A record that is to become a work's, or that none is any more. */
export interface Verdict<Work extends WorkRecord = WorkRecord> {
  /** As it is named in the sources of fields. */
  readonly provider: string;
  readonly record: Work | undefined;
  readonly locale: Locale;
}

/** What became of a record. */
export interface Applied {
  readonly libraryId: string;
  readonly isChanged: boolean;
  /** A person, or files, say what its ids are: the record's are not taken over. */
  readonly isIdLocked: boolean;
  /** Works of another kind that are found by what was written here. */
  readonly parts?: { readonly kind: string; readonly ids: readonly string[] };
}

/** A kind of work that providers know; each kind brings one. */
export interface EnrichedKind<Work extends WorkRecord = WorkRecord> {
  readonly kind: Kind;
  readonly tags: (id: string) => readonly string[];
  /**
   * A query for ids of works and two texts each: all that decides which record they are, and what
   * may help where that is not enough (or null); nothing that a record has told.
   */
  evidence(sql: Queryable, ids: readonly string[]): ReturnType<Queryable>;
  /** Undefined: there is no such work. */
  facts(sql: Queryable, id: string): Promise<WorkFacts | undefined>;
  /**
   * Writes what a record tells into the fields that no person, file or stronger source holds, and
   * takes back what the provider told before and does not any more. Undefined: no such work.
   */
  apply(tx: Tx, id: string, verdict: Verdict<Work>): Promise<Applied | undefined>;
  /** Keeps scans from the ids of a work that a person has said the record of. */
  lockIds?(tx: Tx, id: string): Promise<void>;
}

/** A kind with who is asked about it, in that order; types of records agree, and are told no further. */
export interface Subject {
  readonly kind: EnrichedKind;
  readonly providers: readonly WorkProvider[];
}

/** Binds a kind to its providers. */
export const subject = <Work extends WorkRecord>(
  kind: EnrichedKind<Work>,
  providers: readonly WorkProvider<Work>[],
): Subject => ({ kind, providers });
