import { setTimeout as pause } from 'node:timers/promises';
import { has } from '../../needs.ts';
import type { Answer, Wish } from '../ask.ts';
import type { ClusterStatus } from '../cluster.ts';
import type { Links } from '../ground.ts';
import type { LabNode } from '../node.ts';
import type { Condition } from '../record.ts';
import type { Shared, SharedPostgres } from '../services.ts';

/** What a fault happens to. */
export interface Stage {
  readonly dir: string;
  readonly nodes: readonly LabNode[];
  /** Nodes that are no members, and may become some. */
  readonly spares: readonly LabNode[];
  /** The number of the node it happens to, if it happens to one. */
  readonly victim: number;
  readonly postgres: SharedPostgres;
  readonly redis: Shared | undefined;
  readonly links: Links | undefined;
  /** Gives all hosts other addresses; undefined where they have none of their own. */
  readonly readdress: (() => void) | undefined;
  readonly outageMs: number;
  /** Ids of the films there are. */
  readonly films: readonly string[];
  /** In [0, 1). */
  readonly random: () => number;
  /** Notes what was done to a node, so that nobody wonders at its answers. */
  note(node: number, condition: Condition): void;
  /** Something else that this fault found out, for the report. */
  tell(line: string): void;
  /** Any node is asked to lead instead of the one that does. */
  transfer(): Promise<void>;
  /** Asks a node as the administrator. */
  ask(node: LabNode, path: string, wish?: Pick<Wish, 'method' | 'json'>): Promise<Answer>;
  /** Opens a stream that is not read until the signal ends it; resolves to its status. */
  listen(node: LabNode, path: string, signal: AbortSignal): Promise<number>;
  status(node: LabNode): Promise<ClusterStatus>;
  /** Resolves once these are the voters, and all of them know it. */
  allVote(nodes: readonly LabNode[]): Promise<void>;
}

/** What has to be laid out before the nodes start, so that it can be broken later. */
export type Layout = 'hosts' | 'disks' | 'clocks' | 'spares';

export interface Fault {
  readonly about: string;
  /** What this machine lacks for it; empty when it can be had. */
  readonly missing?: () => readonly string[];
  readonly needs?: readonly Layout[];
  /** With fewer nodes it means nothing. */
  readonly leastNodes?: number;
  readonly mostNodes?: number;
  /** Happens to all nodes, or to none. */
  readonly isGlobal?: boolean;
  /** How long no write may get through, in milliseconds, beyond the outage itself. */
  readonly gapMs?: number;
  /** Nodes are told to stop, not stopped: a balancer spares its clients all of it. */
  readonly isGraceful?: boolean;
  /** No write can get through as long as it lasts. */
  readonly stopsWrites?: boolean;
  /** Even reads may be refused as long as it lasts. */
  readonly stopsReads?: boolean;
  /** How many terms may begin because of it; undefined: any number if it befalls the leader. */
  readonly mostTerms?: number;
  /** A node may end by itself. */
  readonly mayEnd?: boolean;
  /** Breaks something, and mends it again. */
  run(stage: Stage): Promise<void>;
}

export type Faults = Readonly<Record<string, Fault>>;

export const victimOf = ({ nodes, victim }: Stage): LabNode => nodes[victim]!;
export const others = ({ nodes, victim }: Stage): number[] =>
  nodes.map((_, nth) => nth).filter((nth) => nth !== victim);
/** Some other node than the victim, to ask how it is. */
export const bystander = (stage: Stage): LabNode => stage.nodes[others(stage)[0]!]!;

export const without = (...tools: string[]): string[] => tools.filter((tool) => !has(tool));

/** Takes a node away, and brings it back after the outage. */
export async function away(stage: Stage, end: (node: LabNode) => Promise<unknown>): Promise<void> {
  const node = victimOf(stage);
  stage.note(stage.victim, 'down');
  await end(node);
  await pause(stage.outageMs);
  await back(stage, stage.victim);
}

export async function back(stage: Stage, nth: number, args: readonly string[] = []): Promise<void> {
  const node = stage.nodes[nth]!;
  if (!node.isRunning()) node.start(args);
  await node.ready();
  stage.note(nth, 'up');
}

export async function softly(stage: Stage, nth: number): Promise<void> {
  const node = stage.nodes[nth]!;
  stage.note(nth, 'stopping');
  if (!(await node.stop())) throw new Error(`${node.name} did not heed SIGTERM`);
  stage.note(nth, 'down');
}

/** What a newcomer is started with: where a member is, and a token of that member. */
export async function invitation(member: LabNode): Promise<string[]> {
  const { token } = await member.command<{ token: string }>('cluster', 'token', 'create');
  return ['--join', `${member.host.address}:${member.ports.rpc}`, '--token', token];
}

/** Where a fault expects something, and gets something else, the round is not passed. */
export function expect(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}
