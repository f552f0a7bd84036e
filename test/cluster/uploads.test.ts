import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import sharp from 'sharp';
import type { components } from '#api/types.ts';
import { report } from '../faults/report.ts';
import { leaderOf, observerOf, until } from '../lab/cluster.ts';
import type { LabNode } from '../lab/node.ts';
import { startPostgres } from '../lab/services.ts';
import { quiet } from '../log.ts';
import { gather, openHome, residentBytes, untilVoters, type Home } from './home.ts';

type Schemas = components['schemas'];
type Image = Schemas['ArtworkImage'];

const limitBytes = 16 * 1024 ** 2;
const side = 2_350;

/** Nearly as many bytes as a body may have, and never the same. */
function largePicture(): Promise<Buffer> {
  const raw = { width: side, height: side, channels: 3 } as const;
  return sharp(randomBytes(side * side * 3), { raw })
    .png({ compressionLevel: 0 })
    .toBuffer();
}

/** `index`: what the one who asks has seen. */
type Ask = RequestInit & { readonly index?: string | undefined };

/** One that comes in two halves; `answer` rejects when the connection breaks. */
interface Upload {
  readonly halfSent: Promise<void>;
  readonly sent: Promise<void>;
  readonly answer: Promise<{ status: number; index: string; body: Partial<Image> }>;
  finish(): void;
  hangUp(): void;
}

describe('large pictures that are sent to three nodes', function () {
  this.timeout(400_000);
  let home: Home;
  let nodes: LabNode[];
  let token: string;
  let filmId: string;
  let leader: LabNode;
  let followers: LabNode[];
  const closers: (() => PromiseLike<unknown>)[] = [];

  before(async () => {
    home = await openHome();
    closers.push(() => home[Symbol.asyncDispose]());
    const postgres = await startPostgres(`${home.dir}/postgres`, quiet);
    closers.unshift(() => postgres.stop());
    const env = { REVENGE_DATABASE_URL: postgres.url };
    nodes = await Promise.all(['a', 'b', 'c'].map((name) => home.place(name, { env })));
    await gather(nodes, env);
    token = await home.token(nodes);
    const films = join(home.dir, 'films');
    await mkdir(films);
    await writeFile(join(films, 'Heat (1995).mkv'), 'no film');
    const json = { kind: 'movie', name: 'Films', paths: [films] };
    await ask(nodes[0]!, '/api/v1/libraries', { method: 'POST', body: JSON.stringify(json) });
    filmId = await until('the film is here', 120_000, async () => {
      const { items } = (await ask(nodes[0]!, '/api/v1/movies')) as Schemas['MoviePage'];
      return items[0]?.id;
    });
  });
  after(async () => {
    while (closers.length > 0) await closers.pop()!();
  });
  beforeEach(async () => {
    for (const node of nodes.filter((one) => !one.isRunning())) {
      node.start();
      await node.ready();
    }
    await untilVoters(nodes[0]!, 3);
    token = await home.token(nodes);
    leader = await leaderOf(
      { nodes },
      observerOf(() => token),
    );
    followers = nodes.filter((node) => node !== leader);
  });

  const ask = async (node: LabNode, path: string, { index = '0', ...init }: Ask = {}) => {
    const headers = {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      'x-revenge-index': index,
    };
    const answer = await fetch(node.url + path, { headers, ...init });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const path = () => `/api/v1/items/movie/${filmId}/images`;
  const imagesOn = async (node: LabNode, index?: string) => {
    const { items } = (await ask(node, path(), { index })) as Schemas['ArtworkImageList'];
    return items.filter(({ source }) => source === 'upload');
  };
  const begin = (node: LabNode, bytes: Buffer, key: string = randomUUID()): Upload => {
    const headers = {
      ...{ authorization: `Bearer ${token}`, 'content-type': 'image/png' },
      ...{ 'content-length': bytes.length, 'idempotency-key': key },
    };
    const sending = request(`${node.url}${path()}?type=poster`, { method: 'POST', headers });
    const half = Promise.withResolvers<void>();
    const sent = new Promise<void>((resolve) => sending.on('finish', resolve));
    const answer = new Promise<Awaited<Upload['answer']>>((resolve, reject) => {
      sending.on('error', reject);
      sending.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part)).on('error', reject);
        response.on('end', () => {
          const body = JSON.parse(Buffer.concat(parts).toString()) as Partial<Image>;
          const index = String(response.headers['x-revenge-index'] ?? '');
          resolve({ status: response.statusCode ?? 0, index, body });
        });
      });
    });
    answer.catch(() => undefined); // whoever awaits it hears of it
    const middle = bytes.length / 2;
    sending.write(bytes.subarray(0, middle), () => half.resolve());
    return {
      ...{ halfSent: half.promise, sent, answer },
      finish: () => void sending.end(bytes.subarray(middle)),
      hangUp: () => void sending.destroy(),
    };
  };
  const send = (node: LabNode, bytes: Buffer, key?: string) => {
    const upload = begin(node, bytes, key);
    upload.finish();
    return upload.answer;
  };
  /** Sends it again under its key until it is told to be there. */
  const sendUntilThere = (some: readonly LabNode[], bytes: Buffer, key: string) => {
    let nth = 0;
    return until('it is there', 120_000, async () => {
      nth += 1;
      const answer = await send(some[nth % some.length]!, bytes, key);
      return answer.status === 201 ? answer : undefined;
    });
  };
  /** What lies in a node's data folder that has no place there. */
  const leftIn = async ({ dataDir }: LabNode) => {
    const own = await readdir(dataDir);
    const staged = await readdir(join(dataDir, 'pictures/00')).catch(() => []);
    return [
      ...own.filter((name) => name.startsWith('.revenge-body-')),
      ...staged.filter((name) => name.startsWith('.')),
    ];
  };

  it('arrive through a follower, and are on all nodes at once', async () => {
    const bytes = await largePicture();
    expect(bytes.length).to.be.within(limitBytes - 1024 ** 2, limitBytes);
    const through = followers[0]!;
    const before = await Promise.all([through, leader].map((node) => residentBytes(node.pid())));
    const began = performance.now();
    const { status, index, body } = await send(through, bytes);
    const tookMs = Math.round(performance.now() - began);
    expect(status, JSON.stringify(body)).to.equal(201);
    for (const node of nodes) {
      const ids = (await imagesOn(node, index)).map(({ id }) => id);
      expect(ids, node.name).to.include(body.id);
      const answer = await fetch(`${node.url}${body.url}?width=300`);
      expect(answer.status, node.name).to.equal(200);
      await answer.arrayBuffer();
    }
    const after = await Promise.all([through, leader].map((node) => residentBytes(node.pid())));
    const grown = after.map((size, nth) => Math.round((size - before[nth]!) / 1024 ** 2));
    report('16 MB through a follower', {
      tookMs,
      grownMiB: { follower: grown[0], leader: grown[1] },
    });
    for (const node of nodes) expect(await leftIn(node), node.name).to.deep.equal([]);
  });

  it('are not kept when the client hangs up in the middle', async () => {
    const before = await imagesOn(leader);
    const upload = begin(followers[0]!, await largePicture());
    await upload.halfSent;
    upload.hangUp();
    await upload.answer.catch(() => undefined);
    expect((await send(followers[0]!, await largePicture())).status).to.equal(201);
    expect(await imagesOn(leader)).to.have.length(before.length + 1);
    for (const node of nodes) expect(await leftIn(node), node.name).to.deep.equal([]);
  });

  for (const [who, pick] of [
    ['the follower that takes it', () => [followers[0]!, followers[0]!]],
    ['the leader that takes it', () => [leader, leader]],
    ['the leader, to whom a follower hands it on', () => [followers[0]!, leader]],
  ] as const) {
    for (const moment of ['while it arrives', 'when it has arrived'] as const) {
      it(`come once when sent again: ${who} is killed ${moment}`, async () => {
        const [through, killed] = pick();
        const [bytes, key] = [await largePicture(), randomUUID()];
        const before = await imagesOn(leader);
        const upload = begin(through!, bytes, key);
        await upload.halfSent;
        if (moment === 'when it has arrived') {
          upload.finish();
          await upload.sent;
        }
        await killed!.kill();
        if (moment === 'while it arrives') upload.finish();
        const first = await upload.answer.catch((error: unknown) => String(error));
        report(`${who}, ${moment}`, { first: typeof first === 'string' ? first : first.status });
        const others = nodes.filter((node) => node !== killed);
        const { index } = await sendUntilThere(others, bytes, key);
        killed!.start();
        await killed!.ready();
        for (const node of nodes) {
          const images = await imagesOn(node, index);
          expect(images, node.name).to.have.length(before.length + 1);
        }
        // The first one that it takes shows it that a process has died.
        expect((await send(killed!, await largePicture())).status).to.equal(201);
        for (const node of nodes) expect(await leftIn(node), node.name).to.deep.equal([]);
      });
    }
  }

  it('are refused while no node leads, with a time to try again', async () => {
    await Promise.all([leader.kill(), followers[1]!.kill()]);
    const { status, body } = await send(followers[0]!, await largePicture());
    expect(status).to.equal(503);
    expect(body).to.include({ type: '/problems/no-leader' });
  });
});
