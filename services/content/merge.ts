/** Works that turned out to be others, of all kinds alike. */
import type { Tx } from '#storage/postgres/connect.ts';
import { inheritChoices } from '../artwork/inherit.ts';
import { inheritRecord } from '../metadata/inherit.ts';
import { mergeStates } from '../progress/store.ts';
import { inheritEdits, type Editable, type Move } from './edit.ts';
import { inheritHistory } from './history.ts';

/** What people did with such works, set of them and chose for them moves to those they are. */
export async function mergeWorks(
  tx: Tx,
  editable: Editable,
  moves: readonly Move[],
): Promise<void> {
  const { kind } = editable;
  await mergeStates(tx, kind, moves);
  await inheritEdits(tx, editable, moves);
  await inheritHistory(tx, kind, moves);
  await inheritRecord(tx, kind, moves);
  await inheritChoices(tx, kind, moves);
}

/** Works without a file, with the work that has each one's files now. Pure. */
export function heirsOf(
  orphans: readonly string[],
  taken: Iterable<readonly [from: string | undefined, to: string]>,
): Move[] {
  const heirs = new Map([...taken].filter(([from, to]) => from !== undefined && from !== to));
  return orphans.flatMap((from) => {
    const to = heirs.get(from);
    return to === undefined ? [] : [{ from, to }];
  });
}
