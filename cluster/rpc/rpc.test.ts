import { expect } from 'chai';
import { once } from 'node:events';
import { CallError } from './errors.ts';
import { allOf, createIssuer, errorOf, selfSigned, until } from './harness.ts';
import { useRpc, type Issuer } from './harness.ts';
import type { RpcServerOptions, TlsMaterial } from './types.ts';

const day = 86_400_000;
const never = () => new Promise<never>(() => {});

describe('calls between nodes', () => {
  const { server, client, silent, tcp, tls, logged } = useRpc();
  let ours: Issuer;
  let theirs: Issuer;
  let n1: TlsMaterial;
  let n2: TlsMaterial;

  before(async () => {
    [ours, theirs] = [await createIssuer(), await createIssuer()];
    [n1, n2] = [await ours.issue('n1'), await ours.issue('n2')];
  });

  /** n2 answers, n1 asks. */
  async function pair(options: Partial<RpcServerOptions> = {}) {
    const there = await server(n2, options);
    const here = client(n1, { candidates: () => [there.address] });
    return { there, here };
  }

  it('carry JSON there and back, over connections that are kept', async () => {
    const { here, there } = await pair();
    for (const input of [1, null, 'é', [], { a: { b: [true] } }]) {
      expect(await here.call('n2', 'echo', input)).to.deep.equal(input);
    }
    expect(await here.call('n2', 'echo')).to.equal(null);
    expect(here.stats()).to.deep.equal({ calls: 0, streams: 0, idle: 1, dials: 1 });
    expect(there.stats()).to.include({ members: 1, strangers: 0, calls: 0, answered: 6 });
    await Promise.all(Array.from({ length: 500 }, (_, i) => here.call('n2', 'echo', i)));
    expect(here.stats().dials).to.be.lessThan(40);
  });

  it('say who calls, and until when', async () => {
    const { here } = await pair({
      now: () => 1_000_000,
      calls: { who: async (_, { from, deadline }) => ({ from, deadline }) },
    });
    const answer = (await here.call('n2', 'who', {}, { timeoutMs: 5_000 })) as {
      from: string;
      deadline: number;
    };
    expect(answer.from).to.equal('n1');
    expect(answer.deadline).to.be.within(1_000_001, 1_005_000);
  });

  it('pass on what a handler refuses, and keep to themselves why one failed', async () => {
    const { here } = await pair({
      calls: {
        refuse: () => {
          throw new CallError('not-leader', 'ask n3', { isRetryable: true });
        },
        half: async () => {
          throw new CallError('torn', 'half done', { isExecuted: 'unknown' });
        },
        fail: async () => {
          throw new Error('secret of the inside');
        },
      },
    });
    const facts = async (name: string) => {
      const { code, message, isRetryable, isExecuted } = await errorOf(here.call('n2', name));
      return [code, message, isRetryable, isExecuted];
    };
    expect(await facts('refuse')).to.deep.equal(['not-leader', 'ask n3', true, 'no']);
    expect(await facts('half')).to.deep.equal(['torn', 'half done', false, 'unknown']);
    const failed = await facts('fail');
    expect(failed).to.deep.include.members(['internal', 'unknown']);
    expect(failed.join()).to.not.contain('secret');
    expect(logged.join()).to.contain('secret of the inside');
    for (const name of ['none', 'toString', '__proto__', '../join', '']) {
      expect((await facts(name))[0], name).to.equal('unknown-call');
    }
  });

  it('are tried at the next address when another node, or nobody, lives at the first', async () => {
    const nobody = `127.0.0.1:${await silent()}`;
    const other = await server(await ours.issue('n3'));
    const foreign = await server(await ours.issue('n2', { clusterId: 'c2' }));
    const false2 = await server(await theirs.issue('n2'));
    const ended = await server(await ours.issue('n2', { shiftMs: -370 * day }));
    const early = await server(await ours.issue('n2', { shiftMs: 10 * day }));
    const there = await server(n2);
    const wrong = [nobody, other, foreign, false2, ended, early].map((each) =>
      typeof each === 'string' ? each : each.address,
    );
    let addresses = ['no address', '127.0.0.1:1', ...wrong, there.address];
    const here = client(n1, { candidates: () => addresses, connectMs: 700 });
    expect(await here.call('n2', 'echo', 1)).to.equal(1);
    for (const each of [other, foreign, false2]) expect(each.stats().answered).to.equal(0);
    addresses = ['no address', '127.0.0.1:1', ...wrong];
    const lost = client(n1, { candidates: () => addresses, connectMs: 700 });
    const error = await errorOf(lost.call('n2', 'echo', 1));
    expect(error).to.include({ code: 'unreachable', isExecuted: 'no', isRetryable: true });
    const reasons = [
      'no address',
      'REFUSED',
      'within 700',
      'n3 answers',
      'cluster c2',
      'another authority',
      'has ended',
      'not valid yet',
    ];
    for (const reason of reasons) expect(error.message).to.contain(reason);
    expect((await errorOf(here.call('n4', 'echo'))).code).to.equal('unreachable');
  });

  it('find a node again that has moved', async () => {
    const first = await server(n2);
    let address = first.address;
    const here = client(n1, { candidates: () => [address] });
    expect(await here.call('n2', 'echo', 1)).to.equal(1);
    await first.close();
    await until(() => here.stats().idle === 0);
    address = (await server(n2)).address;
    expect(await here.call('n2', 'echo', 2)).to.equal(2);
  });

  describe('are for members', () => {
    const notMembers: [string, () => Promise<TlsMaterial>, RegExp][] = [
      ['another authority', async () => ({ ...(await theirs.issue('n1')), ca: n1.ca }), /another/],
      ['another cluster', () => ours.issue('n1', { clusterId: 'c2' }), /c2/],
      ['one that has ended', () => ours.issue('n1', { shiftMs: -370 * day }), /ended/],
      ['one that begins later', () => ours.issue('n1', { shiftMs: 10 * day }), /begins/],
      ['a member that was removed', () => ours.issue('n9'), /n9 is no member/],
    ];
    for (const [name, material, why] of notMembers) {
      it(`and refused to a certificate of ${name}`, async () => {
        const there = await server(n2, { isMember: (id) => id !== 'n9' });
        const stranger = client(await material(), { candidates: () => [there.address] });
        const error = await errorOf(stranger.call('n2', 'echo', 1));
        expect(error).to.include({ code: 'not-member', isExecuted: 'no' });
        expect(error.message).to.match(why);
        expect(there.stats()).to.deep.include({ answered: 0, refused: { 'not-member': 1 } });
      });
    }

    it('and refused without a certificate', async () => {
      const { there } = await pair();
      const socket = await tls(there.port, {});
      socket.write('POST /rpc/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n1');
      expect(await allOf(socket))
        .to.contain('403')
        .and.contain('no certificate was shown');
    });

    it('and refused to what does not speak TLS 1.3', async () => {
      const { there, here } = await pair();
      const plain = tcp(there.port);
      plain.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      expect(await allOf(plain)).to.not.contain('HTTP');
      const old = tls(there.port, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', ...n1 });
      const error: unknown = await old.catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(Error);
      const garbage = tcp(there.port);
      garbage.write(Buffer.alloc(1000, 7));
      await allOf(garbage);
      const nonsense = await tls(there.port, n1);
      nonsense.write('\0\0 nonsense\r\n\r\n');
      await allOf(nonsense);
      expect(await here.call('n2', 'echo', 'still there')).to.equal('still there');
    });

    it('and refused to whatever a stranger makes for itself', async () => {
      const { there, here } = await pair();
      for (const shown of await selfSigned('n1')) {
        const stranger = await tls(there.port, shown);
        stranger.write('POST /rpc/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n1');
        expect(await allOf(stranger))
          .to.contain('403')
          .and.contain('another authority');
      }
      expect(await here.call('n2', 'echo', 1)).to.equal(1);
    });

    it('as soon as they are members, and no longer', async () => {
      let members = ['n2'];
      const { here, there } = await pair({ isMember: (id) => members.includes(id) });
      expect(await errorOf(here.call('n2', 'echo', 1))).to.include({
        code: 'not-member',
        isRetryable: true,
      });
      members = ['n1', 'n2'];
      expect(await here.call('n2', 'echo', 1)).to.equal(1);
      expect(there.stats()).to.include({ members: 1 });
      members = ['n2'];
      expect((await errorOf(here.call('n2', 'echo', 1))).code).to.equal('not-member');
    });

    it('and one that was removed is told so, for good', async () => {
      const { here } = await pair({ isMember: () => false, isRemoved: (id) => id === 'n1' });
      expect(await errorOf(here.call('n2', 'echo', 1))).to.include({
        ...{ code: 'removed', isRetryable: false, isExecuted: 'no' },
      });
    });

    it('whose certificate was checked on this very connection: no session is resumed', async () => {
      const { there } = await pair();
      const first = await tls(there.port, n1);
      const sessions: Buffer[] = [];
      first.on('session', (session: Buffer) => sessions.push(session));
      first.write('POST /rpc/echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n1');
      await once(first, 'data');
      const session = sessions.at(-1);
      const again = await tls(there.port, { ...n1, ...(session && { session }) });
      expect(again.isSessionReused()).to.be.false;
    });
  });

  describe('end', () => {
    it('at their deadline, and the handler hears it', async () => {
      let aborted = false;
      const { here, there } = await pair({
        calls: {
          slow: async (_, { signal }) => {
            signal.addEventListener('abort', () => (aborted = true));
            await once(signal, 'abort');
          },
        },
      });
      await errorOf(here.call('n2', 'none')); // there is a connection now
      const error = await errorOf(here.call('n2', 'slow', {}, { timeoutMs: 100 }));
      expect(error).to.include({ code: 'deadline', isExecuted: 'unknown' });
      await until(() => aborted && there.stats().calls === 0);
    });

    it('before they were sent, when no connection is made in time', async () => {
      const there = await server(n2);
      const nobody = `127.0.0.1:${await silent()}`;
      const candidates = () => [nobody, there.address];
      const here = client(n1, { candidates, connectMs: 500 });
      const error = await errorOf(here.call('n2', 'echo', 1, { timeoutMs: 20 }));
      expect(error).to.include({ code: 'deadline', isExecuted: 'no' });
      // The connection that comes too late is kept for the next one.
      await until(() => here.stats().idle === 1);
      expect(await here.call('n2', 'echo', 1)).to.equal(1);
      expect(here.stats()).to.include({ calls: 0, dials: 1 });
      expect(there.stats()).to.include({ answered: 1 });
    });

    it('by the server too, when the caller goes on waiting', async () => {
      const { there } = await pair({ calls: { slow: never } });
      const socket = await tls(there.port, n1);
      const head = 'POST /rpc/slow HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n';
      socket.write(`${head}x-revenge-peer-deadline: 20\r\n\r\n1`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).to.contain('504').and.contain('"executed":"unknown"');
      const late = await tls(there.port, n1);
      late.write(`${head}x-revenge-peer-deadline: 20\r\nconnection: close\r\n\r\n`);
      expect(await allOf(late), 'its body never comes').to.contain('"executed":"no"');
    });

    it('when their caller is gone', async () => {
      const signals: AbortSignal[] = [];
      const slow = async (_: unknown, { signal }: { signal: AbortSignal }) => {
        signals.push(signal);
        await once(signal, 'abort');
      };
      const { here, there } = await pair({ calls: { slow } });
      const controller = new AbortController();
      const calling = errorOf(here.call('n2', 'slow', {}, { signal: controller.signal }));
      await until(() => signals.length === 1);
      controller.abort();
      expect(await calling).to.include({ code: 'aborted', isExecuted: 'unknown' });
      await until(() => signals[0]!.aborted && there.stats().calls === 0);
      const before = await errorOf(here.call('n2', 'slow', {}, { signal: controller.signal }));
      expect(before).to.include({ code: 'aborted', isExecuted: 'no' });
    });

    it('when the other node dies, and nobody knows what it has done', async () => {
      const { here, there } = await pair({ calls: { slow: never } });
      const calling = errorOf(here.call('n2', 'slow'));
      await until(() => there.stats().calls === 1);
      await there.close();
      expect(await calling).to.include({ code: 'broken', isExecuted: 'unknown' });
    });

    it('when this side closes', async () => {
      const { here, there } = await pair({ calls: { slow: never } });
      const calling = errorOf(here.call('n2', 'slow'));
      await until(() => there.stats().calls === 1);
      here.close();
      expect(await calling).to.include({ isExecuted: 'unknown' });
      expect(await errorOf(here.call('n2', 'slow'))).to.include({
        code: 'closing',
        isExecuted: 'no',
      });
    });

    it('well, if they do so soon after the server begins to close', async () => {
      const gate = Promise.withResolvers<string>();
      const { here, there } = await pair({
        calls: { slow: () => gate.promise, echo: async (x) => x },
        limits: { closeMs: 20_000 },
      });
      const calling = here.call('n2', 'slow');
      await until(() => there.stats().calls === 1);
      const closing = there.close();
      expect((await errorOf(here.call('n2', 'echo'))).isExecuted).to.equal('no');
      gate.resolve('done');
      expect(await calling).to.equal('done');
      await closing;
    });
  });

  describe('are limited', () => {
    it('in size, there', async () => {
      const { here, there } = await pair({ limits: { maxBodyBytes: 1000 } });
      const error = await errorOf(here.call('n2', 'echo', 'x'.repeat(2000)));
      expect(error).to.include({ code: 'too-large', isExecuted: 'no' });
      const socket = await tls(there.port, n1);
      socket.write('POST /rpc/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
      for (let i = 0; i < 20; i += 1) socket.write(`64\r\n${'1'.repeat(100)}\r\n`);
      expect(await allOf(socket)).to.contain('too-large');
      expect(await here.call('n2', 'echo', 1)).to.equal(1);
    });

    it('in size, here', async () => {
      const { here } = await pair({ calls: { big: async () => 'x'.repeat(5 * 1024 * 1024) } });
      const input = 'x'.repeat(5 * 1024 * 1024);
      const error = await errorOf(here.call('n2', 'big', input));
      expect(error).to.include({ code: 'too-large', isExecuted: 'no' });
      expect(await errorOf(here.call('n2', 'big'))).to.include({
        code: 'too-large',
        isExecuted: 'unknown',
      });
      const unlimited = await server(n2, {
        calls: { big: async () => 'x'.repeat(2000) },
      });
      const small = client(n1, { candidates: () => [unlimited.address], maxBodyBytes: 1000 });
      expect((await errorOf(small.call('n2', 'big'))).code).to.equal('too-large');
    });

    it('in what may run at once: one more is told that the node is busy', async () => {
      const gate = Promise.withResolvers<string>();
      const { here, there } = await pair({
        calls: { slow: () => gate.promise },
        limits: { callsPerPeer: 2 },
      });
      const other = client(await ours.issue('n3'), { candidates: () => [there.address] });
      const running = [here.call('n2', 'slow'), here.call('n2', 'slow')];
      await until(() => there.stats().calls === 2);
      expect(await errorOf(here.call('n2', 'slow'))).to.include({
        code: 'busy',
        isRetryable: true,
        isExecuted: 'no',
      });
      const fair = other.call('n2', 'slow');
      await until(() => there.stats().calls === 3);
      gate.resolve('done');
      expect(await Promise.all([...running, fair])).to.deep.equal(['done', 'done', 'done']);
    });

    it('in what is asked at once: the others wait, and may give up', async () => {
      const gate = Promise.withResolvers<string>();
      const there = await server(n2, { calls: { slow: () => gate.promise } });
      const here = client(n1, { candidates: () => [there.address], callsAtOnce: 1 });
      const first = here.call('n2', 'slow');
      await until(() => there.stats().calls === 1);
      const second = here.call('n2', 'slow');
      const controller = new AbortController();
      const third = errorOf(here.call('n2', 'slow', {}, { signal: controller.signal }));
      const fourth = errorOf(here.call('n2', 'slow', {}, { timeoutMs: 20 }));
      expect(await fourth).to.include({ code: 'deadline', isExecuted: 'no' });
      controller.abort();
      expect(await third).to.include({ code: 'aborted', isExecuted: 'no' });
      expect(there.stats().calls).to.equal(1);
      gate.resolve('done');
      expect(await Promise.all([first, second])).to.deep.equal(['done', 'done']);
      expect(here.stats()).to.include({ calls: 0, dials: 1 });
    });

    it('in how many connections a member may open', async () => {
      const { there } = await pair({ limits: { connectionsPerPeer: 2 } });
      for (let i = 0; i < 2; i += 1) await tls(there.port, n1);
      await until(() => there.stats().members === 2);
      const third = await tls(there.port, n1);
      await allOf(third);
      expect(there.stats()).to.include({ members: 2, strangers: 0 });
      expect(logged.join()).to.contain('too many connections');
    });
  });
});
