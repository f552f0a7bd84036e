import type { Effects, Request, Status } from '../core/types.ts';
import type { Metrics } from './messages.ts';

/**
 * Counters and gauges under the names that Consul's users know (`raft.apply` is `raft_apply`).
 * Times are sums in milliseconds with a count and the highest beside them.
 */
export interface Recorder {
  count(name: string, by?: number): void;
  time(name: string, ms: number): void;
  gauge(name: string, value: number): void;
  /** A time of which the 99th percentile of the last thousand matters too. */
  sample(name: string, ms: number): void;
  effects(effects: Effects): void;
  request(request: Request): void;
  read(status: Status): Metrics;
}

const received = {
  append: 'raft_rpc_appendEntries',
  vote: 'raft_rpc_requestVote',
  preVote: 'raft_rpc_requestPreVote',
  install: 'raft_rpc_installSnapshot',
  timeoutNow: 'raft_rpc_timeoutNow',
} as const;

const kept = 1000;

export function createRecorder(): Recorder {
  const values = new Map<string, number>();
  const samples = new Map<string, { readonly last: Float64Array; count: number }>();
  const count = (name: string, by = 1) => void values.set(name, (values.get(name) ?? 0) + by);
  const gauge = (name: string, value: number) => void values.set(name, value);
  const time = (name: string, ms: number) => {
    count(`${name}_count`);
    count(`${name}_sum`, ms);
    if (ms > (values.get(`${name}_max`) ?? 0)) gauge(`${name}_max`, ms);
  };
  return {
    count,
    gauge,
    time,
    sample(name, ms) {
      time(name, ms);
      const ring = samples.get(name) ?? { last: new Float64Array(kept), count: 0 };
      samples.set(name, ring);
      ring.last[ring.count % kept] = ms;
      ring.count += 1;
    },
    effects(effects) {
      for (const { request } of effects.send) {
        if (request.kind === 'install') count('raft_replication_installSnapshot');
        else if (request.kind === 'append' && request.isHeartbeat)
          count('raft_replication_heartbeat');
        else if (request.kind === 'append') {
          count('raft_replication_appendEntries_rpc');
          count('raft_replication_appendEntries_logs', request.entries.length);
        }
      }
      for (const { role } of effects.roles) count(`raft_state_${role}`);
      if (effects.apply.length > 0) count('raft_commitNumLogs', effects.apply.length);
    },
    request(request) {
      const isHeartbeat = request.kind === 'append' && request.isHeartbeat;
      count(isHeartbeat ? 'raft_rpc_heartbeat' : received[request.kind]);
    },
    read(status) {
      gauge('raft_term', status.term);
      gauge('raft_isLeader', status.role === 'leader' ? 1 : 0);
      gauge('raft_commitIndex', status.commit);
      gauge('raft_lastIndex', status.lastIndex);
      gauge('raft_durableIndex', status.durable);
      gauge('raft_snapshotIndex', status.snapshotIndex);
      gauge('raft_peers', status.configuration.servers.length);
      gauge('raft_uncommittedBytes', status.uncommittedBytes);
      const contacts = status.peers.flatMap(({ lastContactMs }) => lastContactMs ?? []);
      gauge('raft_leader_lastContact', contacts.length > 0 ? Math.max(...contacts) : 0);
      for (const [name, { last, count: all }] of samples) {
        const sorted = last.slice(0, Math.min(all, kept)).sort();
        gauge(`${name}_p99`, sorted[Math.floor(0.99 * (sorted.length - 1))] ?? 0);
      }
      return Object.fromEntries(values);
    },
  };
}
