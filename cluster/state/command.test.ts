import { expect } from 'chai';
import fc from 'fast-check';
import { CommandError, decodeCommand, encodeCommand } from './command.ts';
import { defaultAutopilot } from './draft.ts';
import { exampleMember, exampleToken, secretHash } from './examples.ts';
import { limits } from './limits.ts';
import type { Command } from './types.ts';

const member = exampleMember('a', { gossipId: '12D3' });
const commands: Command[] = [
  { type: 'found', clusterId: 'home', epoch: 1, at: 1 },
  { type: 'found', clusterId: 'home', epoch: 2, isRecovery: true, at: 1 },
  { type: 'invalidate', tags: ['movie:1', 'Straße', '\ud800'] },
  { type: 'invalidate', tags: [] },
  { type: 'announce', member, at: 2 },
  { type: 'admit', member, tokenId: 't', secretHash, at: 2 },
  { type: 'forget', id: 'a' },
  { type: 'drain', id: 'a', isDraining: true },
  { type: 'addToken', token: exampleToken('t') },
  { type: 'addToken', token: exampleToken('t', { expiresAt: 5, usesLeft: 1 }) },
  { type: 'revokeToken', id: 't' },
  { type: 'raiseFeatures', level: 2 },
  { type: 'setAutopilot', config: defaultAutopilot },
];

const written = (value: unknown, format = 1) =>
  Buffer.concat([Buffer.from([format]), Buffer.from(JSON.stringify(value))]);

describe('a command in the log', () => {
  for (const command of commands) {
    it(`is read as it was written: ${command.type}`, () =>
      expect(decodeCommand(encodeCommand(command))).to.deep.equal(command));
  }

  it('lies anywhere in a larger buffer', () => {
    const bytes = encodeCommand({ type: 'forget', id: 'a' });
    const larger = Buffer.concat([Buffer.alloc(7, 1), bytes, Buffer.alloc(7, 1)]);
    expect(decodeCommand(larger.subarray(7, 7 + bytes.length))).to.deep.equal({
      type: 'forget',
      id: 'a',
    });
  });

  const unreadable: [string, Uint8Array, string][] = [
    ['nothing', Buffer.alloc(0), 'it is empty'],
    ['another format', written({ type: 'forget', id: 'a' }, 2), 'its format is 2, known is 1'],
    ['no JSON', Buffer.from('\x01{"type"'), 'it is no JSON'],
    ['no UTF-8', Buffer.from([1, 0x22, 0xff, 0x22]), 'it is no UTF-8'],
    ['no command', written(null), 'expected object'],
    ['a type of a later version', written({ type: 'ban', id: 'a' }), 'type: Invalid'],
    ['a field of a later version', written({ type: 'forget', id: 'a', for: 1 }), 'key: "for"'],
    ['one left out', written({ type: 'forget' }), 'id: Invalid input'],
    ['too much', Buffer.alloc(limits.readableBytes + 1, 1), 'it has 1048577 bytes'],
  ];
  for (const [what, bytes, why] of unreadable) {
    it(`is not read if it is ${what}`, () =>
      expect(() => decodeCommand(bytes)).to.throw(CommandError, why));
  }

  const long = 'x'.repeat(limits.tagLength);
  const impossible: [string, Command, string][] = [
    ['too many tags', { type: 'invalidate', tags: Array(limits.tags + 1).fill('t') }, 'tags'],
    ['a tag too long', { type: 'invalidate', tags: [`${long}x`] }, 'tags.0'],
    ['too many bytes', { type: 'invalidate', tags: Array(4000).fill(long) }, 'bytes'],
    ['a moment that is none', { type: 'found', clusterId: 'c', epoch: 1, at: 0.5 }, 'at'],
    ['an epoch too large', { type: 'found', clusterId: 'c', epoch: 2 ** 21, at: 1 }, 'epoch'],
    [
      'features upside down',
      { type: 'announce', member: { ...member, features: { min: 2, max: 1 } }, at: 1 },
      'min is above max',
    ],
    [
      'a secret instead of its hash',
      { type: 'addToken', token: exampleToken('t', { secretHash: 'secret' }) },
      'secretHash',
    ],
    [
      'an even number of voters',
      { type: 'setAutopilot', config: { ...defaultAutopilot, maxVoters: 4 } },
      'is not odd',
    ],
  ];
  for (const [what, command, why] of impossible) {
    it(`is not written with ${what}`, () =>
      expect(() => encodeCommand(command)).to.throw(CommandError, why));
  }

  it('is read or refused, whatever the bytes are, and means one thing if it is read', () => {
    const changes = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 });
    const mutated = fc
      .tuple(fc.constantFrom(...commands), changes, fc.nat(400))
      .map(([command, places, end]) => {
        const bytes = Buffer.from(encodeCommand(command));
        for (const [at, value] of places) bytes[at % bytes.length] = value;
        return places.length > 2 ? bytes.subarray(0, end) : bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array()), (bytes) => {
        let command: Command;
        try {
          command = decodeCommand(bytes);
        } catch (error) {
          expect(error).to.be.instanceOf(CommandError);
          return;
        }
        expect(decodeCommand(encodeCommand(command))).to.deep.equal(command);
      }),
      { numRuns: 3000 },
    );
  });
});
