import type { Configuration, Entry } from '#cluster/raft/core/types.ts';
import type { List } from '../linearizable.ts';
import { appended, emptyList } from '../linearizable.ts';

/** What a client asked for; the command in the log is only its serial number. */
export interface Wish {
  readonly serial: number;
  readonly kind: 'get' | 'set' | 'cas' | 'append' | 'list';
  readonly key: number;
  /** What a cas expects; 0: nothing there. */
  readonly from: number;
}

export const keyCount = 3;

/** Registers hold the serial of the write that set them, 0 at first. */
export interface Machine {
  readonly index: number;
  readonly term: number;
  /** Of everything applied, in order. */
  readonly hash: number;
  readonly registers: readonly number[];
  readonly list: List;
}

export const emptyMachine: Machine = {
  index: 0,
  term: 0,
  hash: 0,
  registers: Array.from({ length: keyCount }, () => 0),
  list: emptyList,
};

export interface Applied {
  readonly machine: Machine;
  readonly serial: number;
  readonly isSwapped: boolean;
}

const types = { command: 1, noop: 2, barrier: 3, configuration: 4 } as const;

export const configurationText = ({ servers }: Configuration): string =>
  servers.map(({ id, address, suffrage }) => `${id}=${address} ${suffrage}`).join();

export function hashText(text: string, from: number): number {
  let hash = from;
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

export function contentHash(entry: Entry): number {
  let hash = Math.imul(entry.index ^ 0x811c9dc5, 0x01000193) ^ types[entry.type];
  hash = Math.imul(hash ^ entry.term, 0x01000193);
  if (entry.configuration) return hashText(configurationText(entry.configuration), hash);
  for (const byte of entry.data) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 13)) >>> 0;
}

export function serialOf(entry: Entry): number {
  const { data } = entry;
  if (entry.type !== 'command' || data.length < 4) return 0;
  return (data[0]! | (data[1]! << 8) | (data[2]! << 16) | (data[3]! << 24)) >>> 0;
}

export function commandOf(serial: number, padding: number): Uint8Array {
  const data = new Uint8Array(4 + padding);
  for (let at = 0; at < 4; at += 1) data[at] = (serial >>> (8 * at)) & 0xff;
  return data;
}

export function applyTo(machine: Machine, entry: Entry, wishes: readonly Wish[]): Applied {
  const serial = serialOf(entry);
  const hash = Math.imul(machine.hash ^ contentHash(entry), 0x85ebca6b) >>> 0;
  const { index, term } = entry;
  const wish = wishes[serial];
  let { registers, list } = machine;
  let isSwapped = false;
  if (serial > 0 && wish) {
    if (wish.kind === 'append') list = appended(list, serial);
    isSwapped = wish.kind === 'set' || (wish.kind === 'cas' && registers[wish.key] === wish.from);
    if (isSwapped) registers = registers.map((old, key) => (key === wish.key ? serial : old));
  }
  return { machine: { index, term, hash, registers, list }, serial, isSwapped };
}
