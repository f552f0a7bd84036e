import { expectToken, withEntry, withoutEntry, type Draft } from './draft.ts';
import { limits, tokenSkewMs } from './limits.ts';
import type { Announcement, Command, JoinToken, Member, RefusedWhy } from './types.ts';

type Of<T extends Command['type']> = Extract<Command, { type: T }>;

/** A node that was put back to an earlier state, or runs twice, is not what the others know. */
function isCopy(known: Member, { bootEpoch, session }: Announcement): boolean {
  if (bootEpoch !== known.bootEpoch) return bootEpoch < known.bootEpoch;
  return session !== known.session;
}

const isSameStart = (known: Member | undefined, { bootEpoch, session }: Announcement) =>
  known?.bootEpoch === bootEpoch && known.session === session;

const canWorkAt = (level: number, { features }: Announcement) =>
  features.min <= level && level <= features.max;

export function announce(draft: Draft, { member }: Of<'announce'>): RefusedWhy | undefined {
  if (draft.retired.has(member.id)) return 'retired';
  if (draft.members.has(member.id)) return welcome(draft, member);
  const isFounder = draft.members.size === 0 && draft.retired.size === 0;
  if (!isFounder) return 'unknown-member';
  // Nobody older is here who would have to follow.
  draft.featureLevel = Math.max(draft.featureLevel, member.features.max);
  return welcome(draft, member);
}

/** A newcomer, or a member whose certificate ran out while it was away; it uses the token up. */
export function admit(draft: Draft, command: Of<'admit'>): RefusedWhy | undefined {
  const { member, tokenId, secretHash } = command;
  if (draft.retired.has(member.id)) return 'retired';
  const known = draft.members.get(member.id);
  const token = draft.tokens.get(tokenId);
  if (!token || token.secretHash !== secretHash) return 'unknown-token';
  if (isExpired(draft, token)) return 'token-expired';
  if (token.kind !== member.kind) return 'token-wrong-kind';
  // Asked again because the first answer was lost: its use is the one that was taken then.
  const isRepeated = isSameStart(known, member);
  if (!isRepeated && token.usesLeft === 0) return 'token-used';
  if (!known && draft.members.size >= limits.members) return 'full';
  const why = welcome(draft, member);
  if (why === undefined && !isRepeated && token.usesLeft !== undefined) {
    const used = { ...token, usesLeft: token.usesLeft - 1 };
    draft.tokens = withEntry(draft.tokens, tokenId, used);
  }
  return why;
}

function welcome(draft: Draft, announced: Announcement): RefusedWhy | undefined {
  const known = draft.members.get(announced.id);
  if (known && isCopy(known, announced)) return 'restored-copy';
  if (known && known.kind !== announced.kind) return 'token-wrong-kind';
  if (!canWorkAt(draft.featureLevel, announced)) return 'features-unsupported';
  const member: Member = {
    ...announced,
    joinedAt: known?.joinedAt ?? draft.time,
    announcedAt: draft.time,
    isDraining: known?.isDraining ?? false,
  };
  draft.members = withEntry(draft.members, member.id, member);
  return undefined;
}

/** For ever: its id never comes back. Asking again changes nothing. */
export function forget(draft: Draft, { id }: Of<'forget'>): RefusedWhy | undefined {
  if (draft.retired.has(id)) return undefined;
  if (!draft.members.has(id)) return 'unknown-member';
  if (draft.retired.size >= limits.retired) return 'full';
  draft.members = withoutEntry(draft.members, id);
  draft.retired = new Set(draft.retired).add(id);
  return undefined;
}

export function drain(draft: Draft, { id, isDraining }: Of<'drain'>): RefusedWhy | undefined {
  const member = draft.members.get(id);
  if (!member) return absent(draft, id);
  draft.members = withEntry(draft.members, id, { ...member, isDraining });
  return undefined;
}

/** Why somebody is no member. */
const absent = (draft: Draft, id: string): RefusedWhy =>
  draft.retired.has(id) ? 'retired' : 'unknown-member';

/** Every member must be able to follow, or it would meet entries that it cannot read. */
export function raiseFeatures(
  draft: Draft,
  { level }: Of<'raiseFeatures'>,
): RefusedWhy | undefined {
  const members = [...draft.members.values()];
  const canAll = members.length > 0 && members.every((member) => canWorkAt(level, member));
  if (!canAll || level <= draft.featureLevel) return 'features-unsupported';
  draft.featureLevel = level;
  return undefined;
}

function isExpired({ time, featureLevel }: Draft, { expiresAt }: JoinToken): boolean {
  if (expiresAt === undefined) return false;
  return expiresAt + (featureLevel >= 2 ? tokenSkewMs : 0) <= time;
}

export function addToken(draft: Draft, { token }: Of<'addToken'>): RefusedWhy | undefined {
  if (draft.tokens.has(token.id)) return 'token-exists';
  if (isExpired(draft, token)) return 'token-expired';
  const useful = [...draft.tokens].filter(
    ([, each]) => !isExpired(draft, each) && each.usesLeft !== 0,
  );
  const isCrowded = draft.tokens.size >= limits.tokens;
  if (isCrowded && useful.length >= limits.tokens) return 'full';
  draft.tokens = withEntry(isCrowded ? new Map(useful) : draft.tokens, token.id, token);
  expectToken(draft, token);
  return undefined;
}

export function revokeToken(draft: Draft, { id }: Of<'revokeToken'>): RefusedWhy | undefined {
  if (!draft.tokens.has(id)) return 'unknown-token';
  draft.tokens = withoutEntry(draft.tokens, id);
  return undefined;
}
