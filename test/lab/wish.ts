import type { Layout } from './faults/fault.ts';
import type { NamedFault } from './faults.ts';
import { missingForHosts } from './ground.ts';

/** Why a fault cannot be had here, by so many nodes; undefined: it can. */
export function whyNot({ fault }: NamedFault, nodes: number): string | undefined {
  const { leastNodes = 0, mostNodes = Infinity, needs = [] } = fault;
  if (nodes < leastNodes) return `needs ${leastNodes} nodes`;
  if (nodes > mostNodes) return `is for ${mostNodes} nodes`;
  const missing = [
    ...(fault.missing?.() ?? []),
    ...(needs.includes('hosts') ? missingForHosts() : []),
  ];
  return missing.length === 0 ? undefined : `needs ${[...new Set(missing)].join(', ')}`;
}

/** What has to be laid out for all of them. */
export const layoutFor = (wanted: readonly NamedFault[]): Layout[] => [
  ...new Set(wanted.flatMap(({ fault }) => fault.needs ?? [])),
];
