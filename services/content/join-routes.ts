/** What a person asks for who makes works one, or takes one apart; of all kinds alike. */
import type { Tx } from '#storage/postgres/connect.ts';
import type { Store } from '../changes.ts';
import { splitBefore, type Joined, type Joining, type Split } from './join.ts';
import type { Kind } from './module.ts';
import { userTag } from './works.ts';

/** A kind whose works can be made one and taken apart. */
export interface JoinableKind {
  readonly kind: Kind;
  readonly listTag: string;
  readonly itemTag: (id: string) => string;
  join(tx: Tx, joining: Joining): Promise<Joined>;
  split(tx: Tx, split: Split): Promise<{ libraryId: string; newId: string }>;
  /** Hears of the works in the transaction that changed them. */
  changed(tx: Tx, ids: readonly string[]): Promise<void>;
}

/** The two operations of a kind; see `joinWorks` and `splitOff` for what they throw. */
export function joinOperations({ write }: Pick<Store, 'write'>, kind: JoinableKind) {
  const { kind: name, listTag, itemTag } = kind;
  return {
    async merge(joining: Joining): Promise<void> {
      await write(async (tx, stale, tell) => {
        const { libraryId, moves, userIds } = await kind.join(tx, joining);
        if (moves.length === 0) return;
        const ids = [joining.into, ...moves.map(({ from }) => from)];
        await kind.changed(tx, ids);
        stale(listTag, ...ids.map(itemTag), ...userIds.map(userTag));
        // Whoever looks up those that are gone finds them gone.
        for (const itemId of ids) tell('item.updated', { kind: name, itemId, libraryId });
      });
    },
    /** Resolves to the new work. */
    split: (split: Split): Promise<string> =>
      write(async (tx, stale, tell) => {
        const before = await splitBefore(tx, split);
        if (before !== undefined) return before;
        const { libraryId, newId } = await kind.split(tx, split);
        await kind.changed(tx, [split.id, newId]);
        stale(listTag, itemTag(split.id), itemTag(newId));
        tell('item.updated', { kind: name, itemId: split.id, libraryId });
        tell('item.added', { kind: name, itemId: newId, libraryId });
        return newId;
      }),
  };
}
