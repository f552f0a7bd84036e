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
  await inheritNfoFiles(tx, kind, moves);
}

/** NFO files that we wrote of such works, and that are out of place once they have others' names. */
async function inheritNfoFiles(tx: Tx, kind: string, moves: readonly Move[]): Promise<void> {
  await tx`
    update nfo_files f set item_id = m.to_id
    from unnest(
      ${moves.map(({ from }) => from)}::uuid[], ${moves.map(({ to }) => to)}::uuid[]
    ) as m (from_id, to_id)
    where f.kind = ${kind} and f.item_id = m.from_id`;
}

/** Files that such works have still, missing or beside those that went, are those they are. */
export async function inheritFiles(tx: Tx, moves: readonly Move[]): Promise<void> {
  if (moves.length === 0) return;
  const from = moves.map((move) => move.from);
  const to = moves.map((move) => move.to);
  await tx`
    update files f set item_id = m.to_id, updated_at = now()
    from unnest(${from}::uuid[], ${to}::uuid[]) as m (from_id, to_id)
    where f.item_id = m.from_id`;
  await tx`
    update file_pins p set item_id = m.to_id
    from unnest(${from}::uuid[], ${to}::uuid[]) as m (from_id, to_id)
    where p.item_id = m.from_id`;
}

/** Works without a video, with the work that has each one's now. Pure. */
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
