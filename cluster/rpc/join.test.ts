import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { checkLeaf, createRequest } from '../trust/certificates.ts';
import { createToken, formatProof, hashSecret, type Token } from '../trust/tokens.ts';
import { createKey } from '../trust/x509.ts';
import { CallError } from './errors.ts';
import { allOf, clusterId, createIssuer, errorOf, useRpc, type Issuer } from './harness.ts';
import { joinCluster } from './join.ts';
import type { JoinContext, TlsMaterial } from './types.ts';

const day = 86_400_000;

describe('joining', () => {
  const { server, client, tls } = useRpc();
  let ours: Issuer;
  let theirs: Issuer;
  let n2: TlsMaterial;
  let token: Token;

  before(async () => {
    [ours, theirs] = [await createIssuer(), await createIssuer()];
    n2 = await ours.issue('n2');
    token = createToken(ours.authority.fingerprint, randomBytes);
  });

  it('turns a token into a certificate, and a stranger into a member', async () => {
    const seen: JoinContext[] = [];
    const there = await server(n2, {
      join: async (input, context) => {
        seen.push(context);
        const { request, nodeId } = input as { request: string; nodeId: string };
        return { cert: await ours.authority.sign(request, { clusterId, nodeId }) };
      },
    });
    const key = await createKey();
    const input = { request: await createRequest(key, 'n5'), nodeId: 'n5' };
    const joined = await joinCluster({ address: there.address, token, input });
    expect(joined).to.include({ nodeId: 'n2', clusterId });
    const [context] = seen;
    expect(context).to.include({ tokenId: token.id, secretHash: hashSecret(token.secret) });
    expect(context!.formerly).to.be.undefined;
    const { cert } = joined.answer as { cert: string };
    const trusted = joined.authority;
    checkLeaf(cert, { trusted, clusterId, nodeId: 'n5', key, now: Date.now() });
    const here = client({ ca: trusted, cert, key }, { candidates: () => [there.address] });
    expect(await here.call('n2', 'echo', 'in')).to.equal('in');
  });

  it('says nothing to what is not of the cluster of the token', async () => {
    let heard = 0;
    const join = async () => (heard += 1);
    const impostor = await server(await theirs.issue('n2'), { join });
    const error = await errorOf(joinCluster({ address: impostor.address, token, input: {} }));
    expect(error).to.include({ code: 'wrong-authority', isExecuted: 'no' });
    expect(heard).to.equal(0);
    expect(impostor.stats().refused).to.deep.equal({});
  });

  it('says nothing to who shows the right authority without being of it', async () => {
    // The authority's certificate is no secret: anybody can append it to a chain.
    const false2 = await theirs.issue('n2');
    const [leaf = ''] = false2.cert.split(/(?<=-----END CERTIFICATE-----\n)/);
    let said = '';
    const impostor = createServer(
      { cert: `${leaf}${ours.authority.trusted}`, key: false2.key, minVersion: 'TLSv1.3' },
      (socket) => {
        socket.on('error', () => undefined).on('data', (data: Buffer) => (said += data.toString()));
      },
    ).listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    const address = `127.0.0.1:${(impostor.address() as AddressInfo).port}`;
    const error = await errorOf(joinCluster({ address, token, input: {} }));
    expect(error.isExecuted).to.equal('no');
    expect(['wrong-authority', 'unreachable']).to.include(error.code);
    expect(said).to.equal('');
    impostor.close();
  });

  it('is refused as the handler says, and without a token at all', async () => {
    const there = await server(n2, {
      join: () => {
        throw new CallError('token-expired', 'draw a new one');
      },
    });
    const error = await errorOf(joinCluster({ address: there.address, token, input: {} }));
    expect(error).to.include({ code: 'token-expired', message: 'draw a new one' });
    const socket = await tls(there.port, {});
    socket.write('POST /join HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}');
    expect(await allOf(socket))
      .to.contain('401')
      .and.contain('bad-token');
    const closed = await server(n2);
    const nobody = errorOf(joinCluster({ address: closed.address, token, input: {} }));
    expect((await nobody).code).to.equal('unknown-call');
  });

  it('cannot be held up by who comes in and says nothing', async () => {
    const there = await server(n2, { limits: { joinMs: 400, joins: 1 }, join: async () => 'in' });
    const head = `POST /join HTTP/1.1\r\nhost: a\r\nauthorization: ${formatProof(token)}\r\n`;
    const slow = await tls(there.port, {});
    slow.write(`${head}content-length: 2\r\n\r\n`);
    await allOf(slow);
    const { answer } = await joinCluster({ address: there.address, token, input: {} });
    expect(answer).to.equal('in');
  });

  const certificates: [string, () => Promise<TlsMaterial>, string | undefined][] = [
    ['one that has ended', () => ours.issue('n5', { shiftMs: -370 * day }), 'n5'],
    ['one that is good', () => ours.issue('n5'), 'n5'],
    ['one of another authority', () => theirs.issue('n5'), undefined],
    [
      'one of another authority that has ended',
      () => theirs.issue('n5', { shiftMs: -370 * day }),
      undefined,
    ],
    [
      'one of another cluster',
      () => ours.issue('n5', { clusterId: 'c2', shiftMs: -370 * day }),
      undefined,
    ],
  ];
  for (const [name, make, formerly] of certificates) {
    const whose = formerly ? 'knows again' : 'does not know';
    it(`${whose} who shows ${name}`, async () => {
      const there = await server(n2, { join: async (_, context) => context.formerly ?? null });
      const shown = await make();
      const options = { address: there.address, token, input: {}, shown };
      expect((await joinCluster(options)).answer).to.equal(formerly ?? null);
    });
  }

  it('says what is wrong with an address', async () => {
    const addresses: [string, RegExp][] = [
      ['nowhere', /no address/],
      ['127.0.0.1:1', /REFUSED/],
    ];
    for (const [address, why] of addresses) {
      const error = await errorOf(joinCluster({ address, token, input: {} }));
      expect(error).to.include({ code: 'unreachable', isExecuted: 'no' });
      expect(error.message).to.match(why);
    }
  });
});
