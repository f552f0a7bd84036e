import { complaints, leaderNotes } from '#cluster/autopilot/sayings.ts';
import { speaker, type Notice } from '#cluster/notices.ts';

/**
 * What operators are told of the cluster, in English and by codes that clients say in the language
 * of their user. A code is never renamed, and each stands in api/cluster.yaml.
 */

const statusNotes = {
  alone: 'this node is alone: `revenge cluster init` opens it to others',
  noLeader: 'no node leads: too few voters answer each other; reading works, changes do not',
  oldMembers: 'what feature level {level} brings waits until {names} can take part in it',
  databaseHere:
    'the nodes are redundant and their database is not: it runs on this node alone, and without ' +
    'it only what is cached is served; see docs/operations.md for one that fails over',
  databaseElsewhere:
    'the nodes are redundant and their database is not: it runs on one member alone, and without ' +
    'it only what is cached is served; see docs/operations.md for one that fails over',
} as const;

const events = {
  leads: '{name} leads in term {term}',
  leadsHere: '{name} leads in term {term}: this node',
  noLeader: 'no leader',
  office: 'this node took office in term {term}',
  joined: '{name} ({id}) is a member',
  restarted: '{name} ({id}) has started again',
  drained: '{name} ({id}) is drained: it takes no new work',
  undrained: '{name} ({id}) takes work again',
  left: '{name} ({id}) is no longer a member',
} as const;

const steps = {
  promote: '{name} gets a vote',
  demote: '{name} loses its vote and goes on as a learner',
  returns: '{name} gets its vote back by itself while it is well: drain it first',
  takeOut: '{name} is taken out of the Raft configuration',
  forget: '{name} is forgotten: its certificate is refused, and its id never comes back',
} as const;

const refusals = {
  hasDatabase:
    'the database of the cluster is on {name}, and would go with it: move it elsewhere first',
  votes: '{name} has a vote already',
  votesNot: '{name} has no vote',
  leads: '{name} leads: hand leadership over first (revenge cluster transfer)',
  unwell: '{name} is not well or not caught up yet: a vote it cannot give only costs the others',
  onlyVoter: '{name} is the only voter',
  tooFew:
    'of the {voters} voters that would be left only {well} answer, and {needed} are needed: ' +
    'bring one back first',
} as const;

/** All sentences by the schema of their codes. */
export const sayings = {
  ClusterNoteCode: { ...leaderNotes, ...statusNotes },
  ClusterProblemCode: complaints,
  ClusterEventCode: events,
  ClusterStepCode: steps,
  ClusterRefusalCode: refusals,
} as const;

export type ClusterNote = Notice<keyof (typeof sayings)['ClusterNoteCode'] | 'other'>;
export type MemberProblem = Notice<keyof typeof complaints | 'other'>;
export type EventNotice = Notice<keyof typeof events>;
export type StepNotice = Notice<keyof typeof steps>;
export type RefusalNotice = Notice<keyof typeof refusals>;

export const note = speaker(statusNotes);
export const happened = speaker(events);
export const step = speaker(steps);
export const refuse = speaker(refusals);
