import { expect } from 'chai';
import { keyframesInMatroska } from './keyframes-matroska.ts';
import { partsOf } from './parts.ts';

const element = (id: string, content: Buffer, size = content.length): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(BigInt(size));
  length[0] = 0x01;
  return Buffer.concat([Buffer.from(id, 'hex'), length, content]);
};
const number = (id: string, value: number): Buffer => element(id, Buffer.from([value]));

describe('parts of a file', () => {
  const endless = { read: (bytes: Buffer) => bytes.fill(1).length };

  it('are no larger than they may be, whatever is asked for', async () => {
    const read = partsOf(endless);
    expect(await read(0, 10)).to.have.length(10);
    expect(await read(5, 100_000)).to.have.length(100_000);
    for (const size of [2 ** 30, 2 ** 50, Infinity]) {
      expect(await read(0, size), `${size}`).to.have.length(8 * 1024 * 1024);
    }
  });

  it('are not asked for a clock of a gigabyte', async () => {
    const tracks = element(
      '1654ae6b',
      element('ae', Buffer.concat([number('d7', 1), number('83', 1)])),
    );
    const positions = (at: number) =>
      element('b7', Buffer.concat([number('f7', 1), number('f1', at)]));
    const head = (at: number) =>
      Buffer.concat([
        tracks,
        element('1c53bb6b', element('bb', Buffer.concat([number('b3', 0), positions(at)]))),
      ]);
    const cluster = element('1f43b675', element('e7', Buffer.alloc(100), 2 ** 30));
    const content = Buffer.concat([head(head(0).length), cluster]);
    const file = Buffer.concat([
      element('1a45dfa3', Buffer.alloc(0)),
      element('18538067', content),
    ]);
    const asked: number[] = [];
    const read = async (offset: number, size: number) => {
      asked.push(size);
      return file.subarray(offset, offset + size);
    };
    expect(await keyframesInMatroska(read, file.length)).to.equal(undefined);
    expect(asked).to.have.length.above(5);
    expect(Math.max(...asked)).to.be.below(1_000);
  });
});
