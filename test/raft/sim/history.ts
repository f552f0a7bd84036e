import type { Call, Model, Verdict } from '../linearizable.ts';
import { checkLinearizable, checkRegister, listModel, registerModel } from '../linearizable.ts';
import { count, must } from './world.ts';
import type { World } from './types.ts';

const maxSteps = 200_000;

/** Property 12, at the end of a run: what clients were told is what happened. */
export function checkHistory(world: World): void {
  checkSerials(world);
  world.clients.registers.forEach((history, key) => {
    const verdict = checkRegister(history, maxSteps);
    judge(world, verdict, { what: `register ${key}`, history, model: registerModel<number>() });
  });
  const { list } = world.clients;
  judge(world, search(list, listModel), { what: 'the list', history: list, model: listModel });
}

const search = <State, Op>(history: readonly Call<Op>[], model: Model<State, Op>) =>
  checkLinearizable(history, model, maxSteps);

interface Case<State, Op> {
  readonly what: string;
  readonly history: readonly Call<Op>[];
  readonly model: Model<State, Op>;
}

function judge<State, Op>(world: World, verdict: Verdict, failing: Case<State, Op>): void {
  const { what, history } = failing;
  if (verdict === 'gave up') count(world, 'histories too tangled to check');
  must(
    verdict !== 'not linearizable',
    'linearizability',
    () =>
      `the history of ${what} (${history.length} calls) is not linearizable; the shortest part ` +
      `of it that is not ends with ${JSON.stringify(lastOf(failing))}`,
  );
}

/** Where it goes wrong: the call whose end makes the history impossible, and what preceded it. */
function lastOf<State, Op>({ history, model }: Case<State, Op>): readonly Call<Op>[] {
  const ends = history.map(({ endAt }) => endAt).filter((at) => at !== Infinity);
  ends.sort((a, b) => a - b);
  for (const until of ends) {
    const part = history
      .filter(({ callAt }) => callAt <= until)
      .map((call) => (call.endAt > until ? { ...call, endAt: Infinity } : call));
    const known = part.filter(({ op, endAt }) => endAt !== Infinity || !isRead(op));
    if (search(known, model) === 'not linearizable') return known.slice(-8);
  }
  return [];
}

const isRead = (op: unknown): boolean => {
  const { kind } = op as { readonly kind: string };
  return kind === 'get' || kind === 'list';
};

/** Each write is there once or not at all, and those that were acknowledged or refused are known. */
function checkSerials({ ledger, clients }: World): void {
  const there = new Set<number>();
  for (const each of ledger.applied) {
    if (!each?.serial) continue;
    must(!there.has(each.serial), 'writes', () => `write ${each.serial} is there twice`);
    there.add(each.serial);
  }
  clients.wishes.forEach(({ serial, kind }) => {
    if (kind === 'get' || kind === 'list') return;
    const fate = clients.fates[serial];
    const isThere = there.has(serial);
    must(
      fate !== 'done' || isThere,
      'writes',
      () => `write ${serial} was acknowledged and is lost`,
    );
    must(fate !== 'failed' || !isThere, 'writes', () => `write ${serial} was refused and is there`);
  });
}
