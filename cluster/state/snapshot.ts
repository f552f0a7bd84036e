import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { emptyDraft, scheduleSweep, type Draft } from './draft.ts';
import { perEpoch } from './limits.ts';
import { describe, headShapes, idShape, memberShape, tokenShape } from './shapes.ts';
import type { View } from './types.ts';

/**
 * The state as text, in the one form that equal states have: lines of JSON with sorted keys.
 *
 *   revenge-state 2                             what it is, and the version of its form
 *   {"clusterId":…,"members":2,…}               the head, with how many of each follow
 *   {…} per member, "…" per retired id, {…} per token, each sorted
 *   "…" per batch of events that was told lately, the oldest first
 *   {"sha256":"…"}                              of all the bytes before this line
 *
 * The SHA-256 is also the state's hash. The form is that of the cluster's feature level, as members
 * of the release before read it too until all have left that behind.
 */
const formOf = ({ featureLevel }: View): 1 | 2 => (featureLevel < 2 ? 1 : 2);
const title = 'revenge-state';
const pieceBytes = 64 * 1024;
/** No record is longer: what is, is not one. */
const maxLine = 256 * 1024;

/** The snapshot cannot be used; the state is what it was. */
export class SnapshotError extends Error {
  constructor(why: string) {
    super(`the snapshot of the cluster's state ${why}`);
    this.name = 'SnapshotError';
  }
}

/** SHA-256 in hex: equal on two nodes if and only if their states are equal. */
export function hashOf(view: View): string {
  const hash = createHash('sha256');
  for (const line of linesOf(view)) hash.update(line);
  return hash.digest('hex');
}

/**
 * In pieces of some 64 KiB, made as they are read. With `unread`, the index of an entry that could
 * not be applied, the stream fails: Raft would let that entry go, and it would be lost for ever.
 */
export async function* writeSnapshot(
  view: View,
  unread: number | undefined,
): AsyncGenerator<Uint8Array> {
  if (unread !== undefined) {
    throw new SnapshotError(`cannot be made: entry ${unread} could not be read`);
  }
  const hash = createHash('sha256');
  let piece = '';
  for (const line of linesOf(view)) {
    hash.update(line);
    piece += line;
    if (piece.length < pieceBytes) continue;
    yield Buffer.from(piece, 'utf8');
    piece = '';
  }
  yield Buffer.from(`${piece}${canonical({ sha256: hash.digest('hex') })}\n`, 'utf8');
}

function* linesOf(view: View): Generator<string> {
  const { clusterId, epoch, time, featureLevel, autopilot, told } = view;
  const { members, retired, tokens } = view;
  const form = formOf(view);
  yield `${title} ${form}\n`;
  const counts = {
    members: members.size,
    retired: retired.size,
    tokens: tokens.size,
    ...(form === 1 ? { leases: 0 } : { told: told.length }),
  };
  const raftIndex = view.index - epoch * perEpoch;
  const head = { clusterId, epoch, raftIndex, time, featureLevel, autopilot, ...counts };
  yield `${canonical(head)}\n`;
  yield* recordsOf(members);
  for (const id of [...retired].sort()) yield `${JSON.stringify(id)}\n`;
  yield* recordsOf(tokens);
  for (const id of told) yield `${JSON.stringify(id)}\n`;
}

function* recordsOf(map: ReadonlyMap<string, unknown>): Generator<string> {
  for (const key of [...map.keys()].sort()) yield `${canonical(map.get(key))}\n`;
}

/** JSON with the keys of every object sorted; keys without a value are left out. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    each !== null && typeof each === 'object' && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/**
 * Reads what `writeSnapshot` wrote, piece by piece.
 * @throws SnapshotError if a byte is not what was written, or it is of a feature level above the
 *   one that this node knows
 */
export async function readSnapshot(
  bytes: AsyncIterable<Uint8Array>,
  maxLevel: number,
): Promise<Draft> {
  const reader = createReader(maxLevel);
  for await (const line of splitLines(bytes)) reader.line(line);
  return reader.end();
}

async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const piece of bytes) {
    let all = rest.length > 0 ? Buffer.concat([rest, piece]) : Buffer.from(piece);
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10)) {
      yield all.subarray(0, end + 1);
      all = all.subarray(end + 1);
    }
    if (all.length > maxLine) throw new SnapshotError('is damaged: a line without an end');
    rest = all;
  }
  if (rest.length > 0) throw new SnapshotError('is damaged: it ends within a line');
}

type Section = (text: string, draft: Draft) => void;

/** What a line means depends on how many were there before: title, head, records, checksum. */
function createReader(maxLevel: number) {
  const hash = createHash('sha256');
  const draft = emptyDraft();
  let form: Form = 1;
  let sections: Section[] | undefined;
  let at = 0;
  let isComplete = false;

  return {
    line(bytes: Buffer): void {
      const text = bytes.toString('utf8');
      const here = at;
      at += 1;
      if (isComplete) throw new SnapshotError('is damaged: something follows its end');
      if (here === 0) form = readTitle(text);
      else if (here === 1) {
        sections = readHead(text, draft, form);
        checkLevel(draft, maxLevel);
      } else if (sections && here - 2 < sections.length) sections[here - 2]?.(text, draft);
      else {
        checkSum(text, hash.digest('hex'));
        isComplete = true;
        return;
      }
      hash.update(bytes);
    },
    end(): Draft {
      if (!isComplete) throw new SnapshotError(`is damaged: it ends after ${at} lines`);
      scheduleSweep(draft);
      return draft;
    },
  };
}

type Form = keyof typeof headShapes;

function readTitle(text: string): Form {
  const [, found] = /^revenge-state (\d{1,9})\n$/.exec(text) ?? [];
  if (found === undefined) throw new SnapshotError('is none: it begins with something else');
  const form = Number(found);
  if (form === 1 || form === 2) return form;
  throw new SnapshotError(`has form ${found}, this node knows up to 2; it must be updated`);
}

function checkLevel({ featureLevel }: Draft, maxLevel: number): void {
  if (featureLevel <= maxLevel) return;
  throw new SnapshotError(
    `is of feature level ${featureLevel}, this node knows up to ${maxLevel}; it must be updated`,
  );
}

function checkSum(text: string, expected: string): void {
  if (text !== `${canonical({ sha256: expected })}\n`) {
    throw new SnapshotError('is damaged: its checksum is wrong');
  }
}

type Head = z.infer<(typeof headShapes)[Form]>;

/** @returns how each of the lines after the head is read */
function readHead(text: string, draft: Draft, form: Form): Section[] {
  const { members, retired, tokens, told, ...head } = parse<Head>(text, headShapes[form]);
  Object.assign(draft, head);
  return [
    ...times(members, readMember),
    ...times(retired, readRetired),
    ...times(tokens, readToken),
    ...times(told, readTold),
  ];
}

const times = (count: number, section: Section): Section[] =>
  Array.from({ length: count }, () => section);

// The maps are the draft's own until it is handed out, so they are filled in place.
const readMember: Section = (text, draft) => {
  const member = parse(text, memberShape);
  (draft.members as Map<string, unknown>).set(member.id, member);
};
const readRetired: Section = (text, draft) => {
  (draft.retired as Set<string>).add(parse(text, idShape));
};
const readToken: Section = (text, draft) => {
  const token = parse(text, tokenShape);
  (draft.tokens as Map<string, unknown>).set(token.id, token);
};
const readTold: Section = (text, draft) => {
  (draft.told as string[]).push(parse(text, idShape));
};

function parse<T>(text: string, shape: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SnapshotError('is damaged: a line is no JSON');
  }
  const parsed = shape.safeParse(value);
  // The checksum comes last, so this may be damage, or the work of a newer version.
  if (!parsed.success) throw new SnapshotError(`cannot be read: ${describe(parsed.error)}`);
  return parsed.data;
}
