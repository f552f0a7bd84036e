import { reach, session } from './api';
import { askSetup, noteSetUp } from './setup';

/** What every page has to know before it is shown. */
export interface Entry {
  /** Whether somebody is signed in, and where nobody is, whether anybody can be. */
  readonly isKnown: boolean;
  /** Why it is not known, when it was asked in vain. */
  readonly failure: unknown;
}

const patienceMs = 800;
let asking: Promise<void> | undefined;
let entry: Entry = { isKnown: false, failure: undefined };

/**
 * Finds it out. Who waits for it is shown something after a moment, or at once when no node
 * answers; it goes on meanwhile.
 */
export async function enter(): Promise<Entry> {
  if (entry.isKnown) return entry;
  asking ??= find().finally(() => (asking = undefined));
  const patience = new Promise((resolve) => setTimeout(resolve, patienceMs));
  await Promise.race([asking, reach.silence(), patience]);
  return entry;
}

/** Resolves when what is being found out is; undefined when nothing is. */
export const entering = (): Promise<void> | undefined => asking;

async function find(): Promise<void> {
  try {
    if (session.status === 'unknown') await session.restore();
    if (session.status === 'out') await askSetup();
    else noteSetUp();
    entry = { isKnown: true, failure: undefined };
  } catch (failure) {
    entry = { isKnown: false, failure };
  }
}
