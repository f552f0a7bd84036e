import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { noteOpen } from '../open.ts';
import { ask } from './ask.ts';
import { allVote, found, leaderOf, observerOf, signIn, until } from './cluster.ts';
import { follow, type Follower, type Heard } from './follow.ts';
import { layOut } from './layout.ts';
import type { LabNode } from './node.ts';
import { openRun } from './sweep.ts';

const password = 'a password for the lab';
const patienceMs = 90_000;
const wanted = 'library.changed';

describe('live events of three nodes', function () {
  this.timeout(240_000);
  let stack: AsyncDisposableStack;
  let nodes: readonly LabNode[];
  let token: string;
  let libraryId: string;
  const observer = observerOf(() => token);
  const urlOf = ({ url }: LabNode) => url;

  before(async () => {
    stack = new AsyncDisposableStack();
    stack.defer(noteOpen('the cluster of the events test'));
    const run = await openRun();
    stack.defer(() => run.clear());
    const { cluster } = await layOut({ run, nodes: 3, needs: new Set(), password }, stack);
    ({ nodes } = cluster);
    await found(cluster);
    token = await signIn(nodes, password);
    const url = `${nodes[0]!.url}/api/v1/cluster/autopilot`;
    const { body } = await ask({ url, token });
    const json = { ...(body as object), stabilizationMs: 1_500 };
    await ask({ url, token, method: 'PUT', json });
    await allVote(cluster, observer, patienceMs);
    const folder = join(run.dir, 'none');
    await mkdir(folder);
    const library = { kind: 'movie', name: '0', paths: [folder], scanIntervalMinutes: 0 };
    const made = await ask({
      ...{ url: `${nodes[0]!.url}/api/v1/libraries`, token, method: 'POST', json: library },
    });
    libraryId = (made.body as { id: string }).id;
  });
  after(() => stack.disposeAsync());

  /** The library is called 1, 2, … at one node after the other; no name is given up. */
  let last = 0;
  function startNaming() {
    let isStopped = false;
    const name = async (number: number) => {
      const headers = { 'idempotency-key': randomUUID() };
      for (let tried = 0; ; tried += 1, await pause(50)) {
        const { url } = nodes[(number + tried) % nodes.length]!;
        const { status } = await ask({
          ...{ url: `${url}/api/v1/libraries/${libraryId}`, token, method: 'PATCH' },
          ...{ headers, json: { name: String(number) }, timeoutMs: 4_000 },
        });
        // 409: it was carried out, by a node that did not live to say so.
        if (status === 200 || status === 409 || isStopped) return;
      }
    };
    const running = (async () => {
      while (!isStopped) {
        await name(last + 1);
        last += 1;
      }
    })();
    const stop = async () => {
      isStopped = true;
      await running;
    };
    return { stop, [Symbol.asyncDispose]: stop };
  }

  const readName = async (url: string) => {
    const answer = await ask({ url: `${url}/api/v1/libraries/${libraryId}`, token });
    return answer.status === 200 ? Number((answer.body as { name: string }).name) : undefined;
  };

  const more = (count: number) => {
    const goal = last + count;
    return until(`${count} changes`, patienceMs, async () => last >= goal || undefined);
  };

  const listening = (followers: readonly Follower[]) =>
    until('all listen', patienceMs, async () => followers.every((each) => each.at()) || undefined);

  for (const victim of ['one that follows', 'the one that leads'] as const) {
    it(`reach every client once and in order though kill -9 ends ${victim}`, async () => {
      const leader = await leaderOf({ nodes }, observer);
      const follower = nodes.find((node) => node !== leader)!;
      const killed = victim === 'the one that leads' ? leader : follower;
      const others = nodes.filter((node) => node !== killed);
      const reads: Promise<number | undefined>[] = [];
      const onHeard = ({ from }: Heard) => void reads.push(readName(from));
      const wish = { token, events: wanted };
      await using mover = follow({ ...wish, urls: [killed, ...others].map(urlOf), onHeard });
      await using second = follow({ ...wish, urls: [others[0]!.url] });
      await using third = follow({ ...wish, urls: [others[1]!.url] });
      await listening([mover, second, third]);

      const before = last;
      await using naming = startNaming();
      await more(20);
      await killed.kill();
      await more(20);
      killed.start();
      await killed.ready();
      await more(10);
      await naming.stop();
      const count = last - before;
      const all = [mover, second, third];
      await until(
        'the last event everywhere',
        patienceMs,
        async () => all.every(({ heard }) => heard.length >= count) || undefined,
      );

      const idsOf = ({ heard }: Follower) => heard.map(({ id }) => id);
      expect(mover.heard.map(({ name }) => name)).to.not.include('reset');
      expect(new Set(mover.heard.map(({ from }) => from)).size, 'it went on elsewhere').to.equal(2);
      expect(idsOf(second)).to.deep.equal(idsOf(third));
      expect(idsOf(mover)).to.deep.equal(idsOf(second));
      expect(mover.heard, 'one for each change').to.have.length(count);
      const indices = mover.heard.map(({ index }) => index!);
      expect(indices).to.deep.equal([...new Set(indices)].sort((a, b) => a - b));
      // The nth event tells of the nth name; a node that is killed may not answer any more.
      for (const [nth, read] of reads.entries()) {
        const shown = (await read) ?? Infinity;
        expect(shown, `after ${mover.heard[nth]!.id}`).to.be.at.least(before + nth + 1);
      }
    });
  }
});
