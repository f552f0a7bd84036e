import { expect } from 'chai';
import { createRing, usableOrigins } from './ring.ts';

const [a, b, c] = ['http://a', 'http://b', 'http://c'] as const;

describe('the ring of nodes', () => {
  it('begins with the node the page came from', () => {
    const ring = createRing(a);
    ring.learn([b, c]);
    expect(ring.inOrder()).to.deep.equal([a, b, c]);
  });

  it('goes on with the next one, and round', () => {
    const moves: string[] = [];
    const ring = createRing(a, (origin) => moves.push(origin));
    ring.learn([b, c]);
    for (const origin of [a, b, c]) ring.leave(origin);
    expect(moves).to.deep.equal([b, c, a]);
  });

  it('moves once, however many requests the node has failed', () => {
    const ring = createRing(a);
    ring.learn([b, c]);
    for (let i = 0; i < 5; i += 1) ring.leave(a);
    expect(ring.current()).to.equal(b);
  });

  it('stays where there is nobody else', () => {
    const ring = createRing(a);
    ring.leave(a);
    expect(ring.current()).to.equal(a);
  });

  it('goes home when its node is no member any more', () => {
    const ring = createRing(a);
    ring.learn([b]);
    ring.leave(a);
    ring.learn([c]);
    expect(ring.inOrder()).to.deep.equal([a, c]);
  });
});

describe('the origins a page may ask', () => {
  const nodes = [
    { addresses: ['192.168.1.10:8080', '[fd00::1]:8080', '10.0.0.10:8080'] },
    { addresses: ['192.168.1.11:8080'] },
    { addresses: ['127.0.0.1:9000'] },
  ];
  const page = { protocol: 'http:', hostname: '192.168.1.10', port: '8080' };
  for (const [name, from, wanted] of [
    ['leave out the page’s own node', page, ['http://192.168.1.11:8080', 'http://127.0.0.1:9000']],
    ['are none for a page that came by HTTPS', { ...page, protocol: 'https:' }, []],
    [
      'know their own node by another name for the same machine',
      { protocol: 'http:', hostname: 'localhost', port: '9000' },
      ['http://192.168.1.10:8080', 'http://10.0.0.10:8080', 'http://192.168.1.11:8080'],
    ],
    [
      'leave out what the policy of a page cannot name',
      { protocol: 'http:', hostname: '192.168.1.12', port: '8080' },
      [
        ...['http://192.168.1.10:8080', 'http://10.0.0.10:8080'],
        ...['http://192.168.1.11:8080', 'http://127.0.0.1:9000'],
      ],
    ],
  ] as const) {
    it(name, () => {
      expect(usableOrigins(nodes, from)).to.deep.equal(wanted);
    });
  }
});
