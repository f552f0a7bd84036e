// What it costs that a follower hands a change on: `node bench/proxy.ts [writes]`.
import { ask } from '#test/lab/ask.ts';
import type { LabNode } from '#test/lab/node.ts';
import { openBenchCluster, quantile, settle, type BenchCluster } from './cluster.ts';
import { fillFilms } from './films.ts';
import { report, type Row } from './report.ts';

const films = 200;
const warmUp = 50;
const atOnce = 8;

/** Milliseconds of each change, and how many a second when several come at once. */
interface Measured {
  readonly times: readonly number[];
  readonly perSecond: number;
}

interface Way {
  readonly name: string;
  readonly node: LabNode;
}

/** Writes one after the other by each way in turn, so that all meet the same machine. */
async function measure(
  { sql, token }: BenchCluster,
  ways: readonly Way[],
  writes: number,
): Promise<Map<string, Measured>> {
  await fillFilms(sql, films);
  await settle();
  const bearer = await token();
  const rows = await sql<{ id: string }[]>`select id from movies order by id limit ${films}`;
  let serial = 0;
  const write = async (node: LabNode) => {
    serial += 1;
    const { id } = rows[serial % rows.length]!;
    const answer = await ask({
      ...{ url: `${node.url}/api/v1/movies/${id}`, token: bearer, method: 'PATCH' },
      json: { tagline: `the ${serial}th` },
    });
    if (answer.status !== 200) throw new Error(`${node.name}: ${answer.status} ${answer.code}`);
    return answer.endAt - answer.callAt;
  };
  const times = new Map<string, number[]>(ways.map(({ name }) => [name, []]));
  for (let nth = -warmUp; nth < writes; nth += 1) {
    for (const { name, node } of ways) {
      const took = await write(node);
      if (nth >= 0) times.get(name)?.push(took);
    }
  }
  const measured = new Map<string, Measured>();
  for (const { name, node } of ways) {
    const begun = performance.now();
    let left = writes;
    const lane = async () => {
      while (left-- > 0) await write(node);
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    const perSecond = (writes / (performance.now() - begun)) * 1000;
    measured.set(name, { times: times.get(name) ?? [], perSecond });
  }
  return measured;
}

async function alone(writes: number): Promise<Measured> {
  await using cluster = await openBenchCluster({ nodes: 1 });
  const name = 'alone';
  const measured = await measure(cluster, [{ name, node: cluster.nodes[0]! }], writes);
  return measured.get(name)!;
}

async function ofThree(writes: number): Promise<Map<string, Measured>> {
  await using cluster = await openBenchCluster({ nodes: 3 });
  const leader = await cluster.leader();
  const follower = cluster.nodes.find((node) => node !== leader)!;
  const ways = [
    { name: 'at the leader', node: leader },
    { name: 'through a follower', node: follower },
  ];
  return await measure(cluster, ways, writes);
}

/** A change of a film in a cluster of three, at the leader and through a follower. */
export async function benchProxy(writes: number): Promise<Row[]> {
  const one = await alone(writes);
  const three = await ofThree(writes);
  const rows: Row[] = [];
  for (const [name, { times, perSecond }] of three) {
    for (const share of [0.5, 0.99]) {
      const value = quantile(times, share);
      const baseline = { name: 'a cluster of one', value: quantile(one.times, share) };
      rows.push({ name: `write ${name}, p${100 * share}`, value, unit: 'ms', baseline });
    }
    const baseline = { name: 'a cluster of one', value: one.perSecond };
    const note = `${atOnce} at once`;
    rows.push({ name: `writes ${name}`, value: perSecond, unit: '/s', baseline, note });
  }
  return rows;
}

if (import.meta.main) {
  const writes = Number(process.argv[2] ?? 1_000);
  report(`a change, of ${writes} each way`, await benchProxy(writes));
}
