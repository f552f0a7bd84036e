import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { problem } from '#services/errors.ts';
import { authenticateByName, fixtureSpec, testApi, tokenFor } from '#test/http.ts';
import { quiet } from '#test/log.ts';
import { widgetHandlers } from '#test/fixtures/widgets.ts';
import { createApp } from './app.ts';
import { markHandedOn } from './handed-on.ts';
import type { HandedOn, LeaderPort, Seat } from './leader.ts';

const here: Seat = {
  async here(work) {
    await work();
    return true;
  },
};
/** Its office was lost before it had written anything. */
const lost: Seat = { here: async () => false };

interface Script {
  /** What looking for the leader finds, one after the other; the last one again and again. */
  readonly seats: readonly (Seat | undefined)[];
  readonly send?: LeaderPort['send'];
}

/** A leader's seat that follows a script, and what was handed to it. */
function scripted({ seats, send = async () => undefined }: Script) {
  const handed: HandedOn[] = [];
  let nth = 0;
  const port: LeaderPort = {
    find: async () => seats[Math.min(nth++, seats.length - 1)],
    send(leader, request) {
      handed.push(request);
      return send(leader, request);
    },
  };
  return { port, handed };
}

const answer = (status: number, body: object, index = 7) => ({
  status,
  headers: { 'content-type': 'application/json', 'x-revenge-index': String(index) },
  body: Readable.from([Buffer.from(JSON.stringify(body))]),
});

describe('what only the leader carries out', () => {
  async function post(script: Script, now?: () => number) {
    const { port, handed } = scripted(script);
    const waited: number[] = [];
    const clock = {
      applied: () => 3,
      waitFor: async (index: number) => waited.push(index) > 0,
    };
    const more = now ? { now } : {};
    await using api = await testApi({ handlers: widgetHandlers, leader: port, clock, ...more });
    const response = await api.fetch('/api/v1/widgets', {
      method: 'POST',
      token: 'widgets:write',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"w"}',
    });
    const body = (await response.json()) as { type?: string };
    return { status: response.status, body, handed, waited, headers: response.headers };
  }

  it('is carried out here when this node leads', async () => {
    const { status, handed } = await post({ seats: [here] });
    expect(status).to.equal(201);
    expect(handed).to.deep.equal([]);
  });

  it('is handed on whole, and answered once its index is applied here', async () => {
    const send = async () => answer(201, { id: 'there' });
    const { status, body, handed, waited, headers } = await post({
      seats: [{ leader: 'b' }],
      send,
    });
    expect({ status, body, waited }).to.deep.equal({
      status: 201,
      body: { id: 'there' },
      waited: [7],
    });
    expect(headers.get('x-revenge-index')).to.equal('7');
    const [request] = handed;
    expect(request).to.include({ method: 'POST', path: '/api/v1/widgets', isOperator: false });
    expect(request?.body.toString()).to.equal('{"name":"w"}');
    expect(request?.headers.authorization).to.match(/^Bearer /);
    expect(request?.headers['x-request-id']).to.be.a('string');
  });

  it('is carried out here after all when the other node does not lead', async () => {
    const { status, handed } = await post({ seats: [{ leader: 'b' }, { leader: 'c' }, here] });
    expect(status).to.equal(201);
    expect(handed).to.have.length(2);
  });

  it('goes to the next leader when the office was lost before anything was done', async () => {
    const send = async () => answer(201, { id: 'there' });
    const { status, handed } = await post({ seats: [lost, { leader: 'b' }], send });
    expect(status).to.equal(201);
    expect(handed[0]?.body.toString()).to.equal('{"name":"w"}');
  });

  it('is refused when nobody leads, with when to come again', async () => {
    const { status, body, headers } = await post({ seats: [undefined] });
    expect(status).to.equal(503);
    expect(body.type).to.equal('/problems/no-leader');
    expect(headers.get('retry-after')).to.equal('2');
  });

  it('is refused soon when the one that leads cannot be reached', async () => {
    let ms = 0;
    const send = async () => {
      ms += 1_500;
      return 'unreached' as const;
    };
    const script = { seats: [{ leader: 'b' }], send };
    const { status, body, handed } = await post(script, () => ms);
    expect(status).to.equal(503);
    expect(body.type).to.equal('/problems/no-leader');
    expect(handed).to.have.length(2);
  });

  it('goes to the next leader when the one that led cannot be reached', async () => {
    let sent = 0;
    const send = async () => (sent++ === 0 ? ('unreached' as const) : answer(201, { id: 'c' }));
    const { status } = await post({ seats: [{ leader: 'b' }, { leader: 'c' }], send });
    expect(status).to.equal(201);
  });

  it('says so when it may have happened', async () => {
    const send = () => Promise.reject(problem('outcome-unknown', 'lost'));
    const { status, body } = await post({ seats: [{ leader: 'b' }], send });
    expect(status).to.equal(503);
    expect(body.type).to.equal('/problems/outcome-unknown');
  });

  it('is not handed on a second time', async () => {
    const { port, handed } = scripted({ seats: [{ leader: 'c' }] });
    const app = createApp({
      ...{ spec: fixtureSpec(), handlers: widgetHandlers, authenticate: authenticateByName },
      ...{ log: quiet, leader: port, clock: { applied: () => 0, waitFor: async () => true } },
    });
    const server = createServer((req, res) => {
      markHandedOn(req, { nodeId: 'a', ip: '192.0.2.9' });
      app.express(req, res);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port: at } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${at}/api/v1/widgets`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${tokenFor('widgets:write')}`,
      },
      body: '{"name":"w"}',
    });
    expect(response.status).to.equal(421);
    expect(handed).to.deep.equal([]);
    await new Promise((resolve) => server.close(resolve));
    await app[Symbol.asyncDispose]();
  });
});
