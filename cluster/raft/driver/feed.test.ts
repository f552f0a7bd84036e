import { expect } from 'chai';
import type { SnapshotMeta } from '../core/types.ts';
import { createFeed } from './feed.ts';
import type { ToHost } from './messages.ts';

const snapshotAt = (index: number): SnapshotMeta => ({
  ...{ index, term: 1, configuration: { servers: [] }, configurationIndex: 1 },
});
const entry = (index: number, bytes = 1) =>
  ({ index, term: 1, type: 'command', data: Buffer.alloc(bytes) }) as const;

/** A feed from a disk that keeps two snapshots, as the real one does. */
function createSlowHost() {
  const told: string[] = [];
  const broken: Error[] = [];
  const onDisk: number[] = [];
  const open = new Set<number>();
  const feed = createFeed({
    store: {
      async openSnapshot({ index }: SnapshotMeta) {
        if (!onDisk.includes(index)) throw new Error(`the snapshot at ${index} is not there`);
        open.add(index);
        return {
          ...{ size: 1, crc: 0, close: async () => void open.delete(index) },
          async *read() {
            yield Buffer.from([index]);
          },
        };
      },
    },
    emit(message: ToHost) {
      if (message.type === 'apply') told.push(`apply ${message.entries[0]?.index}`);
      if (message.type === 'restore') told.push(`restore ${message.snapshot.index}`);
      if (message.type === 'restoreChunk') told.push(`chunk ${message.bytes?.[0] ?? 'end'}`);
    },
    onBroken: (error) => void broken.push(error),
  });
  const install = async (index: number) => {
    onDisk.push(index);
    if (onDisk.length > 2) onDisk.shift();
    feed.restore(snapshotAt(index));
    await new Promise(setImmediate);
  };
  const more = async () => {
    feed.more();
    await new Promise(setImmediate);
  };
  return { feed, told, broken, open, install, more };
}

describe('what a slow state machine is given', () => {
  it('is the newest snapshot, whatever became of those between', async () => {
    const { feed, told, broken, open, install, more } = createSlowHost();
    for (const index of [10, 20, 30, 40]) await install(index);
    feed.apply([entry(41)]);
    await more();
    await more();
    feed.confirmed(10);
    await more();
    await more();
    feed.confirmed(40);
    expect(broken).to.deep.equal([]);
    expect(told).to.deep.equal([
      ...['restore 10', 'chunk 10', 'chunk end'],
      ...['restore 40', 'chunk 40', 'chunk end', 'apply 41'],
    ]);
    expect([...open]).to.deep.equal([]);
  });

  it('is no entry that a snapshot stands for', async () => {
    const { feed, told, install } = createSlowHost();
    const size = 8 * 1024 * 1024;
    feed.apply([entry(1, size)]);
    feed.apply([entry(2)]);
    await install(9);
    feed.apply([entry(10)]);
    feed.confirmed(1);
    expect(told).to.deep.equal(['apply 1', 'restore 9']);
    feed.confirmed(9);
    expect(told).to.deep.equal(['apply 1', 'restore 9', 'apply 10']);
  });

  it('is no more at once than it can take', () => {
    const { feed, told } = createSlowHost();
    const entries = Array.from({ length: 20 }, (_, at) => entry(at + 1, 700_000));
    feed.apply([...entries, entry(21), entry(22)]);
    expect(told).to.have.length(12);
    feed.confirmed(12);
    expect(told.at(-1)).to.equal('apply 20');
    expect(told).to.have.length(20);
  });

  it('is closed with it', async () => {
    const { feed, open, install } = createSlowHost();
    await install(10);
    expect([...open]).to.deep.equal([10]);
    await feed.stop();
    expect([...open]).to.deep.equal([]);
  });
});
