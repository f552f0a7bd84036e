import type { Change, ConfigurationChange, PeerRef, Role, ServerId } from '../core/types.ts';
import type { AddressBook } from '../transport/types.ts';
import { OutcomeUnknownError, RaftRefusedError } from './errors.ts';
import type { MachineRunner } from './machine.ts';
import { createMachineRunner } from './machine.ts';
import type { EngineStatus, Link, ToHost } from './messages.ts';
import type { Log, StateMachine } from './ports.ts';
import type { Done, Waiters } from './waiters.ts';
import { createWaiters } from './waiters.ts';

export interface DriverOptions {
  /** To the engine, in this process or in its own. */
  readonly link: Link;
  readonly machine: StateMachine;
  /** The Raft index up to which the machine has applied this log, under an engine before this one. */
  readonly machineHas?: number;
  readonly log: Log;
  /** How long those whose leader lost its office wait for certainty; about two elections. */
  readonly lossGraceMs: number;
}

export interface Place {
  readonly index: number;
  readonly term: number;
}

export interface Leadership {
  readonly role: Role;
  readonly term: number;
  readonly leader: PeerRef | undefined;
}

/**
 * The host's half: callers and the state machine. A refusal (RaftRefusedError) means that nothing
 * happened; an OutcomeUnknownError that it may have, or may yet.
 */
export interface Driver {
  /**
   * Resolves once it is applied here. `term`: only if this node leads in that term. Of more than
   * 512 KiB it is refused: while it is sent and synced, nothing that is waited for gets through.
   */
  propose(data: Uint8Array, term?: number): Promise<Done>;
  barrier(): Promise<Done>;
  /** Resolves once this node's state machine holds all that was acknowledged before the call. */
  read(mode: 'quorum' | 'lease'): Promise<Place>;
  change(change: Change): Promise<Place>;
  transfer(to?: ServerId): Promise<void>;
  stepDown(): void;
  snapshot(): Promise<Place>;
  status(): Promise<EngineStatus>;
  applied(): number;
  leadership(): Leadership;
  onLeadership(listener: (leadership: Leadership) => void): void;
  /** The latest members this node knows of, committed or not; undefined before the engine starts. */
  configuration(): ConfigurationChange | undefined;
  /** Called when members change, and again when the change is committed or taken back. */
  onConfiguration(listener: (change: ConfigurationChange) => void): void;
  /** Where the others are, `host:port` each, likeliest first; for the next connections. */
  setBook(addresses: AddressBook): void;
  /** Servers that were removed: they are heard no more, whatever certificate they show. */
  refuse(ids: readonly ServerId[]): void;
  /** Reads the certificate files again; a rejection means that those from before stay in use. */
  reloadTls(): Promise<void>;
  /** Settles when the driver has ended, with the error that ended it. */
  readonly ended: Promise<Error | undefined>;
  close(): Promise<void>;
}

const maxCommandBytes = 512 * 1024;

interface Call {
  readonly resolve: (place: Place) => void;
  readonly reject: (error: Error) => void;
}

interface Until extends Call {
  readonly place: Place;
}

interface Asked {
  readonly resolve: (status: EngineStatus) => void;
  readonly reject: (error: Error) => void;
}

type ReadMode = 'quorum' | 'lease';

interface Host {
  readonly options: DriverOptions;
  readonly waiters: Waiters;
  readonly runner: MachineRunner;
  readonly calls: Map<number, Call>;
  readonly statuses: Map<number, Asked>;
  readonly listeners: ((leadership: Leadership) => void)[];
  readonly memberListeners: ((change: ConfigurationChange) => void)[];
  /** Reads of this turn, which will share one question. */
  readonly reads: Map<ReadMode, Call[]>;
  readonly tellEnd: (error: Error | undefined) => void;
  /** Answered by the engine, waiting for the state machine. */
  until: Until[];
  batch: { readonly data: Uint8Array[]; readonly term: number | undefined } | undefined;
  leadership: Leadership;
  configuration: ConfigurationChange | undefined;
  nextId: number;
  hasEnded: boolean;
}

export function createDriver(options: DriverOptions): Driver {
  const { promise: ended, resolve: tellEnd } = Promise.withResolvers<Error | undefined>();
  const host = createHost(options, tellEnd);
  const { link } = options;
  link.onEnd((error) => end(host, error));
  link.onMessage((message) => onMessage(host, message));
  return {
    ended,
    applied: () => host.runner.applied(),
    leadership: () => host.leadership,
    onLeadership: (listener) => void host.listeners.push(listener),
    configuration: () => host.configuration,
    onConfiguration: (listener) => void host.memberListeners.push(listener),
    setBook: (addresses) => link.post({ type: 'book', addresses }),
    refuse: (ids) => link.post({ type: 'refuse', ids }),
    async reloadTls() {
      await call(host, (id) => link.post({ type: 'reloadTls', id }));
    },
    propose: (data, term) => propose(host, data, term),
    barrier: () =>
      whileRunning(host, (resolve, reject) => {
        sendBatch(host);
        host.waiters.push({ resolve, reject });
        link.post({ type: 'barrier' });
      }),
    read: (mode) => read(host, mode),
    change: (change) => changeMembers(host, change),
    async transfer(to) {
      const target = to === undefined ? {} : { to };
      await call(host, (id) => link.post({ type: 'transfer', id, ...target }));
    },
    stepDown: () => link.post({ type: 'stepDown' }),
    snapshot: () => call(host, (id) => link.post({ type: 'snapshot', id })),
    status: () =>
      whileRunning<EngineStatus>(host, (resolve, reject) => {
        const id = host.nextId++;
        host.statuses.set(id, { resolve, reject });
        link.post({ type: 'status', id });
      }),
    async close() {
      await link.close();
      end(host, undefined);
    },
  };
}

function createHost(options: DriverOptions, tellEnd: Host['tellEnd']): Host {
  const { link, machine, log } = options;
  const waiters = createWaiters();
  const host: Host = {
    options,
    waiters,
    runner: createMachineRunner({
      machine,
      from: options.machineHas,
      post: (message) => link.post(message),
      onApplied(entries, results) {
        waiters.applied(entries, results);
        wakeReaders(host);
      },
      onRestored(index) {
        waiters.skippedTo(index);
        wakeReaders(host);
      },
      onBroken(error) {
        log.error('Raft ends: the state machine failed', { error: error.message });
        end(host, error);
        void link.close();
      },
    }),
    calls: new Map(),
    statuses: new Map(),
    listeners: [],
    memberListeners: [],
    reads: new Map(),
    tellEnd,
    until: [],
    batch: undefined,
    leadership: { role: 'follower', term: 0, leader: undefined },
    configuration: undefined,
    nextId: 1,
    hasEnded: false,
  };
  return host;
}

function whileRunning<T>(
  host: Host,
  begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (host.hasEnded) reject(new RaftRefusedError({ reason: 'ended' }));
    else begin(resolve, reject);
  });
}

function onMessage(host: Host, message: ToHost): void {
  const { waiters, runner, statuses } = host;
  switch (message.type) {
    case 'accepted':
      return waiters.accepted(message.count, message.index, message.term);
    case 'refused':
      return waiters.refused(message.count, message.refusal);
    case 'done':
    case 'failed':
      return onDone(host, message);
    case 'status':
      statuses.get(message.id)?.resolve(message.status);
      return void statuses.delete(message.id);
    case 'apply':
      return runner.apply(message.entries);
    case 'restore':
      return runner.restore(message.snapshot);
    case 'restoreChunk':
      return runner.restoreChunk(message.bytes);
    case 'takeSnapshot':
      return runner.takeSnapshot(message.token);
    case 'wantChunk':
      return runner.wantChunk(message.token);
    case 'role':
      return onRole(host, message);
    case 'configuration':
      host.configuration = message.change;
      return host.memberListeners.forEach((listener) => listener(message.change));
    case 'ping':
      return host.options.link.post({ type: 'pong' });
  }
}

function onDone(host: Host, message: Extract<ToHost, { type: 'done' | 'failed' }>): void {
  const found = host.calls.get(message.id);
  if (!found) return;
  host.calls.delete(message.id);
  if (message.type === 'failed') found.reject(new RaftRefusedError(message.refusal));
  else found.resolve({ index: message.index, term: message.term });
}

function onRole(host: Host, { role, term, leader }: Leadership): void {
  host.leadership = { role, term, leader };
  if (role !== 'leader' && host.waiters.size() > 0) {
    const why = 'leadership was lost before it was committed';
    setTimeout(() => host.waiters.loseBefore(term + 1, why), host.options.lossGraceMs).unref();
  }
  for (const listener of host.listeners) listener(host.leadership);
}

function wakeReaders(host: Host): void {
  if (host.until.length === 0) return;
  const index = host.runner.applied();
  const ready = host.until.filter(({ place }) => place.index <= index);
  if (ready.length === 0) return;
  host.until = host.until.filter(({ place }) => place.index > index);
  for (const { place, resolve } of ready) resolve(place);
}

function changeMembers(host: Host, change: Change): Promise<Place> {
  return whileRunning(host, (resolve, reject) => {
    const id = host.nextId++;
    // At once when it is accepted: what is behind it in the log is told right after.
    const place = ({ index, term }: Place) => host.waiters.place({ resolve, reject }, index, term);
    host.calls.set(id, { resolve: place, reject });
    host.options.link.post({ type: 'change', id, change });
  });
}

function propose(host: Host, data: Uint8Array, term: number | undefined): Promise<Done> {
  return whileRunning(host, (resolve, reject) => {
    if (data.length > maxCommandBytes) {
      const detail = `${data.length} bytes, and ${maxCommandBytes} at most`;
      return reject(new RaftRefusedError({ reason: 'too-large', detail }));
    }
    if (host.batch && host.batch.term !== term) sendBatch(host);
    if (!host.batch) {
      host.batch = { data: [], term };
      setImmediate(sendBatch, host);
    }
    host.batch.data.push(data);
    host.waiters.push({ resolve, reject });
  });
}

function sendBatch(host: Host): void {
  const { batch } = host;
  host.batch = undefined;
  if (!batch || host.hasEnded) return;
  const { data, term } = batch;
  host.options.link.post(
    term === undefined ? { type: 'propose', data } : { type: 'propose', data, term },
  );
}

function call(host: Host, post: (id: number) => void): Promise<Place> {
  return whileRunning(host, (resolve, reject) => {
    const id = host.nextId++;
    host.calls.set(id, { resolve, reject });
    post(id);
  });
}

function read(host: Host, mode: ReadMode): Promise<Place> {
  return whileRunning(host, (resolve, reject) => {
    const group = host.reads.get(mode);
    if (group) return void group.push({ resolve, reject });
    host.reads.set(mode, [{ resolve, reject }]);
    setImmediate(askReads, host, mode);
  });
}

function askReads(host: Host, mode: ReadMode): void {
  const group = host.reads.get(mode) ?? [];
  host.reads.delete(mode);
  call(host, (id) => host.options.link.post({ type: 'read', id, mode })).then(
    (place) => {
      host.until.push(...group.map(({ resolve, reject }) => ({ place, resolve, reject })));
      wakeReaders(host);
    },
    (error: Error) => group.forEach(({ reject }) => reject(error)),
  );
}

function end(host: Host, error: Error | undefined): void {
  if (host.hasEnded) return;
  host.hasEnded = true;
  const why = error?.message ?? 'the driver was closed';
  host.waiters.loseAll(why);
  const refused = new RaftRefusedError({ reason: 'ended', detail: why });
  for (const each of [...host.until, ...[...host.reads.values()].flat()]) each.reject(refused);
  for (const each of host.statuses.values()) each.reject(refused);
  for (const each of host.calls.values()) each.reject(new OutcomeUnknownError(why));
  host.until = [];
  host.reads.clear();
  host.calls.clear();
  host.statuses.clear();
  host.tellEnd(error);
}
