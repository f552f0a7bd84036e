import { expect } from 'chai';
import { install } from '#test/fixtures/raft/transports.ts';
import type { InstallRequest } from '../core/types.ts';
import { RefusedError, requestFromWire, requestToWire, responseToWire } from './convert.ts';
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from './messages.ts';
import type { WireRequest } from './messages.ts';
import {
  keptFromWire,
  keptToWire,
  questionToWire,
  restToWire,
  resumedFromWire,
  resumedToWire,
} from './resume.ts';

const request = install(1000) as InstallRequest;
const rest = { from: 600, size: 1000, crc: 0xfedcba98 };
const self = { id: 'n2', address: '127.0.0.1:2' };
const carried = (wire: WireRequest) => decodeRequest(Buffer.concat(encodeRequest(wire)));

describe('a snapshot that goes on, on the wire', () => {
  it('is asked for and sent in two requests of one install', () => {
    expect(resumedFromWire(carried(questionToWire(request, rest.crc)))).to.deep.equal({
      ...{ request, isQuestion: true },
      rest: { ...rest, from: 0 },
    });
    const wire = carried(restToWire(request, rest));
    expect(wire.body).to.include({ Size: 400 });
    expect(resumedFromWire(wire)).to.deep.equal({ request, rest, isQuestion: false });
    expect(resumedFromWire(carried(requestToWire(request)))).to.equal(undefined);
  });

  it('is refused by whoever knows hashicorp’s versions alone', () => {
    for (const wire of [questionToWire(request, 1), restToWire(request, rest)]) {
      expect(() => requestFromWire(carried(wire))).to.throw(RefusedError, 'unsupported snapshot');
    }
  });

  const { body } = restToWire(request, rest);
  const odd: [string, object][] = [
    ['more bytes than are missing', { Size: 401 }],
    ['a beginning behind the end', { RevengeFrom: 1001, Size: 0 }],
    ['no size of the whole', { RevengeSize: undefined }],
    ['no checksum', { RevengeCrc: undefined }],
    ['a kind from the future', { Revenge: 3 }],
    ['no kind', { Revenge: undefined }],
  ];
  for (const [what, change] of odd) {
    it(`with ${what} is refused`, () => {
      const wire = carried({ kind: 'install', body: { ...body, ...change } });
      expect(() => resumedFromWire(wire)).to.throw(RefusedError);
    });
  }

  it('has answers that say who gives them, and how much is kept', () => {
    const kept = decodeResponse('install', encodeResponse(keptToWire(600, self)));
    expect(keptFromWire(kept, 1000)).to.equal(600);
    expect(keptFromWire(kept, 599)).to.equal(undefined);
    const done = resumedToWire({ kind: 'install', term: 7, isSuccess: true }, self);
    expect(done.body).to.include({ Success: true, Term: 7 });
    expect(Buffer.from(done.body?.ID ?? []).toString()).to.equal('n2');
    const plain = responseToWire({ kind: 'install', term: 7, isSuccess: false }, self);
    expect(keptFromWire(plain, 1000)).to.equal(undefined);
    const words = { kind: 'install' as const, error: 'unsupported snapshot version', body: null };
    expect(keptFromWire(words, 1000)).to.equal(undefined);
  });
});
