import { expect } from 'chai';
import { createPeerMachine } from './machine.ts';
import { UsageError, readOptions } from './options.ts';

const command = (index: number, text: string) =>
  ({ index, term: 1, type: 'command', data: Buffer.from(text) }) as const;

describe('the Raft harness', () => {
  it('keeps keys and a list, and the CRC-32 of all commands in order', async () => {
    const machine = createPeerMachine();
    const noop = { index: 1, term: 1, type: 'noop', data: Buffer.alloc(0) } as const;
    await machine.apply([
      noop,
      command(2, 'set k a b'),
      command(3, 'set k'),
      command(4, '123456789'),
    ]);
    expect(machine.get('k')).to.equal('a b');
    expect(machine.list()).to.deep.equal(['set k', '123456789']);
    expect(machine.count()).to.equal(3);
    const alone = createPeerMachine();
    await alone.apply([command(1, '1234'), command(2, '56789')]);
    expect(alone.crc32()).to.equal(0xcbf43926);
  });

  it('writes a snapshot as it was at the call, which others can read', async () => {
    const machine = createPeerMachine();
    await machine.apply([command(1, 'set k v'), command(2, 'a "b"')]);
    const snapshot = machine.snapshot();
    await machine.apply([command(3, 'set k w'), command(4, 'later')]);
    const pieces: Uint8Array[] = [];
    for await (const piece of snapshot) pieces.push(piece);
    const json: unknown = JSON.parse(Buffer.concat(pieces).toString());
    const crc = (json as { crc: number }).crc;
    expect(json).to.deep.equal({ kv: { k: 'v' }, list: ['a "b"'], count: 2, crc, last: 2 });
    const other = createPeerMachine();
    await other.restore(
      (async function* () {
        yield* pieces;
      })(),
    );
    await other.apply([command(3, 'set k w'), command(4, 'later')]);
    expect(other.crc32()).to.equal(machine.crc32());
    expect(other.list()).to.deep.equal(machine.list());
  });

  it('says which flag is wrong', () => {
    const given = ['--id', 'n1', '--listen', '127.0.0.1:1', '--data', 'd', '--control', '[::1]:2'];
    expect(readOptions(given)?.control).to.deep.equal({ host: '::1', port: 2 });
    const wrong =
      (...more: string[]) =>
      () =>
        readOptions([...given, ...more]);
    expect(wrong('--profile', 'wan')).to.throw(UsageError, 'there are lan and hashicorp');
    expect(wrong('--bootstrap', 'n1=a:1,n1=b:2')).to.throw(UsageError, 'a member twice');
    expect(wrong('--trailing', 'many')).to.throw(UsageError, 'not a whole number');
    expect(wrong('--trailing', '')).to.throw(UsageError, 'not a whole number');
    expect(wrong('--timeout', '0x10')).to.throw(UsageError, 'not a whole number');
    expect(wrong('--advertise', 'a: 7001')).to.throw(UsageError, '--advertise a: 7001');
    expect(wrong('--bootstrap', 'n1')).to.throw(UsageError, '--bootstrap n1: not an ID=HOST:PORT');
    expect(wrong('--bootstrap', 'n2=a:1')).to.throw(UsageError, 'does not name n1');
    expect(readOptions(['--help'])).to.equal(undefined);
    expect(wrong('--what')).to.throw(UsageError, '--what');
    expect(() => readOptions([])).to.throw(UsageError, '--id is missing');
  });
});
