import { expect } from 'chai';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { chooseCoding, compress } from './encoding.ts';
import { networkOf } from './limits.ts';
import { redactUrl } from './redact.ts';
import { createRender, matchesTag } from './rendering.ts';
import { plainIp, requestId, splitUrl } from './exchange.ts';

const rows = <In, Out>(name: string, run: (input: In) => Out, table: [In, Out][]) =>
  describe(name, () => {
    for (const [input, output] of table) {
      it(`${JSON.stringify(input)} → ${JSON.stringify(output)}`, () => {
        expect(run(input)).to.deep.equal(output);
      });
    }
  });

rows('the coding of an answer', chooseCoding, [
  [undefined, undefined],
  ['', undefined],
  ['gzip', 'gzip'],
  ['gzip, deflate, br', 'br'],
  ['br;q=0.2, gzip;q=0.9', 'gzip'],
  ['br;q=0, gzip;q=0', undefined],
  ['*', 'br'],
  ['*;q=0', undefined],
  ['br;q=0, *', 'gzip'],
  ['identity', undefined],
  ['GZIP ; q=1.0', 'gzip'],
  ['x'.repeat(1000), undefined],
]);

rows('an address in a log', redactUrl, [
  ['/a?b=c', '/a?b=c'],
  ['/a?token=abc&x=1', '/a?token=…&x=1'],
  ['/a?x=1&api_key=abc', '/a?x=1&api_key=…'],
  ['/a?Token=abc#f', '/a?Token=…#f'],
]);

rows('the network of an address', networkOf, [
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
]);

rows('a client’s address', plainIp, [
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8::1', '2001:db8::1'],
  [undefined, 'unknown'],
]);

rows('a request target', splitUrl, [
  ['/a?b=c?d', { path: '/a', search: 'b=c?d' }],
  ['/', { path: '/', search: '' }],
  ['http://host:1/a?b', { path: '/a', search: 'b' }],
  ['http://host', { path: '/', search: '' }],
  ['*', { path: '*', search: '' }],
]);

rows('a request id', (given: string | undefined) => requestId(given, () => 'made'), [
  [undefined, 'made'],
  ['01890000-0000-7000-8000-000000000001', '01890000-0000-7000-8000-000000000001'],
  ['short', 'made'],
  ['x'.repeat(65), 'made'],
  ['with space in it', 'made'],
  ['with"quotes"in', 'made'],
]);

describe('rendering', () => {
  it('compresses to what it was', async () => {
    const bytes = Buffer.from('text '.repeat(1000));
    expect(gunzipSync(await compress(bytes, 'gzip')).equals(bytes)).to.equal(true);
    expect(brotliDecompressSync(await compress(bytes, 'br')).equals(bytes)).to.equal(true);
  });

  it('renders a frozen body once, any other each time', () => {
    const render = createRender();
    const frozen = Object.freeze({ a: 1 });
    expect(render(frozen)).to.equal(render(frozen));
    const changing = { a: 1 };
    const first = render(changing).etag();
    changing.a = 2;
    expect(render(changing).etag()).not.to.equal(first);
  });

  it('compares tags weakly', () => {
    const tag = 'W/"abc"';
    for (const yes of ['W/"abc"', '"abc"', '"x", W/"abc"', '*']) {
      expect(matchesTag(yes, tag), yes).to.equal(true);
    }
    for (const no of [undefined, '', 'abc', '"ab"', 'W/"abcd"']) {
      expect(matchesTag(no, tag), no).to.equal(false);
    }
  });
});
