/** A fault by name, as this lab drives it. */
export interface Drive {
  readonly fault: string;
  /** 3 unless said. */
  readonly nodes?: number;
  /** How long it lasts, in seconds; 10 unless said. */
  readonly outage?: number;
}

/** A test that shows the same, or what the lab cannot. */
export interface Proof {
  readonly file: string;
  /** Its title, or that of the group it is in. */
  readonly title: string;
}

export interface Entry {
  readonly id: string;
  readonly what: string;
  readonly must: string;
  readonly drives?: readonly Drive[];
  readonly proofs?: readonly Proof[];
  /** Why nothing, or not all of it, is done here. */
  readonly not?: string;
}

const store = 'cluster/raft/store';

/** The faults that a cluster at home has to survive, and how each is brought about. */
export const catalogue: readonly Entry[] = [
  {
    ...{ id: 'F1', what: 'kill -9 of the leader', must: 'writes within 3 s, no failed read' },
    drives: [{ fault: 'leader-kill' }, { fault: 'follower-kill' }, { fault: 'leader-kill-engine' }],
  },
  {
    ...{ id: 'F2', what: 'SIGTERM of the leader', must: 'handed over, nothing fails' },
    drives: [{ fault: 'leader-term' }, { fault: 'follower-term' }],
  },
  {
    ...{ id: 'F3', what: 'restart of one node after the other', must: 'nothing fails' },
    drives: [{ fault: 'rolling' }],
  },
  {
    ...{ id: 'F4', what: 'power cut, then other addresses; or the database comes last' },
    must: 'writes within 60 s of the start, of the database’s at most',
    drives: [{ fault: 'power' }, { fault: 'move' }, { fault: 'power-without-database' }],
  },
  {
    ...{ id: 'F5', what: 'the leader is cut off' },
    must: 'another leads within 3 s; the old one shows what it has, and refuses changes',
    drives: [{ fault: 'leader-cut', outage: 60 }],
  },
  {
    ...{ id: 'F6', what: 'a follower is cut off for 60 s', must: 'no election' },
    drives: [{ fault: 'follower-cut', outage: 60 }],
  },
  {
    ...{ id: 'F7', what: 'one way only is cut', must: 'writes within 3 s, one new term at most' },
    drives: [
      { fault: 'leader-one-way' },
      { fault: 'leader-deaf' },
      { fault: 'follower-one-way' },
      { fault: 'follower-deaf' },
      { fault: 'leader-link-out' },
      { fault: 'leader-link-in' },
    ],
  },
  {
    ...{ id: 'F8', what: 'a ring of majorities', must: 'one leader that stays' },
    drives: [{ fault: 'ring', nodes: 5, outage: 30 }],
  },
  {
    ...{ id: 'F9', what: '100±80 ms, 5 % lost, some twice and out of order, 5 minutes' },
    must: 'two elections at most, nothing lost',
    drives: [{ fault: 'rough', outage: 300 }],
  },
  {
    ...{ id: 'F10', what: '1 Mbit/s between nodes, and a snapshot is installed' },
    must: 'no election; heartbeats do not wait for it',
    drives: [{ fault: 'follower-thin' }],
    proofs: [
      { file: 'cluster/raft/driver/resume.test.ts', title: 'goes on between two whole engines' },
      { file: 'cluster/raft/transport/tcp.test.ts', title: 'does not let a slow append delay' },
    ],
  },
  {
    ...{ id: 'F11', what: 'the leader is stopped for 10 s, and goes on' },
    must: 'what it still wanted to write is refused by the fence',
    drives: [{ fault: 'leader-pause' }, { fault: 'follower-pause' }],
    proofs: [{ file: 'node/write.test.ts', title: 'changes nothing once another node leads' }],
  },
  {
    ...{ id: 'F12', what: 'the event loop of the leader is blocked for 8 s' },
    must: 'it gives leadership up',
    drives: [{ fault: 'leader-block', outage: 8 }, { fault: 'leader-pause-host' }],
    proofs: [
      {
        file: 'test/raft/processes/host.test.ts',
        title: 'gives leadership up when its host stops',
      },
    ],
  },
  {
    ...{ id: 'F13', what: 'the leader’s clock is 5 minutes off, or jumps' },
    must: 'no election, nothing fails',
    drives: [
      { fault: 'leader-clock-ahead' },
      { fault: 'leader-clock-behind' },
      { fault: 'leader-clock-strobe' },
    ],
  },
  {
    ...{ id: 'F14', what: 'one fsync fails with EIO' },
    must: 'the Raft process ends rather than try again, and starts anew from what is there',
    drives: [{ fault: 'leader-fsync-eio' }],
    proofs: [{ file: 'cluster/raft/driver/driver.test.ts', title: 'ends when the disk refuses' }],
  },
  {
    ...{ id: 'F15', what: 'the disk is full', must: 'another leads; well again with room' },
    drives: [{ fault: 'leader-disk-full' }],
    proofs: [{ file: `${store}/crash.test.ts`, title: 'by a full disk' }],
  },
  {
    ...{ id: 'F16', what: 'each fsync takes 500 ms', must: 'leadership moves at most twice' },
    drives: [{ fault: 'leader-slower-fsync', outage: 30 }, { fault: 'leader-slow-fsync' }],
  },
  {
    ...{ id: 'F17', what: 'power loss: what was not synced is gone' },
    must: 'it starts, nothing acknowledged is lost',
    drives: [{ fault: 'leader-power-loss' }, { fault: 'follower-power-loss' }],
    proofs: [{ file: `${store}/crash.test.ts`, title: 'the Raft store, broken off' }],
  },
  {
    ...{ id: 'F18', what: 'the log ends in a torn record; a bit in it is flipped' },
    must: 'the end is cut off; the node refuses to vote, and says how to rejoin',
    drives: [{ fault: 'follower-torn-log' }, { fault: 'follower-rotten-log' }],
    proofs: [
      { file: `${store}/rot.test.ts`, title: 'rot in LevelDB' },
      { file: `${store}/store.test.ts`, title: 'refuses to vote' },
    ],
  },
  {
    ...{
      id: 'F19',
      what: 'the data folder is wiped',
      must: 'a new node that learns before it votes',
    },
    drives: [{ fault: 'follower-wipe' }],
  },
  {
    ...{ id: 'F20', what: 'the data folder is put back to an older one', must: 'kept out' },
    drives: [{ fault: 'follower-restore-old' }],
    proofs: [{ file: 'cluster/member/member.test.ts', title: 'keep out a copy of a data folder' }],
  },
  {
    ...{ id: 'F21', what: 'one data folder is used twice', must: 'one of the two is refused' },
    drives: [{ fault: 'follower-twice' }],
    proofs: [{ file: 'cluster/trust/identity.test.ts', title: 'is one process at a time' }],
  },
  {
    ...{ id: 'F22', what: 'the data folder is on NFS', must: 'refused at the start' },
    proofs: [{ file: 'cluster/trust/identity.test.ts', title: 'the file system of a data folder' }],
    not: 'this kernel has no NFS; the test tells the node that its folder is on one',
  },
  {
    ...{ id: 'F23', what: 'wrong token, authority, cluster, certificate' },
    must: 'refused in words, the members stay the same',
    drives: [{ fault: 'strangers' }],
    proofs: [
      { file: 'cluster/rpc/rpc.test.ts', title: 'are for members' },
      { file: 'cluster/rpc/join.test.ts', title: 'joining' },
      { file: 'cluster/trust/raft.test.ts', title: 'in Raft' },
    ],
  },
  {
    ...{ id: 'F24', what: 'a node founds a cluster of its own on the same database' },
    must: 'refused: the database names its cluster',
    drives: [{ fault: 'strangers' }],
    proofs: [{ file: 'storage/cluster/owner.test.ts', title: 'the owner of a database' }],
  },
  {
    ...{ id: 'F25', what: 'one of two nodes dies' },
    must: 'the voter goes on alone; without it, reads go on and nobody else leads',
    drives: [
      { fault: 'follower-kill', nodes: 2 },
      { fault: 'leader-kill-voter', nodes: 2 },
    ],
  },
  {
    ...{ id: 'F26', what: '3 → 5 → 3 nodes under load', must: 'nothing fails' },
    drives: [{ fault: 'grow' }],
  },
  {
    ...{ id: 'F27', what: 'a dead host is replaced' },
    must: 'the newcomer votes, the old one is removed, a majority lives all the time',
    drives: [{ fault: 'follower-replace' }, { fault: 'leader-replace' }],
  },
  {
    ...{ id: 'F28', what: 'two versions, and back', must: 'no entry that a node cannot read' },
    proofs: [
      { file: 'cluster/state/state.test.ts', title: 'the feature level' },
      { file: 'cluster/state/state.test.ts', title: 'stops at what it cannot read' },
    ],
    not: 'there is one release so far',
  },
  {
    ...{ id: 'F29', what: 'two of three are lost for good' },
    must: '`recover` goes on with the survivor, nothing in the database is lost',
    drives: [{ fault: 'lost-quorum' }],
    proofs: [{ file: 'cluster/raft/offline/offline.test.ts', title: 'recover' }],
  },
  {
    ...{ id: 'F30', what: 'hints are cut off, Raft is not; and the reverse' },
    must: 'nothing is stale for longer than `cluster.max_staleness`',
    drives: [
      { fault: 'leader-cut-gossip' },
      { fault: 'follower-cut-gossip' },
      { fault: 'follower-cut-raft' },
      { fault: 'leader-cut-raft' },
    ],
  },
  {
    ...{ id: 'F31', what: 'PostgreSQL is stopped, or killed', must: 'well again within seconds' },
    drives: [{ fault: 'postgres' }, { fault: 'postgres-kill' }],
    proofs: [{ file: 'storage/postgres/failover.test.ts', title: 'fail-over between two' }],
  },
  {
    ...{ id: 'F32', what: 'the shared cache is killed, and empty later', must: 'nothing fails' },
    drives: [{ fault: 'redis' }],
  },
  {
    ...{ id: 'F34', what: 'a share hangs, is empty, is read-only, and comes back' },
    must: 'no film is gone, others play, no election',
    drives: [{ fault: 'share-hung', outage: 30 }],
    proofs: [{ file: 'test/faults/folders.test.ts', title: 'deletes nothing while' }],
    not: 'media are never written to, so a share that is read-only is as any other',
  },
  {
    ...{ id: 'F36', what: 'a broken image is deployed', must: 'rolled back, the quorum stays' },
    proofs: [{ file: 'test/deploy/files.test.ts', title: 'goes back when an update fails' }],
    not: 'needs a Swarm; the test holds the stack to the settings that roll back',
  },
  {
    ...{ id: 'F37', what: 'all nodes start while the database is migrated' },
    must: 'one migrates, the others wait, a failed one leaves nothing',
    proofs: [
      { file: 'storage/postgres/migrate.test.ts', title: 'runs each migration once when four' },
      {
        file: 'storage/postgres/migrate.test.ts',
        title: 'keeps nothing of a migration that fails',
      },
    ],
  },
  {
    ...{ id: 'F38', what: '200 clients come back at once after a power cut' },
    must: 'p95 below 2 s',
    drives: [{ fault: 'herd' }],
  },
  {
    ...{ id: 'F39', what: 'ten times as many changes, and listeners that do not read' },
    must: 'memory stays bounded',
    drives: [{ fault: 'burst', outage: 30 }],
    proofs: [{ file: 'node/http/sse.test.ts', title: 'cuts a client off that does not read' }],
  },
  {
    ...{ id: 'F40', what: 'names lead nowhere, remembered addresses are wrong' },
    must: 'the others, who know where it is, find the node',
    drives: [{ fault: 'follower-stale-addresses' }],
    proofs: [{ file: 'cluster/raft/transport/candidates.test.ts', title: 'addresses of a server' }],
  },
  {
    ...{ id: 'F42', what: 'a host is suspended, and wakes with a clock ten minutes further' },
    must: 'it follows again',
    drives: [{ fault: 'leader-suspend' }, { fault: 'follower-suspend' }],
  },
  {
    ...{ id: 'F43', what: 'a node comes back after a month, its certificate has expired' },
    must: 'a token renews it; what it missed comes as a snapshot',
    proofs: [
      { file: 'cluster/member/renewal.test.ts', title: 'the renewal of a certificate' },
      { file: 'cluster/rpc/join.test.ts', title: 'joining' },
      { file: 'cluster/raft/core/snapshots.test.ts', title: 'are sent by a leader when' },
    ],
  },
];
