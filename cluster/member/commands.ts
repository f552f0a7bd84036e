import type { Effects } from '#storage/cluster/outbox.ts';
import { levels } from '../state/features.ts';
import { limits } from '../state/limits.ts';
import type { Batch, Command, View } from '../state/types.ts';

/** Most tags of one command: more are several. */
const tagsMax = 1000;
/** Most bytes of tags, and of events, of one command; both together fit into the log. */
const bytesMax = 200 * 1024;

/** Whether every member can read a command with events. */
export function knowsEvents({ featureLevel }: Pick<View, 'featureLevel'>): boolean {
  return featureLevel >= levels.events;
}

/**
 * The effects of several changes in as few commands as they fit into, each tag once. The events
 * come with the last of the tags or after them, as who hears of a change must find it.
 */
export function commandsOf(changes: readonly Effects[]): Command[] {
  const allTags = new Set(changes.flatMap((change) => change.tags));
  const tags = piecesOf([...allTags], tagsMax);
  const [first, ...later] = groupsOf(changes.flatMap(({ told }) => (told ? partsOf(told) : [])));
  const last = first ? (tags.pop() ?? []) : [];
  return [
    ...tags.map((piece): Command => ({ type: 'invalidate', tags: piece })),
    ...(first ? [eventsCommand(last, first)] : []),
    ...later.map((batches) => eventsCommand([], batches)),
  ];
}

const eventsCommand = (tags: readonly string[], batches: readonly Batch[]): Command => ({
  type: 'events',
  tags,
  batches,
});

/** As it stands in a command, with what is between it and the next. */
const sizeOf = (text: string): number => Buffer.byteLength(JSON.stringify(text)) + 1;

/** So many of them at most, and not more than fits. */
function piecesOf(all: readonly string[], most: number): string[][] {
  const pieces: string[][] = [];
  let bytes = Infinity;
  for (const each of all) {
    const size = sizeOf(each);
    if (bytes + size > bytesMax || pieces.at(-1)!.length === most) {
      pieces.push([]);
      bytes = 0;
    }
    pieces.at(-1)!.push(each);
    bytes += size;
  }
  return pieces;
}

/** Cut the same way by whoever sends it again, so that each part is known again. */
function partsOf({ id, events }: Batch): Batch[] {
  // One that no command may hold would keep each new leader from its office: it was never right.
  const sound = events.filter((event) => event.length <= limits.eventLength);
  const pieces = piecesOf(sound, limits.events);
  return pieces.map((piece, nth) => ({ id: nth === 0 ? id : `${id}.${nth}`, events: piece }));
}

/** One command's worth each. */
function groupsOf(batches: readonly Batch[]): Batch[][] {
  const groups: Batch[][] = [];
  let room = { events: 0, bytes: 0 };
  for (const batch of batches) {
    const bytes = batch.events.reduce((sum, event) => sum + sizeOf(event), 0);
    if (batch.events.length > room.events || bytes > room.bytes) {
      groups.push([]);
      room = { events: limits.events, bytes: bytesMax };
    }
    groups.at(-1)!.push(batch);
    room = { events: room.events - batch.events.length, bytes: room.bytes - bytes };
  }
  return groups;
}
