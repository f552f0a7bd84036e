import { expect } from 'chai';
import fc from 'fast-check';
import { decide, type Decision, type Wishes } from './range.ts';

const etag = '"size-time-inode"';
const modified = 'Wed, 21 Oct 2015 07:28:00 GMT';
const mtimeMs = Date.parse(modified) + 250;
const earlier = 'Wed, 21 Oct 2015 07:27:59 GMT';
const later = 'Wed, 21 Oct 2015 07:28:01 GMT';
const nowMs = mtimeMs + 3_600_000;

const ask = (headers: Wishes, options: { method?: string; sizeBytes?: number; at?: number } = {}) =>
  decide(
    { method: options.method ?? 'GET', headers, nowMs: options.at ?? nowMs },
    { sizeBytes: options.sizeBytes ?? 1_000, etag, mtimeMs },
  );

const whole: Decision = { status: 200 };
const none: Decision = { status: 416 };
const part = (start: number, end: number): Decision => ({ status: 206, start, end });

describe('ranges (RFC 9110 §14)', () => {
  const table: [range: string, decision: Decision, sizeBytes?: number][] = [
    ['bytes=0-499', part(0, 499)],
    ['bytes=500-999', part(500, 999)],
    ['bytes=-500', part(500, 999)],
    ['bytes=9500-', none],
    ['bytes=500-', part(500, 999)],
    ['bytes=0-0', part(0, 0)],
    ['bytes=999-999', part(999, 999)],
    ['bytes=-1', part(999, 999)],
    ['bytes=0-', part(0, 999)],
    ['bytes=0-5000', part(0, 999)],
    ['bytes=-5000', part(0, 999)],
    ['bytes=1000-', none],
    ['bytes=1000-1001', none],
    ['bytes=-0', none],
    ['bytes=99999999999999999999999-', none],
    ['bytes=0-99999999999999999999999', part(0, 999)],
    ['BYTES=0-1', part(0, 1)],
    ['bytes= 0-1 ', part(0, 1)],
    ['bytes =0-1', part(0, 1)],
    ['bytes=0-1,', part(0, 1)],
    // More than one: the whole, unless none of them can be met.
    ['bytes=0-0,-1', whole],
    ['bytes=0-1,5000-', whole],
    ['bytes=5000-,6000-', none],
    // Malformed: as if it were not there.
    ['bytes=5-2', whole],
    ['bytes=', whole],
    ['bytes=-', whole],
    ['bytes=a-b', whole],
    ['bytes=0x0-0x9', whole],
    ['bytes=1.5-2', whole],
    ['bytes=--1', whole],
    ['bytes=0-1,x', whole],
    ['bytes:0-1', whole],
    ['0-1', whole],
    ['', whole],
    ['items=0-1', whole],
    // Of an empty file.
    ['bytes=0-', none, 0],
    ['bytes=0-0', none, 0],
    ['bytes=-5', whole, 0],
  ];
  for (const [range, decision, sizeBytes] of table) {
    const size = sizeBytes === undefined ? '' : ` of ${sizeBytes} bytes`;
    it(`${JSON.stringify(range)}${size} → ${JSON.stringify(decision)}`, () => {
      expect(ask({ range }, sizeBytes === undefined ? {} : { sizeBytes })).to.deep.equal(decision);
    });
  }

  it('are for GET only', () => {
    expect(ask({ range: 'bytes=0-1' }, { method: 'HEAD' })).to.deep.equal(whole);
  });

  it('never lie outside of the file', () => {
    const limit = fc.oneof(fc.nat(), fc.constant(''));
    fc.assert(
      fc.property(limit, limit, fc.nat({ max: 5_000 }), (first, last, sizeBytes) => {
        const decision = ask({ range: `bytes=${first}-${last}` }, { sizeBytes });
        if (decision.status !== 206) return;
        expect(decision.start).to.be.within(0, sizeBytes - 1);
        expect(decision.end).to.be.within(decision.start, sizeBytes - 1);
      }),
    );
  });

  it('take any header without a fault', () => {
    fc.assert(
      fc.property(fc.string(), (range) => {
        expect(ask({ range }).status).to.be.oneOf([200, 206, 416]);
      }),
    );
  });
});

describe('preconditions (RFC 9110 §13)', () => {
  const range = 'bytes=0-1';
  const table: [name: string, headers: Wishes, decision: Decision][] = [
    ['the same tag: not modified', { 'if-none-match': etag }, { status: 304 }],
    ['the same tag, weak: not modified', { 'if-none-match': `W/${etag}` }, { status: 304 }],
    ['one of several tags', { 'if-none-match': `"a", ${etag}` }, { status: 304 }],
    ['any tag', { 'if-none-match': '*' }, { status: 304 }],
    ['another tag', { 'if-none-match': '"a"' }, whole],
    ['not modified goes before the range', { 'if-none-match': etag, range }, { status: 304 }],
    ['the same date', { 'if-modified-since': modified }, { status: 304 }],
    ['a later date', { 'if-modified-since': later }, { status: 304 }],
    ['an earlier date', { 'if-modified-since': earlier }, whole],
    ['no date at all', { 'if-modified-since': 'yesterday' }, whole],
    ['a tag makes the date void', { 'if-none-match': '"a"', 'if-modified-since': later }, whole],
    ['if-match holds', { 'if-match': etag }, whole],
    ['if-match with any', { 'if-match': '*' }, whole],
    ['if-match fails', { 'if-match': '"a"' }, { status: 412 }],
    ['if-match is strong', { 'if-match': `W/${etag}` }, { status: 412 }],
    ['not modified since then', { 'if-unmodified-since': modified }, whole],
    ['modified since then', { 'if-unmodified-since': earlier }, { status: 412 }],
    ['if-range holds', { range, 'if-range': etag }, part(0, 1)],
    ['if-range with another tag', { range, 'if-range': '"a"' }, whole],
    ['if-range is strong', { range, 'if-range': `W/${etag}` }, whole],
    ['if-range with the date', { range, 'if-range': modified }, part(0, 1)],
    ['if-range with a later date', { range, 'if-range': later }, whole],
    ['if-range with nonsense', { range, 'if-range': 'x' }, whole],
    ['if-range also stops 416', { range: 'bytes=5000-', 'if-range': '"a"' }, whole],
  ];
  for (const [name, headers, decision] of table) {
    it(name, () => expect(ask(headers)).to.deep.equal(decision));
  }

  it('take no date for strong that may still change within its second', () => {
    const headers = { range, 'if-range': modified };
    expect(ask(headers, { at: mtimeMs + 100 })).to.deep.equal(whole);
  });
});
