import { pbkdf2 } from 'node:crypto';
import type { Driver } from '../driver/driver.ts';

export interface BenchResult {
  readonly clients: number;
  readonly commits: number;
  readonly failed: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

export interface BenchOptions {
  readonly clients: number;
  readonly size: number;
  readonly ms: number;
  readonly what: 'write' | 'read' | 'lease';
}

/** Callers inside this process, each with one request under way, so that no HTTP is measured. */
export async function runBench(driver: Driver, options: BenchOptions): Promise<BenchResult> {
  const { clients, size, ms, what } = options;
  const command = Buffer.alloc(size, 'x');
  const times: number[] = [];
  let failed = 0;
  const begun = performance.now();
  const once = (): Promise<unknown> =>
    what === 'write' ? driver.propose(command) : driver.read(what === 'read' ? 'quorum' : 'lease');
  const client = async () => {
    for (let start = begun; start < begun + ms;) {
      try {
        await once();
      } catch {
        failed += 1;
        return;
      }
      const now = performance.now();
      times.push(now - start);
      start = now;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const seconds = (performance.now() - begun) / 1000;
  const sorted = Float64Array.from(times).sort();
  const at = (part: number) => round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
  const perSecond = Math.round(times.length / seconds);
  return { clients, commits: times.length, failed, perSecond, p50: at(0.5), p99: at(0.99) };
}

const round = (ms: number) => Math.round(ms * 1000) / 1000;

/** What a media server may do to its process: blocks 60 of every 80 ms, and keeps libuv's pool full. */
export async function runBusy(ms: number): Promise<Record<string, number>> {
  const until = performance.now() + ms;
  let hashes = 0;
  const hash = () => {
    if (performance.now() < until) {
      pbkdf2('x', 'y', 50_000, 64, 'sha512', () => {
        hashes += 1;
        hash();
      });
    }
  };
  for (let nth = 0; nth < 8; nth += 1) hash();
  let blocks = 0;
  while (performance.now() < until) {
    const end = performance.now() + 60;
    while (performance.now() < end);
    blocks += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { blocks, hashes };
}
