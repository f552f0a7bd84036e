// Reads and mends the Raft data of a node that is not running. Exit codes: 0 done, 1 damaged,
// 2 called wrongly, 3 could not be done, 4 nothing was changed because --yes was not given.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { DamagedError, StoreError, describeError } from '../store/errors.ts';
import { readLog, readState, verify } from './inspect.ts';
import { logLines, recoverLines, rejoinLines, stateLines, toJson, verifyLines } from './print.ts';
import { applyRecovery, parsePeers, planRecovery } from './recover.ts';
import { applyRejoin, planRejoin } from './rejoin.ts';

const usage = `node cluster/raft/offline/main.ts COMMAND --data DIR [--json]
  state                                    vote, snapshot, ends of the log, members
  log [--from N] [--to N]                  entries; without a range the last twenty
  verify                                   read and check every byte
  recover plan --peers FILE [--id ID]      what a recovery would change
  recover apply --peers FILE [--id ID] --yes
  rejoin [--id ID] --yes                   wipe this node, so that it can be added anew
`;

class UsageError extends Error {}

interface Answer {
  readonly value: unknown;
  readonly lines: readonly string[];
  readonly code?: number;
}

const options = {
  data: { type: 'string' },
  json: { type: 'boolean', default: false },
  from: { type: 'string' },
  to: { type: 'string' },
  peers: { type: 'string' },
  id: { type: 'string' },
  yes: { type: 'boolean', default: false },
} as const;

const commands: Record<string, (args: Arguments) => Promise<Answer>> = {
  state: async ({ dir }) => answer(await readState(dir), stateLines),
  log: async ({ dir, values }) => {
    const range = { from: whole('from', values.from), to: whole('to', values.to) };
    return answer(await readLog(dir, range), logLines);
  },
  verify: async ({ dir }) => answer(await verify(dir), verifyLines),
  'recover plan': async (args) => answer(await planRecovery(await recovery(args)), recoverLines),
  'recover apply': async (args) => {
    const request = await recovery(args);
    if (args.values.yes) return answer(await applyRecovery(request), recoverLines);
    return unchanged(answer(await planRecovery(request), recoverLines));
  },
  rejoin: async ({ dir, values: { id, yes } }) => {
    if (yes) return answer(await applyRejoin({ dir, id }), rejoinLines);
    return unchanged(answer(await planRejoin({ dir, id }), rejoinLines));
  },
};

type Arguments = ReturnType<typeof readArguments>;

function readArguments() {
  const { values, positionals } = parseCommandLine();
  if (values.data === undefined) throw new UsageError('--data DIR is missing');
  return { values, dir: values.data, command: positionals.join(' ') };
}

function parseCommandLine() {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(describeError(error));
  }
}

async function recovery({ dir, values }: Arguments) {
  const { id, peers: path } = values;
  if (path === undefined) throw new UsageError('--peers FILE is missing');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new StoreError(`--peers ${path} cannot be read: ${describeError(error)}`);
  });
  return { dir, id, peers: parsePeers(text) };
}

function whole(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`--${name} is a whole number`);
  return Number(text);
}

function answer<T>(value: T, print: (value: T) => readonly string[]): Answer {
  return { value, lines: print(value) };
}

function unchanged({ value, lines }: Answer): Answer {
  return { value, lines: [...lines, 'nothing was changed: say --yes to do it'], code: 4 };
}

async function main(): Promise<number> {
  const args = readArguments();
  const run = commands[args.command];
  if (!run) throw new UsageError(`there is no command "${args.command}"`);
  const { value, lines, code = 0 } = await run(args);
  process.stdout.write(args.values.json ? `${toJson(value)}\n` : `${lines.join('\n')}\n`);
  return code;
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(`raft: ${describeOnce(error)}\n${isUsage ? usage : ''}`);
  process.exitCode = isUsage ? 2 : error instanceof DamagedError ? 1 : 3;
}

function describeOnce(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ');
}
