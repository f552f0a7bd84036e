import type { Tx } from '#storage/postgres/connect.ts';

/** A person's word for whose record a work is holds for the work that it turned out to be. */
export async function inheritRecord(
  tx: Tx,
  kind: string,
  moves: readonly { readonly from: string; readonly to: string }[],
): Promise<void> {
  for (const { from, to } of moves) {
    await tx`
      insert into metadata_states as t (kind, item_id, provider, provider_id, basis, score)
      select kind, ${to}, provider, provider_id, basis, score from metadata_states
      where kind = ${kind} and item_id = ${from} and basis = 'user'
      on conflict (kind, item_id) do update set provider = excluded.provider,
        provider_id = excluded.provider_id, basis = excluded.basis, score = excluded.score,
        tries = 0, problem = null, next_at = now()
      where t.basis is distinct from 'user'`;
  }
}
