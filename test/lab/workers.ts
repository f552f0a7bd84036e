import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ask, type Answer } from './ask.ts';
import type { Film } from './films.ts';
import { doneBefore, type Class, type Recording } from './record.ts';

export interface WorkersWish {
  readonly nodes: number;
  /** Where a node is now. */
  readonly urlOf: (node: number) => string;
  readonly token: string;
  /** The first of them are registers, which all write; then those of who reports progress. */
  readonly films: readonly Film[];
  readonly content: Buffer;
  readonly recording: Recording;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Clients of all classes, at every node. */
export interface Workers {
  /** Ends them; each finishes what it does. */
  stop(): Promise<void>;
}

/** Films that stand for registers. */
export const registerCount = 4;
/** Clients at each node that report how far they are, each of a film of its own. */
const reporters = 2;
export const filmsFor = (nodes: number): number => registerCount + reporters * nodes;

interface Scene extends WorkersWish {
  readonly isStopped: () => boolean;
  /** The highest index that any client was told. */
  readonly index: { highest: number };
  readonly serial: () => number;
}

const pacesMs = { reads: 100, list: 150, range: 150, write: 80, append: 200, local: 200 };
const againMs = 100;
/** How long a client looks elsewhere for what it did; a node that hangs holds nobody up. */
const lookMs = 2_000;
/** How long one change is tried for. */
const patienceMs = 90_000;

export function startWorkers(wish: WorkersWish): Workers {
  let isStopped = false;
  let serial = 0;
  const scene: Scene = {
    ...wish,
    isStopped: () => isStopped,
    index: { highest: 0 },
    serial: () => (serial += 1),
  };
  // Others do not wait for one who waits: a node that hangs holds up some of its clients only.
  const loop = async (paceMs: number, atOnce: number, work: () => Promise<void>) => {
    const waiting = new Set<Promise<void>>();
    while (!isStopped) {
      const one = work().finally(() => waiting.delete(one));
      waiting.add(one);
      await pause(paceMs * (0.5 + wish.random()));
      if (waiting.size >= atOnce) await Promise.race(waiting);
    }
    await Promise.all(waiting);
  };
  const running = Array.from({ length: wish.nodes }, (_, node) => [
    loop(pacesMs.reads, 8, () => read(scene, node, 'read')),
    loop(pacesMs.reads, 8, () => read(scene, node, 'read with index')),
    loop(pacesMs.list, 8, () => list(scene, node)),
    loop(pacesMs.range, 8, () => range(scene, node)),
    loop(pacesMs.write, 6, () => write(scene, node)),
    loop(pacesMs.append, 6, () => append(scene, node)),
    ...Array.from({ length: reporters }, (_, nth) => {
      const film = wish.films[registerCount + reporters * node + nth]!;
      return loop(pacesMs.local, 1, () => report(scene, node, film));
    }),
  ]).flat();
  return {
    async stop() {
      isStopped = true;
      await Promise.all(running);
    },
  };
}

interface Request {
  readonly class: Class | undefined;
  readonly node: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly timeoutMs?: number;
}

/** Asks and notes it; without a class it is no part of the figures. */
async function askNode(scene: Scene, request: Request): Promise<Answer> {
  const { class: kind, node, path, ...rest } = request;
  const answer = await ask({ url: scene.urlOf(node) + path, token: scene.token, ...rest });
  const { status, callAt, endAt } = answer;
  const code = wasCarriedOut(answer) ? doneBefore : answer.code;
  if (kind) scene.recording.samples.push({ class: kind, node, status, code, callAt, endAt });
  scene.index.highest = Math.max(scene.index.highest, answer.index ?? 0);
  return answer;
}

const indexHeader = (index: number) => ({ 'x-revenge-index': String(index) });

async function read(scene: Scene, node: number, kind: 'read' | 'read with index') {
  const register = scene.films[Math.floor(scene.random() * registerCount)]!.id;
  const index = kind === 'read' ? undefined : scene.index.highest;
  const answer = await askNode(scene, {
    ...{ class: kind, node, path: `/api/v1/movies/${register}` },
    ...(index === undefined ? {} : { headers: indexHeader(index) }),
  });
  if (answer.status !== 200) return;
  const { tagline } = answer.body as { tagline: string | null };
  const { callAt, endAt } = answer;
  scene.recording.reads.push({ register, value: tagline, node, callAt, endAt, index });
}

async function list(scene: Scene, node: number) {
  const path = scene.random() < 0.5 ? '/api/v1/movies?limit=20' : '/api/v1/search?q=lab';
  await askNode(scene, { class: 'list', node, path });
}

const rangeBytes = 16_384;

async function range(scene: Scene, node: number) {
  const { films, content, random, recording } = scene;
  const film = films[Math.floor(random() * films.length)]!;
  const from = Math.floor(random() * (content.length - rangeBytes));
  const to = from + rangeBytes - 1;
  const answer = await askNode(scene, {
    ...{ class: 'range', node, path: `/api/v1/playback/files/${film.fileId}/content` },
    headers: { range: `bytes=${from}-${to}` },
  });
  const isWrong = answer.status === 206 && !answer.bytes.equals(content.subarray(from, to + 1));
  if (isWrong || answer.status === 200) recording.wrongBytes += 1;
}

interface Change extends Omit<Request, 'node' | 'class'> {
  readonly class: Class;
  readonly key: string | undefined;
}

/** It was done under this key before; what the answer was is not known any more. */
const wasCarriedOut = ({ status, body }: Answer): boolean => {
  const detail = (body as { detail?: string } | undefined)?.detail ?? '';
  return status === 409 && detail.includes('carried out');
};

/**
 * Tries a change at one node after the other until somebody acknowledges it, under one key, so
 * that it happens once; undefined when nobody does.
 */
async function insist(
  scene: Scene,
  first: number,
  { key, ...request }: Change,
): Promise<{ answer: Answer; node: number } | undefined> {
  const headers = { ...request.headers, ...(key === undefined ? {} : { 'idempotency-key': key }) };
  const until = performance.now() + patienceMs;
  for (let tried = 0; performance.now() < until; tried += 1) {
    const node = (first + tried) % scene.nodes;
    const answer = await askNode(scene, { ...request, node, headers });
    if (answer.status >= 200 && answer.status < 300) return { answer, node };
    if (wasCarriedOut(answer)) return { answer, node };
    if (answer.status === 404 && request.method === 'DELETE') return { answer, node };
    await pause(againMs);
  }
  return undefined;
}

async function write(scene: Scene, node: number) {
  const register = scene.films[Math.floor(scene.random() * registerCount)]!.id;
  const value = `${node}.${scene.serial()}`;
  const op = { register, value, callAt: performance.now(), endAt: Infinity, index: undefined };
  const noted = scene.recording.writes[scene.recording.writes.push(op) - 1]!;
  const done = await insist(scene, node, {
    ...{ class: 'write', key: randomUUID(), method: 'PATCH', path: `/api/v1/movies/${register}` },
    json: { tagline: value },
  });
  if (!done) return;
  noted.index = done.answer.status === 200 ? done.answer.index : undefined;
  noted.endAt = done.answer.endAt;
}

async function append(scene: Scene, node: number) {
  const name = `lab ${randomUUID()}`;
  const op = { name, isAcknowledged: false };
  const noted = scene.recording.appends[scene.recording.appends.push(op) - 1]!;
  const path = '/api/v1/apikeys';
  const json = { name, scopes: ['movies:read'] };
  const made = await insist(scene, node, {
    ...{ class: 'append', key: randomUUID(), method: 'POST', path, json },
  });
  if (!made) return;
  noted.isAcknowledged = true;
  const index = made.answer.index ?? 0;
  const elsewhere = (made.node + 1) % scene.nodes;
  for (const each of [elsewhere, made.node]) {
    const answer = await askNode(scene, {
      ...{ class: undefined, node: each, path, headers: indexHeader(index), timeoutMs: lookMs },
    });
    if (answer.status !== 200) continue;
    const { items } = answer.body as { items: { id: string; name: string }[] };
    const found = items.filter((item) => item.name === name);
    noted.seen = found.length;
    for (const { id } of found) await forget(scene, each, id);
    return;
  }
}

/** There is room for 25 keys only. */
async function forget(scene: Scene, node: number, id: string) {
  const path = `/api/v1/apikeys/${id}`;
  await insist(scene, node, { class: 'append', key: randomUUID(), method: 'DELETE', path });
}

const endless = 1_000_000_000;
/** Below this a work counts as not begun. */
const begun = 200_000_000;

/** Watch progress: written where it is asked, read somewhere else. */
async function report(scene: Scene, node: number, film: Film) {
  const path = `/api/v1/users/me/progress/movie/${film.id}`;
  const positionMs = begun + scene.serial();
  // As players tell it: a try that was given up and arrives late is not the last word.
  const json = { positionMs, durationMs: endless, at: new Date().toISOString() };
  const done = await insist(scene, node, {
    ...{ class: 'local', key: undefined, method: 'PUT', path, json },
  });
  // Where nobody leads it is written without one, and others hear of it when somebody does.
  if (done?.answer.index === undefined) return;
  const elsewhere = (done.node + 1) % scene.nodes;
  const answer = await askNode(scene, {
    ...{ class: undefined, node: elsewhere, path, timeoutMs: lookMs },
    headers: indexHeader(done.answer.index),
  });
  if (answer.status !== 200) return;
  const found = (answer.body as { positionMs: number | null }).positionMs ?? 0;
  scene.recording.progress.push({ expected: positionMs, found, node: elsewhere });
}
