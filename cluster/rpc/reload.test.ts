import { expect } from 'chai';
import { createIssuer, errorOf, until, useRpc, type Issuer } from './harness.ts';
import type { RpcServerOptions, TlsMaterial } from './types.ts';

describe('connections between nodes, when certificates change,', () => {
  const { server, client } = useRpc();
  let theirs: Issuer;
  let n1: TlsMaterial;
  let n2: TlsMaterial;

  before(async () => {
    const ours = await createIssuer();
    theirs = await createIssuer();
    [n1, n2] = [await ours.issue('n1'), await ours.issue('n2')];
  });

  /** n2 answers, n1 asks. */
  async function pair(options: Partial<RpcServerOptions> = {}) {
    const there = await server(n2, options);
    const here = client(n1, { candidates: () => [there.address] });
    return { there, here };
  }

  it('show and expect the new ones on new connections', async () => {
    let there2 = n2;
    let here1 = n1;
    const there = await server(n2, { tls: () => there2 });
    const here = client(n1, { tls: () => here1, candidates: () => [there.address] });
    expect(await here.call('n2', 'echo', 1)).to.equal(1);
    // Everybody trusts both, then everybody shows the new one, then the old one goes.
    const both = `${n1.ca}${theirs.authority.trusted}`;
    const [new1, new2] = [await theirs.issue('n1'), await theirs.issue('n2')];
    const steps: [TlsMaterial, TlsMaterial][] = [
      [{ ...n1, ca: both }, n2],
      [
        { ...n1, ca: both },
        { ...n2, ca: both },
      ],
      [
        { ...n1, ca: both },
        { ...new2, ca: both },
      ],
      [
        { ...new1, ca: both },
        { ...new2, ca: both },
      ],
      [new1, new2],
    ];
    let dials = here.stats().dials;
    for (const [index, [one, two]] of steps.entries()) {
      [here1, there2] = [one, two];
      there.reloadTls();
      here.reloadTls();
      expect(await here.call('n2', 'echo', index)).to.equal(index);
      expect(here.stats().dials).to.be.greaterThan(dials);
      dials = here.stats().dials;
    }
    here1 = n1;
    here.reloadTls();
    expect((await errorOf(here.call('n2', 'echo', 1))).code).to.equal('unreachable');
  });

  it('let what is under way end on the old ones', async () => {
    const gate = Promise.withResolvers<string>();
    const { here, there } = await pair({ calls: { slow: () => gate.promise } });
    const calling = here.call('n2', 'slow');
    await until(() => there.stats().calls === 1);
    there.reloadTls();
    here.reloadTls();
    gate.resolve('done');
    expect(await calling).to.equal('done');
    await until(() => there.stats().members === 0);
  });

  it('end busy connections with their answer, so that nobody stays on an old one', async () => {
    const gate = Promise.withResolvers<string>();
    const { here, there } = await pair({
      tls: () => ({ ...n2 }),
      calls: { slow: () => gate.promise },
    });
    const calling = here.call('n2', 'slow');
    await until(() => there.stats().calls === 1);
    there.reloadTls();
    gate.resolve('done');
    expect(await calling).to.equal('done');
    await until(() => there.stats().members === 0 && here.stats().idle === 0);
    expect(await here.call('n2', 'slow')).to.equal('done');
    expect(here.stats()).to.include({ idle: 1, dials: 2 });
  });

  it('keep the old ones when the new are no good', async () => {
    let material: TlsMaterial = n2;
    const there = await server(n2, { tls: () => material });
    const here = client(n1, { candidates: () => [there.address] });
    material = { ...n2, key: n1.key };
    expect(() => there.reloadTls()).to.throw();
    expect(await here.call('n2', 'echo', 1)).to.equal(1);
  });
});
