import { defaultAutopilot } from '#cluster/state/draft.ts';
import { exampleMember } from '#cluster/state/examples.ts';
import type { AutopilotConfig, Member } from '#cluster/state/types.ts';
import type { Known, PeerState, Server } from './types.ts';

/** How a server of an example is; the first of a list leads. */
export interface ExampleServer {
  readonly id: string;
  readonly suffrage?: 'voter' | 'nonvoter' | 'absent';
  readonly kind?: 'node' | 'witness';
  readonly membership?: 'member' | 'retired' | 'stranger';
  readonly isDraining?: boolean;
  readonly healthyForMs?: number;
  readonly behind?: number;
  /** Silent for so long; `never`: it has not answered this leader. */
  readonly silentForMs?: number | 'never';
  readonly lastTerm?: number;
}

const now = 1_000_000_000;
const lastIndex = 10_000;

/** What a leader would know of these servers. */
export function exampleKnown(
  servers: readonly ExampleServer[],
  config: Partial<AutopilotConfig> = {},
): Known {
  const members = new Map<string, Member>();
  const retired = new Set<string>();
  const peers = new Map<string, PeerState>();
  const inRaft: Server[] = [];
  for (const server of servers) {
    const { id, suffrage = 'voter', membership = 'member' } = server;
    if (membership === 'member') members.set(id, memberOf(server));
    if (membership === 'retired') retired.add(id);
    if (suffrage === 'absent') continue;
    inRaft.push({ id, suffrage });
    if (server !== servers[0]) peers.set(id, peerOf(server));
  }
  return {
    view: { members, retired },
    configuration: { servers: inRaft },
    leaderId: servers[0]?.id ?? '',
    peers,
    lastIndex,
    lastTerm: 7,
    config: { ...defaultAutopilot, ...config },
    now,
  };
}

function memberOf({ id, kind = 'node', isDraining = false }: ExampleServer): Member {
  return { ...exampleMember(id, { kind }), joinedAt: 0, announcedAt: 0, isDraining };
}

function peerOf(server: ExampleServer): PeerState {
  const { silentForMs, behind = 0, healthyForMs = 60_000, lastTerm = 7 } = server;
  const common = { matchIndex: lastIndex - behind, lastTerm };
  if (silentForMs !== undefined) {
    const hasAnswered = silentForMs !== 'never';
    const silentSinceMs = now - (hasAnswered ? silentForMs : 0);
    const lastContactMs = hasAnswered ? silentForMs : undefined;
    return { ...common, lastContactMs, healthySinceMs: undefined, silentSinceMs };
  }
  const isHealthy = behind <= defaultAutopilot.maxTrailingEntries && lastTerm === 7;
  const healthySinceMs = isHealthy ? now - healthyForMs : undefined;
  return { ...common, lastContactMs: 20, healthySinceMs, silentSinceMs: undefined };
}

/** Short ways to say how a server is. */
export const voter = (id: string, more: Partial<ExampleServer> = {}): ExampleServer => ({
  id,
  ...more,
});
export const learner = (id: string, more: Partial<ExampleServer> = {}): ExampleServer =>
  voter(id, { suffrage: 'nonvoter', ...more });
export const witness = (server: ExampleServer): ExampleServer => ({ ...server, kind: 'witness' });
export const dead = (server: ExampleServer, silentForMs = 60_000): ExampleServer => ({
  ...server,
  silentForMs,
});
