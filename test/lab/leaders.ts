import { open } from 'node:fs/promises';
import type { LabNode } from './node.ts';

/** Who led in which term, by the nodes' own logs. */
export interface Leaders {
  /** Reads on; resolves to what must not be: two leaders of one term. */
  contradictions(): Promise<string[]>;
}

/** Reads each log once, however long it gets. */
export function watchLeaders(nodes: readonly LabNode[]): Leaders {
  const offsets = new Map<string, number>();
  const byTerm = new Map<number, Set<string>>();
  return {
    async contradictions() {
      for (const { name, logFile } of nodes) {
        const from = offsets.get(logFile) ?? 0;
        const text = await readFrom(logFile, from);
        const whole = text.slice(0, text.lastIndexOf('\n') + 1);
        offsets.set(logFile, from + Buffer.byteLength(whole));
        for (const term of termsLed(whole)) {
          byTerm.set(term, (byTerm.get(term) ?? new Set()).add(name));
        }
      }
      return [...byTerm]
        .filter(([, names]) => names.size > 1)
        .map(([term, names]) => `${[...names].join(' and ')} led in term ${term}`);
    },
  };
}

async function readFrom(file: string, from: number): Promise<string> {
  const handle = await open(file, 'a+').then(async (made) => {
    await made.close();
    return open(file, 'r');
  });
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.max(0, size - from));
    await handle.read(bytes, 0, bytes.length, from);
    return bytes.toString();
  } finally {
    await handle.close();
  }
}

/** The terms of which a log says that its node leads in them. Pure. */
export function termsLed(text: string): number[] {
  const lines = text.split('\n').filter((line) => line.includes('"is leader"'));
  return lines.flatMap((line) => {
    const term = /"term":(\d+)/.exec(line)?.[1];
    return term === undefined ? [] : [Number(term)];
  });
}
