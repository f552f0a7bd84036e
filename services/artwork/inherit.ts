import type { Tx } from '#storage/postgres/connect.ts';
import { chooseAgain } from './refresh.ts';
import { lockItems } from './store.ts';

/**
 * The pictures that a person chose or added of works that turned out to be others become those'
 * pictures; a choice gives way to one that was made there.
 */
export async function inheritChoices(
  tx: Tx,
  kind: string,
  moves: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  for (const { from, to } of moves) {
    await lockItems(tx, kind, [from, to]);
    const taken = await tx<{ type: string }[]>`
      select type from images where kind = ${kind} and item_id = ${to} and chosen_by_user`;
    const types = taken.map(({ type }) => type);
    // The same picture may be there already: then the choice alone moves.
    const chosen = await tx`
      update images t set chosen_by_user = true from images f
      where f.kind = ${kind} and f.item_id = ${from} and f.chosen_by_user
        and t.kind = f.kind and t.item_id = ${to} and t.type = f.type and t.sha256 = f.sha256
        and t.type <> all (${types}::text[])
      returning t.id`;
    const moved = await tx`
      update images f set item_id = ${to}, is_chosen = false,
        chosen_by_user = f.chosen_by_user and f.type <> all (${types}::text[])
      where f.kind = ${kind} and f.item_id = ${from}
        and (f.chosen_by_user or f.source = 'upload')
        and not exists (
          select from images t where t.kind = f.kind and t.item_id = ${to} and t.type = f.type
            and t.sha256 = f.sha256)
      returning f.id`;
    if (chosen.length + moved.length > 0) await chooseAgain(tx, kind, to);
  }
}
