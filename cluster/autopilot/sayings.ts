import { speaker, type Notice, type NoticeOf } from '#cluster/notices.ts';

/** What the leader tells operators; clients know these by their codes, so none is ever renamed. */
export const leaderNotes = {
  leaderOutside: 'The leader is not in the Raft configuration; another will be elected.',
  witnessLeads:
    '{name}: a witness leads and no node can take over; changes wait until one is back.',
  removedLeads: '{name} was removed but leads, and no node can take over.',
  oneNode: '1 node: no automatic fail-over; a witness needs two of them.',
  twoNodes: '2 nodes: no automatic fail-over; add a third or a witness.',
  oneVoter: '1 voter: no automatic fail-over until others may vote.',
  votersAway:
    'No automatic fail-over now: {away} of {voters} voters away; if another fails, changes wait.',
  votersFew: 'No automatic fail-over now: too few voters; if another fails, changes wait.',
  voterDead:
    '{name} has not answered for {silentMs} and still has its vote; start it, or remove it.',
  deadLeaving: '{name} has not answered for {silentMs}; it will be removed after {endMs}.',
  dead: '{name} has not answered for {silentMs}; remove it if it will not come back.',
  cannotGo: '{names} cannot be removed now: too few of the other voters answer.',
  catchingUp: '{name} is catching up: it is {count} entries behind.',
  otherTerm: "{name} is catching up: its log ends in term {term}, the leader's in {leaderTerm}.",
  beingAdded: '{name} was admitted and is being added.',
  stranger: '{name} is in the Raft configuration but never announced itself.',
} as const;
export type LeaderNote = Notice<keyof typeof leaderNotes>;
export const tell = speaker(leaderNotes);

/** What is wrong with a member. */
export const complaints = {
  unheard: 'has not answered this leader yet',
  silent: 'has not answered for {silentMs}',
  otherTerm: "its log ends in term {term}, the leader's in {leaderTerm}",
  behind: 'is {count} entries behind',
  absent: 'does not receive the log yet',
} as const;
export type Complaint = NoticeOf<typeof complaints>;
export const complain = speaker(complaints);
