import { expect } from 'chai';
import vectors from '#test/fixtures/raft/vectors.json' with { type: 'json' };
import type { Entry, Request, Response } from '../core/types.ts';
import {
  RefusedError,
  encodeEntries,
  isUnknownCommand,
  requestFromWire,
  requestToWire,
  responseFromWire,
  responseToWire,
} from './convert.ts';
import { decodeConfiguration, encodeConfiguration } from './configuration.ts';
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from './messages.ts';
import { WireError } from './msgpack.ts';

const from = { id: 'n1', address: '10.0.0.1:7001' };
const configuration = {
  servers: [
    { id: 'n1', address: '10.0.0.1:7001', suffrage: 'voter' },
    { id: 'n2', address: '10.0.0.2:7001', suffrage: 'nonvoter' },
  ],
} as const;
const text = (value: string) => new Uint8Array(Buffer.from(value));

const entries: readonly Entry[] = [
  { index: 8, term: 3, type: 'command', data: text('hello'), appendedAt: 1_700_000_000_123 },
  { index: 9, term: 3, type: 'noop', data: text('') },
  { index: 10, term: 3, type: 'barrier', data: text('') },
  { index: 11, term: 3, type: 'configuration', data: text(''), configuration },
  { index: 12, term: 3, type: 'command', data: text(''), extensions: text('x') },
];
const append: Request = {
  kind: 'append',
  from,
  term: 3,
  prevIndex: 7,
  prevTerm: 2,
  entries,
  commit: 7,
  isHeartbeat: false,
};
const heartbeat: Request = {
  ...append,
  prevIndex: 0,
  prevTerm: 0,
  entries: [],
  commit: 0,
  isHeartbeat: true,
};
const requests: readonly Request[] = [
  append,
  heartbeat,
  { ...append, entries: [] },
  { kind: 'vote', from, term: 4, lastIndex: 12, lastTerm: 3, isTransfer: true },
  { kind: 'preVote', from, term: 4, lastIndex: 12, lastTerm: 3 },
  { kind: 'timeoutNow', from },
  {
    kind: 'install',
    from,
    term: 4,
    snapshot: { index: 11, term: 3, configuration, configurationIndex: 11 },
    size: 2 ** 33,
  },
];
const responses: readonly Response[] = [
  { kind: 'append', term: 3, lastLog: 12, isSuccess: true, noRetryBackoff: false },
  { kind: 'vote', term: 4, isGranted: true },
  { kind: 'preVote', term: 4, isGranted: false },
  { kind: 'install', term: 4, isSuccess: true },
  { kind: 'timeoutNow' },
];

/** What a peer hears of a request. */
const heard = (request: Request) =>
  requestFromWire(decodeRequest(Buffer.concat(encodeRequest(requestToWire(request)))));

/** Data as a plain copy, and a configuration's bytes filled in, as the receiver has them. */
function plain(request: Request): Request {
  if (request.kind !== 'append') return request;
  return {
    ...request,
    entries: request.entries.map((entry) => ({
      ...entry,
      data: new Uint8Array(
        entry.configuration ? encodeConfiguration(entry.configuration) : entry.data,
      ),
      ...(entry.extensions ? { extensions: new Uint8Array(entry.extensions) } : {}),
    })),
  };
}

describe("the core's messages on the wire", () => {
  for (const request of requests) {
    it(`a peer hears ${JSON.stringify(request).slice(0, 60)}… as it was said`, () => {
      expect(plain(heard(request))).to.deep.equal(plain(request));
    });
  }

  for (const response of responses) {
    it(`a peer hears the answer to ${response.kind} as it was given`, () => {
      const bytes = encodeResponse(responseToWire(response, from));
      expect(responseFromWire(decodeResponse(response.kind, bytes))).to.deep.equal(response);
    });
  }

  it('every captured request means something to the core', () => {
    for (const { id, request } of vectors.exchanges as readonly Captured[]) {
      if (request.hex === undefined) continue;
      const wire = decodeRequest(Buffer.from(request.hex, 'hex'));
      const core = requestFromWire(wire);
      if (core.kind === 'append') {
        expect(core.isHeartbeat, id).to.equal(id.endsWith('/heartbeat'));
        expect(core.from.address, id).to.match(/^127\.0\.0\.1:81\d\d$/);
        expect(core.from.id === undefined, id).to.equal(id.startsWith('112'));
      }
    }
  });

  it('says the same as Go to a captured heartbeat, vote and install', () => {
    for (const { id, request } of vectors.exchanges as readonly Captured[]) {
      if (request.hex === undefined || id.startsWith('112')) continue;
      if (!/heartbeat|-vote-|timeout|install|missing|commit-update/.test(id)) continue;
      const core = requestFromWire(decodeRequest(Buffer.from(request.hex, 'hex')));
      const bytes = Buffer.concat(encodeRequest(requestToWire(core)));
      expect(bytes.toString('hex'), id).to.equal(request.hex);
    }
  });

  it('speaks as 1.1.2 does when asked to', () => {
    const wire = requestToWire(append, { isLegacy: true });
    const bytes = Buffer.concat(encodeRequest(wire, { isUnsigned: true }));
    expect(bytes.includes(Buffer.from('a441646472', 'hex'))).to.equal(false);
    expect(bytes.includes('AppendedAt')).to.equal(false);
    expect(requestFromWire(decodeRequest(bytes)).kind).to.equal('append');
  });
});

interface Captured {
  readonly id: string;
  readonly request: { readonly hex?: string };
}

describe('a block of entries, shared between peers', () => {
  for (const count of [1, 1000]) {
    it(`of ${count} gives the same bytes`, () => {
      const many = Array.from({ length: count }, (_, i): Entry => {
        return { index: i + 8, term: 3, type: 'command', data: text('x'.repeat(128)) };
      });
      const request: Request = { ...append, entries: many };
      const whole = Buffer.concat(encodeRequest(requestToWire(request)));
      const block = encodeEntries(many);
      const parts = encodeRequest(requestToWire(request, { isBlocked: true }), { block });
      expect(parts.length).to.equal(count === 1 ? 1 : 3);
      if (count > 1) expect(parts[1]).to.equal(block);
      expect(Buffer.concat(parts).equals(whole)).to.equal(true);
    });
  }
});

describe('what the core never hears', () => {
  const body = (overrides: object) => ({
    kind: 'append' as const,
    body: { ...requestToWire(append).body, Entries: [], ...overrides },
  });
  const log = { Index: 8, Term: 3, Type: 0, Data: null };

  it('terms and indices above 2^53 - 1', () => {
    for (const key of ['Term', 'PrevLogEntry', 'PrevLogTerm']) {
      expect(() => requestFromWire(body({ [key]: 2n ** 53n }))).to.throw(RefusedError, '2^53 - 1');
    }
    const entry = { ...log, Term: 2n ** 64n - 1n };
    expect(() => requestFromWire(body({ Entries: [entry] }))).to.throw(RefusedError);
  });

  it('but a commit index saturates', () => {
    const core = requestFromWire(body({ LeaderCommitIndex: 2n ** 64n - 1n }));
    expect(core).to.include({ commit: Number.MAX_SAFE_INTEGER });
  });

  it('unknown log types, which would end a Go node', () => {
    for (const Type of [2, 3, 6, 255]) {
      const wire = body({ Entries: [{ ...log, Type }] });
      expect(() => requestFromWire(wire)).to.throw(RefusedError, `unknown log type ${Type}`);
    }
  });

  it('entries with a hole', () => {
    const wire = body({ Entries: [{ ...log, Index: 9 }] });
    expect(() => requestFromWire(wire)).to.throw(RefusedError, 'does not follow');
  });

  it('configurations that are none', () => {
    const Data = text('nonsense');
    const wire = body({ Entries: [{ ...log, Type: 5, Data }] });
    expect(() => requestFromWire(wire)).to.throw(RefusedError, 'bad configuration');
  });

  it('protocol versions but 2 and 3; a heartbeat is not asked, as in Go', () => {
    for (const ProtocolVersion of [0, 1, 4, -1, 2n ** 60n]) {
      expect(() => requestFromWire(body({ ProtocolVersion }))).to.throw(
        RefusedError,
        'operation not supported with current protocol version',
      );
      const bare = requestToWire(heartbeat);
      Object.assign(bare.body, { ProtocolVersion });
      expect(requestFromWire(bare)).to.include({ isHeartbeat: true });
    }
    expect(requestFromWire(body({ ProtocolVersion: 2 })).kind).to.equal('append');
  });

  it('snapshots without an end, or of another version', () => {
    const install = requestToWire(requests[6]!);
    Object.assign(install.body, { SnapshotVersion: 7 });
    expect(() => requestFromWire(install)).to.throw(RefusedError, 'unsupported snapshot version 7');
    Object.assign(install.body, { SnapshotVersion: 1, Size: -1 });
    expect(() => requestFromWire(install)).to.throw(WireError);
  });

  it('answers that are an error', () => {
    const answer = { kind: 'preVote', error: 'unexpected command', body: null } as const;
    expect(() => responseFromWire(answer)).to.throw(RefusedError, 'unexpected command');
    expect(isUnknownCommand(answer)).to.equal(true);
    expect(isUnknownCommand({ ...answer, kind: 'vote' })).to.equal(false);
  });
});

describe('peers of another make', () => {
  it('an address comes from Leader or Candidate when the header has none', () => {
    const wire = requestToWire(requests[3]!, { isLegacy: true });
    expect(requestFromWire(wire)).to.deep.include({
      from: { id: undefined, address: '10.0.0.1:7001' },
    });
  });

  it('missing fields are zero and unknown ones passed over, whatever they hold', () => {
    // {Term: 7, ProtocolVersion: 3, x: {a: [1.5, nil, ext]}} with a map16 header, unsorted
    const hex =
      '00de0003a45465726d07af50726f746f636f6c56657273696f6e03a178' +
      '81a16193cb3ff8000000000000c0d40500';
    expect(requestFromWire(decodeRequest(Buffer.from(hex, 'hex')))).to.deep.include({
      term: 7,
      prevIndex: 0,
      entries: [],
    });
  });

  it('a staging server is a learner', () => {
    const bytes = Buffer.from(encodeConfiguration(configuration));
    bytes[bytes.length - 1] = 2;
    expect(decodeConfiguration(bytes)).to.deep.equal(configuration);
    bytes[bytes.length - 1] = 3;
    expect(() => decodeConfiguration(bytes)).to.throw(WireError, 'suffrage');
    expect(() => decodeConfiguration(bytes.subarray(0, 20))).to.throw(WireError, 'cut short');
  });
});
