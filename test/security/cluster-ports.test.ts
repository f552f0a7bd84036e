import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';
import type { Attempt } from './attempt.ts';
import { apiPort, databasePort, gossipPort } from './other-ports.ts';
import { raftPort } from './raft-port.ts';
import { rpcPort } from './rpc-port.ts';
import { memoryOf, openScene, startBystander } from './scene.ts';
import type { Bystander, LogLine, Scene } from './scene.ts';
import { crowd } from './talk.ts';

const report = process.env['REVENGE_TEST_REPORT'] === '1';
const connections = Number(process.env['REVENGE_TEST_CONNECTIONS'] ?? 2_000);

const ports: readonly [name: string, attempts: readonly Attempt[]][] = [
  ['Raft', raftPort],
  ['RPC', rpcPort],
  ['gossip', gossipPort],
  ['database', databasePort],
  ['API', apiPort],
];

const portOf = ({ leader, databasePort: database }: Scene, name: string): number =>
  ({
    ...{ Raft: leader.ports.raft, RPC: leader.ports.rpc, gossip: leader.ports.gossip },
    ...{ database, API: leader.ports.api },
  })[name]!;

/** A refusal is told once, however often it is repeated. */
const warningsMax = 6;
/** A machine that is busy hands leadership on at times; what attackers say is a million terms. */
const electionsMax = 3;
/** Changes that others make meanwhile. */
const changesBeside = 20;
/** What connections cost that nobody has said a word on, in MB, of one node. */
const memoryMax = 250;
/**
 * Connections to PostgreSQL are its own to limit: as long as strangers hold its places, a member
 * that wants another session gets none. It says so, and is well when they are gone.
 */
const hindrances: Readonly<Record<string, string>> = { database: '503 database-unavailable' };
const rows: string[] = [];

describe('the ports of a real cluster', function () {
  this.timeout(240_000);
  let scene: Scene;
  let heardAtAll: () => Promise<LogLine[]>;
  before(async () => {
    scene = await openScene();
    heardAtAll = await scene.listen();
  });
  after(async () => {
    await scene?.[Symbol.asyncDispose]();
    if (report) process.stdout.write(`${rows.map((row) => `      ${row}`).join('\n')}\n`);
  });

  /** Nobody else notices: changes go on, of the same members one leads, in no term of a stranger's. */
  async function unnoticed<T>(
    attempt: (bystander: Bystander) => Promise<T>,
    hindrance?: string,
  ): Promise<{ result: T; lines: LogLine[] }> {
    const before = await scene.standing();
    const heard = await scene.listen();
    const bystander = startBystander(scene);
    let outcome: Awaited<ReturnType<typeof bystander.stop>>;
    let result: T;
    try {
      result = await attempt(bystander);
    } finally {
      outcome = await bystander.stop();
    }
    const { term, leader, ...after } = await scene.standing();
    const { term: termBefore, members, pids } = before;
    expect(after).to.deep.equal({ members, pids });
    expect(term - termBefore, 'elections').to.be.within(0, electionsMax);
    expect(leader).to.not.equal(null);
    const failed = outcome.failed.filter((failure) => failure !== hindrance);
    expect(failed).to.deep.equal([]);
    expect(outcome.written).to.be.greaterThan(0);
    return { result, lines: await heard() };
  }

  /** What was said of it: at once, or of the same kind some seconds before. */
  async function told(logged: RegExp | undefined): Promise<string> {
    if (!logged) return '';
    const lines = (await heardAtAll()).filter(({ message }) => message !== 'request');
    const found = lines.findLast(({ text }) => logged.test(text));
    const all = lines.map(({ text }) => text).join('\n');
    expect(found, `${String(logged)} in\n${all}`).to.not.equal(undefined);
    return found!.message;
  }

  function expectFew(lines: readonly LogLine[]): void {
    const warnings = lines.filter(({ level }) => level === 'warn' || level === 'error');
    const all = warnings.map(({ text }) => text).join('\n');
    expect(warnings.length, all).to.be.at.most(warningsMax);
  }

  /** What hinders all nodes in all they do is told by each of them, of each thing once or so. */
  function expectFewOfEach(lines: readonly LogLine[]): void {
    const each = Map.groupBy(lines, ({ node, message }) => `${node}: ${message}`);
    for (const alike of each.values()) expectFew(alike);
  }

  for (const [name, attempts] of ports) {
    describe(name, () => {
      for (const { what, answer, logged, ...attempt } of attempts) {
        it(`refuses ${what}`, async () => {
          const { result, lines } = await unnoticed(() => attempt.try(scene));
          expect(result).to.match(answer);
          const line = await told(logged);
          expectFew(lines);
          rows.push(`| ${name} | ${what} | ${result.slice(0, 60)} | ${line} |`);
        });
      }

      it(`goes on beside ${connections} connections that say nothing`, async () => {
        const memory = await memoryOf(scene.leader);
        const { result, lines } = await unnoticed(
          ({ written }) =>
            crowd(portOf(scene, name), connections, async () => {
              const enough = written() + changesBeside;
              while (written() < enough) await pause(50);
              return memoryOf(scene.leader);
            }),
          hindrances[name],
        );
        const grown = result.result - memory;
        expect(grown).to.be.at.most(memoryMax);
        (name in hindrances ? expectFewOfEach : expectFew)(lines);
        const what = `${connections} silent connections`;
        rows.push(`| ${name} | ${what} | ${result.refused} ended, ${grown} MB | |`);
      });
    });
  }
});
