import { expectLease, leasesOf, type Draft } from './draft.ts';
import { limits } from './limits.ts';
import { absent } from './members.ts';
import type { Command, Lease, RefusedWhy } from './types.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/**
 * Expired ones were swept when the time went on: what is there, is held. Its holder may take it
 * again (after a restart, or because an answer was lost); the new fence shuts out the old one.
 */
export function takeLease(draft: Draft, command: Of<'takeLease'>): RefusedWhy | Lease {
  const { name, holder, durationMs, note } = command;
  if (!draft.members.has(holder)) return absent(draft, holder);
  const held = draft.leases.get(name);
  if (held && held.holder !== holder) return 'lease-held';
  if (!held && draft.leases.size >= limits.leases) return 'full';
  const expiresAt = draft.time + durationMs;
  return put(draft, {
    name,
    holder,
    fence: draft.raftIndex,
    expiresAt,
    ...(note !== undefined && { note }),
  });
}

export function renewLease(draft: Draft, command: Of<'renewLease'>): RefusedWhy | Lease {
  const held = own(draft, command);
  if (!held) return 'lease-lost';
  return put(draft, { ...held, expiresAt: draft.time + command.durationMs });
}

export function dropLease(draft: Draft, command: Of<'dropLease'>): RefusedWhy | undefined {
  if (!own(draft, command)) return 'lease-lost';
  leasesOf(draft).delete(command.name);
  return undefined;
}

function own(draft: Draft, { name, holder, fence }: Of<'renewLease' | 'dropLease'>) {
  const held = draft.leases.get(name);
  return held?.holder === holder && held.fence === fence ? held : undefined;
}

function put(draft: Draft, lease: Lease): Lease {
  leasesOf(draft).set(lease.name, lease);
  expectLease(draft, lease);
  return lease;
}
