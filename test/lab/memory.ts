import { readFile } from 'node:fs/promises';
import type { LabNode } from './node.ts';

/** Resident memory of the two processes of a node, in bytes; 0 where there is none. */
export interface Memory {
  readonly node: number;
  readonly raft: number;
}

async function residentOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
}

export async function memoryOf(node: LabNode): Promise<Memory> {
  return {
    node: await residentOf(node.pid()),
    raft: await residentOf(await node.enginePid()),
  };
}

export interface Reading extends Memory {
  /** Seconds since the first. */
  readonly at: number;
  /** Of its process: another one begins anew. */
  readonly pid: number | undefined;
}

export interface MemoryLog {
  /** By node, oldest first. */
  readings(): readonly (readonly Reading[])[];
  stop(): void;
}

/** Reads the memory of all nodes every so often. */
export function watchMemory(nodes: readonly LabNode[], everyMs: number): MemoryLog {
  const begin = performance.now();
  const all: Reading[][] = nodes.map(() => []);
  const look = async () => {
    const at = (performance.now() - begin) / 1000;
    for (const [nth, node] of nodes.entries()) {
      if (node.isRunning()) all[nth]!.push({ at, pid: node.pid(), ...(await memoryOf(node)) });
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  void look();
  return { readings: () => all, stop: () => clearInterval(timer) };
}

const mebi = (bytes: number) => Math.round(bytes / 2 ** 20);
/** A process has to live for so long before its growth means something, in seconds. */
const settledS = 120;

/** One line for each node: at the start, in the middle, at the end, and the longest life. Pure. */
export function showMemory(readings: readonly (readonly Reading[])[]): string {
  const lines = readings.map((own, nth) => {
    const [first, middle, last] = [own[0], own[Math.floor(own.length / 2)], own.at(-1)];
    const show = (each: Reading | undefined) =>
      each ? `${mebi(each.node)}+${mebi(each.raft)}` : '-';
    const most = Math.max(0, ...own.map(({ node }) => node));
    return (
      `  n${nth + 1}: ${show(first)} → ${show(middle)} → ${show(last)} MiB, ` +
      `most ${mebi(most)}; ${longestLife(own)}`
    );
  });
  return ['Memory of the node + its Raft process, at the start, in the middle, at the end:']
    .concat(lines)
    .join('\n');
}

/** How the process that lived longest grew, once it had settled. */
function longestLife(own: readonly Reading[]): string {
  const lives = [...Map.groupBy(own, ({ pid }) => pid).values()];
  const life = lives.sort((a, b) => b.length - a.length)[0] ?? [];
  const from = life.find(({ at }) => at >= (life[0]?.at ?? 0) + settledS);
  const to = life.at(-1);
  if (!from || !to || to === from) return 'no process lived long';
  const minutes = Math.round((to.at - from.at) / 60);
  return `its longest life: ${mebi(from.node)} → ${mebi(to.node)} MiB in ${minutes} min`;
}
