/**
 * Is a history of calls linearizable? Porcupine's search (Wing & Gong, with Lowe's memory of states
 * seen): takes calls in an order that respects real time, and goes back when the model refuses.
 * A call that was never answered has `endAt: Infinity`; it may have happened at any time, or never.
 */
export interface Call<Op> {
  readonly op: Op;
  readonly callAt: number;
  readonly endAt: number;
}

export interface Model<State, Op> {
  readonly initial: State;
  /** The state after `op`, or undefined when its answer is impossible in `state`. */
  step(state: State, op: Op): State | undefined;
  /** Equal for equal states. */
  key(state: State): string | number;
}

export type Verdict = 'linearizable' | 'not linearizable' | 'gave up';

interface Node<Op> {
  readonly op: Op;
  readonly number: number;
  /** Of a call: its return, or undefined when it never returned. */
  readonly end: Node<Op> | undefined;
  readonly isCall: boolean;
  before: Node<Op> | undefined;
  after: Node<Op> | undefined;
}

export function checkLinearizable<State, Op>(
  history: readonly Call<Op>[],
  model: Model<State, Op>,
  maxSteps = 1_000_000,
): Verdict {
  const head = chain(history);
  let open = history.filter((call) => call.endAt !== Infinity).length;
  const seen = new Set<string>();
  const taken: { readonly node: Node<Op>; readonly state: State }[] = [];
  const done = new Uint32Array(Math.ceil(history.length / 32));
  let state = model.initial;
  let at = head.after;
  for (let steps = 0; open > 0; steps += 1) {
    if (steps > maxSteps) return 'gave up';
    if (at?.isCall) {
      const next = model.step(state, at.op);
      if (next !== undefined) {
        flip(done, at.number);
        const place = `${done.join()}|${model.key(next)}`;
        if (!seen.has(place)) {
          seen.add(place);
          taken.push({ node: at, state });
          state = next;
          lift(at);
          if (at.end) open -= 1;
          at = head.after;
          continue;
        }
        flip(done, at.number);
      }
      at = at.after;
      continue;
    }
    // A return whose call is not taken yet, or the end: the last choice was wrong.
    const last = taken.pop();
    if (!last) return 'not linearizable';
    state = last.state;
    flip(done, last.node.number);
    if (last.node.end) open += 1;
    unlift(last.node);
    at = last.node.after;
  }
  return 'linearizable';
}

/** Calls and returns in order of time; at the same time calls come first, which allows more. */
function chain<Op>(history: readonly Call<Op>[]): Node<Op> {
  const moments: { readonly at: number; readonly node: Node<Op> }[] = [];
  history.forEach(({ op, callAt, endAt }, number) => {
    const shared = { op, number, before: undefined, after: undefined };
    const end = endAt === Infinity ? undefined : { ...shared, isCall: false, end: undefined };
    moments.push({ at: callAt, node: { ...shared, isCall: true, end } });
    if (end) moments.push({ at: endAt, node: end });
  });
  moments.sort((a, b) => a.at - b.at || Number(b.node.isCall) - Number(a.node.isCall));
  const head: Node<Op> = {
    ...{ op: undefined as Op, number: -1, end: undefined, isCall: true },
    ...{ before: undefined, after: undefined },
  };
  let last = head;
  for (const { node } of moments) {
    last.after = node;
    node.before = last;
    last = node;
  }
  return head;
}

function flip(bits: Uint32Array, number: number): void {
  bits[number >>> 5]! ^= 1 << (number & 31);
}

function lift<Op>(node: Node<Op>): void {
  for (const each of [node, node.end]) {
    if (!each) continue;
    if (each.before) each.before.after = each.after;
    if (each.after) each.after.before = each.before;
  }
}

function unlift<Op>(node: Node<Op>): void {
  for (const each of [node.end, node]) {
    if (!each) continue;
    if (each.before) each.before.after = each;
    if (each.after) each.after.before = each;
  }
}

/** One register. `read`, `isSwapped` are what the client was told; undefined: it was told nothing. */
export type RegisterOp<Value> =
  | { readonly kind: 'get'; readonly read: Value | null }
  | { readonly kind: 'set'; readonly value: Value }
  | {
      readonly kind: 'cas';
      readonly from: Value | null;
      readonly value: Value;
      readonly isSwapped: boolean | undefined;
    };

export function registerModel<Value extends string | number>(): Model<
  Value | null,
  RegisterOp<Value>
> {
  return {
    initial: null,
    step(state, op) {
      if (op.kind === 'get') return op.read === state ? state : undefined;
      if (op.kind === 'set') return op.value;
      const swaps = op.from === state;
      if (op.isSwapped !== undefined && op.isSwapped !== swaps) return undefined;
      return swaps ? op.value : state;
    },
    key: (state) => (state === null ? 'null' : `${typeof state}:${state}`),
  };
}

/**
 * The verdict on one register's history, whose written values are unique. Writes that nobody
 * answered and nobody saw only slow the search down, and one that was seen had happened by the end
 * of the first call that showed it; what is impossible that way is searched as it is.
 */
export function checkRegister<Value extends string | number>(
  history: readonly Call<RegisterOp<Value>>[],
  maxSteps?: number,
): Verdict {
  const seenAt = new Map<Value, number>();
  for (const { op, endAt } of history) {
    const value = op.kind === 'get' ? op.read : op.kind === 'cas' && op.isSwapped ? op.from : null;
    if (value !== null) seenAt.set(value, Math.min(endAt, seenAt.get(value) ?? Infinity));
  }
  const slim = history.flatMap((call) => {
    if (call.endAt !== Infinity || call.op.kind === 'get') return [call];
    const endAt = seenAt.get(call.op.value);
    return endAt === undefined ? [] : [{ ...call, endAt }];
  });
  const model = registerModel<Value>();
  const verdict = checkLinearizable(slim, model, maxSteps);
  return verdict === 'linearizable' ? verdict : checkLinearizable(history, model, maxSteps);
}

/** One list that is only appended to. `length` is what an append was answered. */
export type ListOp =
  | { readonly kind: 'append'; readonly value: number; readonly length: number | undefined }
  | { readonly kind: 'list'; readonly length: number; readonly hash: number };

export interface List {
  readonly length: number;
  readonly hash: number;
}

export const emptyList: List = { length: 0, hash: 0x811c9dc5 };

/** The list stands as its length and the hash of all that was appended, in order. */
export function appended(list: List, value: number): List {
  let hash = Math.imul(list.hash ^ value, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return { length: list.length + 1, hash: (hash ^ (hash >>> 13)) >>> 0 };
}

export const listModel: Model<List, ListOp> = {
  initial: emptyList,
  step(state, op) {
    if (op.kind === 'list')
      return op.length === state.length && op.hash === state.hash ? state : undefined;
    const next = appended(state, op.value);
    return op.length === undefined || op.length === next.length ? next : undefined;
  },
  key: (state) => `${state.length}:${state.hash}`,
};
