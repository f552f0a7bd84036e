import type { Mutation } from './mutant.ts';

/** Known-bad cores. Each is one replacement; `from` must occur once in its file. */
const ofDurable: readonly Mutation[] = [
  {
    name: 'answers before its vote is synced',
    file: 'durable.ts',
    from: 'if (save.number === state.hardSave) found = save;',
    to: '',
  },
  {
    name: 'confirms entries before they are synced',
    file: 'durable.ts',
    from: 'let isLogCovered = index === 0 || (index <= state.durable && !state.isInstalling);',
    to: 'let isLogCovered = true;',
  },
  {
    name: 'counts its own entries before they are synced',
    file: 'durable.ts',
    from: '  return {\n    number,',
    to: '  state.durable = Math.max(state.durable, holds ? lastIndex(state.log) : 0);\n  return {\n    number,',
  },
  {
    name: 'counts overwritten entries as durable',
    file: 'durable.ts',
    from: 'state.durable = Math.min(state.durable, index - 1);',
    to: '',
  },
  {
    name: 'a late acknowledgement of the disk confirms overwritten entries',
    file: 'durable.ts',
    from: 'save.lastIndex = Math.min(save.lastIndex, index - 1);',
    to: '',
  },
  {
    name: 'a held answer still confirms what was overwritten',
    file: 'durable.ts',
    from: 'if (promised.index >= index) takeBack(promised, index);',
    to: '',
  },
];

const ofRoles: readonly Mutation[] = [
  {
    name: 'stepping down in the same term clears the vote',
    file: 'roles.ts',
    from: 'if (to.term > term) {\n    state.term',
    to: 'if (to.term > term || role !== "follower") {\n    state.term',
  },
  {
    name: 'a new term is not saved',
    file: 'roles.ts',
    from: 'state.out.isHardStateNew = true;',
    to: '',
  },
  {
    name: 'takes its vote along into the next term',
    file: 'roles.ts',
    from: 'state.vote = undefined;',
    to: '',
  },
];

const ofLog: readonly Mutation[] = [
  {
    name: 'compacts one entry more than the snapshot holds',
    file: 'log.ts',
    from: 'let index = snapshot.index;',
    to: 'let index = snapshot.index + 1;',
  },
  {
    name: 'half of the voters is a quorum',
    file: 'quorum.ts',
    from: 'return Math.floor(voters / 2) + 1;',
    to: 'return Math.ceil(voters / 2);',
  },
  {
    name: 'commits what any voter has',
    file: 'quorum.ts',
    from: 'return values[quorumSize(values.length) - 1] ?? 0;',
    to: 'return values[0] ?? 0;',
  },
  {
    name: 'nonvoters count',
    file: 'commit.ts',
    from: "if (server.suffrage !== 'voter') continue;",
    to: '',
  },
];

const ofElection: readonly Mutation[] = [
  {
    name: 'forgets the vote: it is not saved',
    file: 'election.ts',
    from: 'address: request.from.address };\n    state.out.isHardStateNew = true;',
    to: 'address: request.from.address };',
  },
  {
    name: 'votes twice in a term',
    file: 'election.ts',
    from: 'if (!vote) return true;',
    to: 'return true;',
  },
  {
    name: 'votes for a shorter log',
    file: 'election.ts',
    from: 'return request.lastIndex >= lastIndex(state.log);',
    to: 'return true;',
  },
  {
    name: 'votes for the longer log, whatever its last term',
    seed: 66,
    file: 'election.ts',
    from: 'if (request.lastTerm !== term) return request.lastTerm > term;',
    to: '',
  },
  {
    name: 'asks for votes before its own is synced',
    file: 'election.ts',
    from: 'state.out.promised.push({ send: { to: id, address, request: { ...request } }, index: 0 });',
    to: 'state.out.send.push({ to: id, address, request: { ...request } });',
  },
  {
    name: 'counts votes of an earlier term',
    file: 'election.ts',
    from: [
      "const isOurs = state.role === 'candidate' && request.term === state.term;",
      'if (!isOurs || response.term !== state.term || !response.isGranted) return;',
    ].join('\n  '),
    to: "if (state.role !== 'candidate' || !response.isGranted) return;",
  },
  {
    name: 'a follower votes although its leader lives, so leases overlap',
    file: 'election.ts',
    from: 'if (state.leader) return isSamePeer(state.leader, from);\n  return state.now >= state.quietUntil;',
    to: 'return true;',
  },
  {
    name: 'a pre-vote is refused to the node believed to lead',
    file: 'election.ts',
    from: 'if (state.leader) return isSamePeer(state.leader, from);',
    to: 'if (state.leader) return false;',
  },
  {
    name: 'a nonvoter that hears nobody goes on believing in its leader',
    file: 'election.ts',
    from: '  const { role, leader } = state;\n  state.leader = undefined;\n',
    to: '  const { role, leader } = state;\n  if (mayCampaign(state)) state.leader = undefined;\n',
  },
];

const ofFollower: readonly Mutation[] = [
  {
    name: 'a follower commits past the entries it verified',
    file: 'follower.ts',
    from: 'Math.min(request.commit, verified)',
    to: 'Math.min(request.commit, lastIndex(state.log))',
  },
  {
    name: 'takes entries without comparing the one before',
    file: 'follower.ts',
    from: 'if (term === undefined || term === prevTerm) return undefined;',
    to: 'return undefined;',
  },
  {
    name: 'keeps a conflicting entry',
    file: 'follower.ts',
    from: 'if (termAt(log, entry.index) !== entry.term) {',
    to: 'if (termAt(log, entry.index) === undefined) {',
  },
  {
    name: 'confirms all of its log, not what was verified',
    file: 'follower.ts',
    from: 'appendResponse(state, { isSuccess: true, lastLog }) }, verified);',
    to: 'appendResponse(state, { isSuccess: true, lastLog }) }, 0);',
  },
  {
    name: 'obeys a leader of the past',
    file: 'follower.ts',
    from:
      "if (term < state.term || (term === state.term && state.role === 'leader')) return " +
      'false;',
    to: "if (term === state.term && state.role === 'leader') return false;",
  },
];

const ofCommit: readonly Mutation[] = [
  {
    name: 'commits an older term by counting (figure 8)',
    file: 'commit.ts',
    from: 'if (index > state.known && termAt(state.log, index) === state.term) state.known = index;',
    to: 'if (index > state.known) state.known = index;',
  },
  {
    name: 'commits what is not on its own disk',
    file: 'commit.ts',
    from: 'Math.min(state.known, state.durable)',
    to: 'state.known',
  },
  {
    name: 'does not roll members back when the log is cut',
    seed: 38,
    file: 'commit.ts',
    from: 'while (state.configurations.length > 1 && latestConfiguration(state).index >= index) {',
    to: 'while (false) {',
  },
  {
    name: 'restores a snapshot before it is saved',
    file: 'commit.ts',
    from: '  state.isInstalling = true;\n  state.out.snapshot = snapshot;',
    to: '  state.commit = state.applied = snapshot.index;\n  state.out.restore = snapshot;\n  state.out.snapshot = snapshot;',
  },
];

const ofReplication: readonly Mutation[] = [
  {
    name: 'sends a commit index past the entries it sends',
    file: 'replication.ts',
    from: 'Math.min(state.commit, prevIndex + entries.length)',
    to: 'state.commit',
  },
  {
    name: 'a refusal counts as a success',
    file: 'replication.ts',
    from: 'if (response.isSuccess) accepted(state, peer, request);',
    to: 'if (sent) accepted(state, peer, request);',
  },
  {
    name: 'takes the peer to hold all that was sent',
    file: 'replication.ts',
    from: 'peer.match = Math.max(peer.match, reached);',
    to: 'peer.match = Math.max(peer.match, peer.next - 1);',
  },
  {
    name: 'never steps back after a refusal',
    file: 'replication.ts',
    from: 'peer.next = Math.max(Math.min(before, response.lastLog + 1), 1);',
    to: '',
  },
  {
    name: 'a lost request is never sent again',
    file: 'replication.ts',
    from: '  if (!takeSent(peer.inflight, request)) return;\n  peer.mode',
    to: '  return;\n  peer.mode',
  },
  {
    name: 'a duplicate answer confirms a later read',
    file: 'replication.ts',
    from: 'if (sent) peer.ackRound = Math.max(peer.ackRound, sent.round);',
    to: 'if (sent) peer.ackRound = state.leading?.round ?? 0;',
  },
  {
    name: 'the lease counts from the answer, not from the question',
    file: 'replication.ts',
    from: 'peer.ackSentAt = Math.max(peer.ackSentAt, sent.sentAt);',
    to: 'peer.ackSentAt = state.now;',
  },
];

const ofLeader: readonly Mutation[] = [
  {
    name: 'reads before the first commit of the term',
    file: 'reads.ts',
    from: '} else if (!hasCommittedInTerm(state, leading)) {',
    to: '} else if (state.log.offset < 0) {',
  },
  {
    name: 'reads without asking anybody',
    file: 'reads.ts',
    from: 'if (read.round > round) break;',
    to: '',
  },
  {
    name: 'a read joins the round that already runs',
    file: 'reads.ts',
    from: 'round: leading.round + 1 });',
    to: 'round: Math.max(1, leading.round) });',
  },
  {
    name: 'a lease lasts for the timeout, whatever the clocks',
    file: 'reads.ts',
    from: '(heartbeatTimeoutMs * (1 - maxClockDrift)) / (1 + maxClockDrift)',
    to: 'heartbeatTimeoutMs * 2 * (1 + 0 * maxClockDrift)',
  },
  {
    name: 'a lease goes on while leadership is handed over',
    file: 'reads.ts',
    from: 'if (leading.isLeaseOff || leading.transfer) return false;',
    to: '',
  },
  {
    name: 'members change before the first commit of the term',
    file: 'membership.ts',
    from: "if (!hasCommittedInTerm(state, leading)) return refuse(state, 'no-commit-in-term');",
    to: '',
  },
  {
    name: 'two changes of members at once',
    file: 'membership.ts',
    from: "if (state.configurations.length > 1) return refuse(state, 'change-in-progress');",
    to: '',
  },
  {
    name: 'a new configuration counts only once committed',
    file: 'membership.ts',
    from: 'adoptConfigurations(state, [entry]);',
    to: '',
  },
  {
    name: 'no no-op at the beginning of a term',
    file: 'leader.ts',
    from: '  appendOwn(state, noop);',
    to: '  void noop;',
  },
  {
    name: 'takes proposals while it hands over',
    file: 'leader.ts',
    from: "if (leading.transfer) return refuse(state, 'transfer-in-progress');",
    to: '',
  },
  {
    name: 'leads on without a quorum',
    file: 'pump.ts',
    from: 'if (state.now >= leading.checkAt && !hasQuorum(state, leading)) {',
    to: 'if (state.now < 0 && !hasQuorum(state, leading)) {',
  },
  {
    name: 'an installed snapshot keeps the old members',
    seed: 2501,
    file: 'commit.ts',
    from: 'state.configurations.splice(0, state.configurations.length, { configuration, index });',
    to: '',
  },
  {
    name: 'says yes to a snapshot that is not saved',
    file: 'snapshots.ts',
    from: 'answer(state, { token, response }, snapshot.index);',
    to: 'state.out.replies.push({ token, response });',
  },
];

export const mutations: readonly Mutation[] = [
  ...[...ofDurable, ...ofRoles, ...ofLog, ...ofElection],
  ...[...ofFollower, ...ofCommit, ...ofReplication, ...ofLeader],
  {
    name: 'after a newer term votes at once, although the last leader may hold a lease',
    file: 'follower.ts',
    from: 'state.quietUntil = state.now + state.options.heartbeatTimeoutMs;',
    to: '',
  },
];
