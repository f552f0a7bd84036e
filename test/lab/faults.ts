import { clocks } from './faults/clocks.ts';
import { crowds } from './faults/crowds.ts';
import { disks } from './faults/disks.ts';
import type { Fault, Faults } from './faults/fault.ts';
import { folders } from './faults/folders.ts';
import { members } from './faults/members.ts';
import { network } from './faults/network.ts';
import { processes } from './faults/processes.ts';
import { services } from './faults/services.ts';

/** By name; `leader-`, `follower-` or `n2-` before it says whom it befalls. */
export const faults: Faults = {
  ...processes,
  ...network,
  ...disks,
  ...clocks,
  ...folders,
  ...members,
  ...services,
  ...crowds,
};

/** A fault and whom it befalls. */
export interface NamedFault {
  readonly name: string;
  readonly fault: Fault;
  readonly whom: 'leader' | 'follower' | 'anyone' | number;
}

/** Reads `leader-kill`, `n2-cut`, `redis`. Throws for what is no fault, naming those there are. */
export function parseFault(name: string): NamedFault {
  const [, who, base = ''] = /^(?:(leader|follower|n[1-9])-)?(.+)$/.exec(name) ?? [];
  const fault = Object.hasOwn(faults, base) ? faults[base] : undefined;
  if (!fault || (who !== undefined && fault.isGlobal)) {
    throw new Error(`no fault ${name}; there are ${Object.keys(faults).join(', ')}`);
  }
  if (who === undefined) return { name, fault, whom: 'anyone' };
  const whom = who === 'leader' || who === 'follower' ? who : Number(who.slice(1)) - 1;
  return { name, fault, whom };
}
