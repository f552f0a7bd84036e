import { expect } from 'chai';
import fc from 'fast-check';
import type { Event, EventListener } from '#services/events.ts';
import { quiet } from '#test/log.ts';
import { createEventRing, type RingOptions } from './ring.ts';
import { exampleEvents, exampleLog } from './examples.ts';

/** A ring, what feeds it, and an ear. */
function ringOf(options: RingOptions = {}) {
  const source = exampleLog();
  const ring = createEventRing({ source, log: quiet }, options);
  const heard: string[] = [];
  const listener: EventListener = {
    tell: ({ id }) => void heard.push(id),
    lost: () => void heard.push('lost'),
  };
  return { source, ring, heard, listener };
}
const idsOf = (events: readonly Event[] | undefined) => events?.map(({ id }) => id);

describe('event ring', () => {
  const rows: [string, string | undefined, string[] | undefined][] = [
    ['without an id', undefined, []],
    ['after an event', '2-1', ['2-2', '4-1']],
    ['after the last of an entry', '2-2', ['4-1']],
    ['between entries', '3-0', ['4-1']],
    ['at the end', '5-0', []],
    ['after the newest event', '4-1', []],
    ['where only what is forgotten was before', '1-1', ['2-1', '2-2', '4-1']],
    ['before what is forgotten', '1-0', undefined],
    ['from nowhere', '0-0', undefined],
    ['ahead of this node', '9-3', []],
    ['out of reach', '900000-0', undefined],
    ['with an id of a version before', '8589934593', undefined],
    ['with nonsense', 'x', undefined],
  ];
  for (const [what, since, missed] of rows) {
    it(`resumes ${what}`, () => {
      const { source, ring, listener } = ringOf({ capacity: 3 });
      source.tell(1, 1);
      source.tell(2, 2);
      source.apply(3);
      source.tell(4, 1);
      expect(idsOf(ring.subscribe(listener, since).missed)).to.deep.equal(missed);
    });
  }

  it('tells those who listen, in order, until they leave', () => {
    const { source, ring, heard, listener } = ringOf();
    source.tell(1, 1);
    const subscription = ring.subscribe(listener);
    expect(subscription.position()).to.equal('2-0');
    source.tell(2, 2);
    source.apply(3);
    expect(subscription.position()).to.equal('4-0');
    subscription.unsubscribe();
    source.tell(4, 1);
    expect(heard).to.deep.equal(['2-1', '2-2']);
    expect(ring.stats()).to.include({ held: 4, listeners: 0, told: 4 });
  });

  it('waits for itself with who is ahead of it, and says where that one is', () => {
    const { source, ring, heard, listener } = ringOf();
    const subscription = ring.subscribe(listener, '3-1');
    expect(subscription).to.deep.include({ missed: [] });
    source.tell(2, 2);
    expect(subscription.position()).to.equal('3-1');
    source.tell(3, 3);
    expect(heard).to.deep.equal(['3-2', '3-3']);
    expect(subscription.position()).to.equal('4-0');
  });

  it('says at once to whom a snapshot has made a gap, and to nobody else', () => {
    const { source, ring, heard, listener } = ringOf();
    source.tell(1, 1);
    const ahead: string[] = [];
    ring.subscribe(listener);
    ring.subscribe({ tell: ({ id }) => ahead.push(id), lost: () => ahead.push('lost') }, '9-0');
    source.restore(7);
    source.tell(8, 1);
    source.tell(9, 1);
    expect(heard).to.deep.equal(['lost', '8-1', '9-1']);
    expect(ahead).to.deep.equal(['9-1']);
    const since = (id: string) => idsOf(ring.subscribe(listener, id).missed);
    // Whether entry 7 had more events than one, nobody here knows.
    expect([since('7-1'), since('8-0')]).to.deep.equal([undefined, ['8-1', '9-1']]);
  });

  it('has no place for what is told on this node alone', () => {
    const { source, ring, listener } = ringOf();
    source.isShared = () => false;
    source.tell(1, 0);
    const here: Event[] = [];
    const subscription = ring.subscribe({ ...listener, tell: (event) => void here.push(event) });
    const { userId, sessionId } = { userId: 'u', sessionId: 's' };
    const payload = { userId, sessionId };
    ring.tellHere({ at: 5, name: 'session.revoked', audience: { userId }, payload });
    const audience = { userId };
    const event = { id: '0-0', index: 1, at: 5, name: 'session.revoked', audience, payload };
    expect(here).to.deep.equal([event]);
    expect(subscription.position()).to.equal('0-0');
    expect(ring.subscribe(listener, '0-0').missed).to.equal(undefined);
  });

  it('goes on when a listener fails, and when an event cannot be read', () => {
    const { source, ring, heard, listener } = ringOf();
    const fails = () => {
      throw new Error('x');
    };
    ring.subscribe({ tell: fails, lost: fails });
    ring.subscribe(listener);
    const [text = ''] = exampleEvents(1);
    const unknown = JSON.stringify({ ...JSON.parse(text), audience: { planet: 'Mars' } });
    source.say(1, [text, 'nonsense', unknown, text]);
    source.restore(5);
    expect(heard).to.deep.equal(['1-1', '1-4', 'lost']);
  });

  it('holds no more bytes than it may', () => {
    const { source, ring } = ringOf({ bytesMax: 5_000 });
    for (let index = 1; index <= 1_000; index += 1) source.tell(index, 1);
    expect(ring.stats().bytes).to.be.within(4_000, 5_000);
    expect(ring.stats().held).to.be.within(5, 15);
  });
});

type Step =
  | { type: 'append'; counts: number[] }
  | { type: 'advance'; node: number; by: number }
  | { type: 'install'; node: number; by: number }
  | { type: 'restart'; node: number; back: number }
  | { type: 'connect'; node: number; forget: number };

const node = fc.nat(1);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constant('append' as const),
    counts: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({ type: fc.constant('advance' as const), node, by: fc.nat(6) }),
  fc.record({ type: fc.constant('install' as const), node, by: fc.nat(4) }),
  fc.record({ type: fc.constant('restart' as const), node, back: fc.nat(4) }),
  fc.record({ type: fc.constant('connect' as const), node, forget: fc.nat(3) }),
);

/**
 * Two nodes behind one log, and a client that goes from one to the other with the last id that
 * reached it, which need not be the last that was sent. It checks each event as it comes.
 */
function worldOf(capacity: number) {
  const log: number[] = [];
  const nodes = [0, 1].map(() => startNode(0));
  let client: { node: number; unsubscribe(): void } | undefined;
  /** Ids as they came, since the beginning or the last reset. */
  let seen: string[] = [];
  let resets = 0;

  function startNode(snapshot: number) {
    const source = exampleLog();
    const ring = createEventRing({ source, log: quiet }, { capacity });
    if (snapshot > 0) source.restore(snapshot);
    return { source, ring, base: snapshot };
  }
  const all = () =>
    log.flatMap((count, at) => Array.from({ length: count }, (_, n) => `${at + 1}-${n + 1}`));
  const countUntil = (index: number) => log.slice(0, index).reduce((sum, each) => sum + each, 0);
  let next = 0;
  const tell = (id: string) => {
    expect(id, 'neither a gap nor twice').to.equal(all()[next]);
    next += 1;
    seen.push(id);
  };
  const begin = (at: number, position: string) => {
    next = countUntil(nodes[at]!.source.index());
    seen = [position];
  };
  const advance = (at: number, by: number) => {
    const { source } = nodes[at]!;
    const end = Math.min(log.length, source.index() + by);
    for (let index = source.index() + 1; index <= end; index += 1) {
      source.tell(index, log[index - 1]!);
    }
  };
  const connect = (at: number, forget: number) => {
    client?.unsubscribe();
    const { ring, source, base } = nodes[at]!;
    const isFirst = seen.length === 0;
    // What was under way when the line broke never came.
    const lost = Math.min(forget, Math.max(0, seen.length - 1));
    if (lost > 0) [seen, next] = [seen.slice(0, -lost), next - lost];
    const since = seen.at(-1);
    const lose = () => {
      resets += 1;
      begin(at, subscription.position());
    };
    const listener: EventListener = { tell: ({ id }) => tell(id), lost: lose };
    const held = Math.min(capacity, countUntil(source.index()) - countUntil(base));
    const subscription = ring.subscribe(listener, since);
    client = { node: at, unsubscribe: subscription.unsubscribe };
    if (isFirst) return begin(at, subscription.position());
    if (!subscription.missed) {
      const isBeforeSnapshot = Number.parseInt(since!, 10) <= base;
      const isForgotten = countUntil(source.index()) - next > held;
      expect(isBeforeSnapshot || isForgotten, 'no reset without need').to.equal(true);
      return lose();
    }
    for (const { id } of subscription.missed) tell(id);
    return undefined;
  };
  const run: { [T in Step['type']]: (given: Extract<Step, { type: T }>) => void } = {
    append: ({ counts }) => void log.push(...counts),
    advance: (given) => advance(given.node, given.by),
    install({ node: at, by }) {
      const { source } = nodes[at]!;
      const index = Math.min(log.length, source.index() + by);
      if (index === source.index()) return;
      nodes[at]!.base = index;
      source.restore(index);
    },
    restart({ node: at, back }) {
      const reached = nodes[at]!.source.index();
      const isClients = client?.node === at;
      nodes[at] = startNode(Math.max(0, reached - back));
      advance(at, back);
      if (isClients) connect(1 - at, 0);
    },
    connect: (given) => connect(given.node, given.forget),
  };
  return {
    run: (given: Step) => run[given.type](given as never),
    finish() {
      if (!client) return 0;
      advance(client.node, log.length);
      expect(next, 'all of them, to the last').to.equal(all().length);
      return resets;
    },
  };
}

describe('a client of two nodes', () => {
  for (const capacity of [2, 1_000]) {
    it(`gets exactly what it missed, or is told so, of nodes that hold ${capacity}`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const world = worldOf(capacity);
          world.run({ type: 'connect', node: 0, forget: 0 });
          for (const each of steps) world.run(each);
          world.finish();
        }),
        { numRuns: 500 },
      );
    });
  }

  it('is never reset by nodes that hold everything', () => {
    const harmless = step.filter(({ type }) => type !== 'install' && type !== 'restart');
    fc.assert(
      fc.property(fc.array(harmless, { maxLength: 40 }), (steps) => {
        const world = worldOf(1_000);
        world.run({ type: 'connect', node: 0, forget: 0 });
        for (const each of steps) world.run(each);
        expect(world.finish()).to.equal(0);
      }),
      { numRuns: 300 },
    );
  });
});
