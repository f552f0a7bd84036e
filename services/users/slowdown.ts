import { problem } from '../errors.ts';
import { placeOf } from './client.ts';
import type { Counters } from './counters.ts';

/** How quickly attempts of one kind grow slow. */
export interface Pace {
  /** Failures within the window that cost nothing. */
  readonly free: number;
  /** The longest delay between two attempts. */
  readonly maxDelayMs: number;
  /** After this long, counted from the first failure, all is forgotten. */
  readonly windowMs: number;
}

const hourMs = 3_600_000;

/** One person's typing at one place; everybody's guesses at one name; one place's at all names. */
export const paces = {
  pair: { free: 5, maxDelayMs: 900_000, windowMs: hourMs },
  name: { free: 20, maxDelayMs: 60_000, windowMs: hourMs },
  place: { free: 50, maxDelayMs: 60_000, windowMs: hourMs },
} as const satisfies Record<string, Pace>;

/** The delay before attempt number `attempt` (1 is the first): 0, …, 1 s, 2 s, 4 s, …, the cap. */
export function delayMs(attempt: number, pace: Pace): number {
  if (attempt <= pace.free) return 0;
  return Math.min(1_000 * 2 ** (attempt - pace.free - 1), pace.maxDelayMs);
}

/** Who tries to sign in, and whether that person has been here before. */
export interface Attempt {
  /** What is guessed at: the folded user name, or the user's id. */
  readonly subject: string;
  readonly ip: string | undefined;
  /** True where this user has signed in from this address before. */
  readonly isKnownPlace: boolean;
}

/** An attempt that may go on. Nothing done means that it failed. */
export interface Admission {
  /** It succeeded: the pair and the name start afresh, and the place gets this one back. */
  succeeded(): Promise<void>;
  /** It was not an attempt after all (the server was at fault). */
  takeBack(): Promise<void>;
}

/** Slows guessing down without ever locking an account. */
export interface Slowdown {
  /** Throws `too-many-requests` with `Retry-After` when it comes too soon. */
  admit(attempt: Attempt): Promise<Admission>;
}

interface Gate {
  readonly key: string;
  readonly pace: Pace;
}

/**
 * Makes the slow-down. An attempt is counted before the password is looked at, so that many at once
 * gain nothing; once the free ones are used, one attempt goes through per delay, whoever is first.
 * A place from which the user has signed in before is not held up by what others do to the name.
 */
export function createSlowdown(counters: Counters): Slowdown {
  return {
    async admit(attempt) {
      const gates = gatesOf(attempt);
      const passed: Gate[] = [];
      for (const gate of gates) {
        const waitMs = await pass(counters, gate);
        if (waitMs > 0) {
          await giveBack(counters, [...passed, gate]);
          throw tooSoon(waitMs);
        }
        passed.push(gate);
      }
      return {
        async succeeded() {
          await giveBack(counters, gates.filter(isPlace));
          await forget(
            counters,
            gates.filter((gate) => !isPlace(gate)),
          );
        },
        takeBack: () => giveBack(counters, gates),
      };
    },
  };
}

function gatesOf({ subject, ip, isKnownPlace }: Attempt): Gate[] {
  const place = placeOf(ip);
  const gates: Gate[] = [
    { key: `place:${place}`, pace: paces.place },
    { key: `pair:${place}:${subject}`, pace: paces.pair },
  ];
  return isKnownPlace ? gates : [...gates, { key: `name:${subject}`, pace: paces.name }];
}

const isPlace = (gate: Gate) => gate.key.startsWith('place:');

/** Zero when the attempt may pass, else milliseconds until one may. */
async function pass(counters: Counters, gate: Gate): Promise<number> {
  const { count } = await counters.add(gate.key, gate.pace.windowMs);
  const delay = delayMs(count, gate.pace);
  if (delay === 0) return 0;
  const wait = await counters.add(`wait:${gate.key}`, delay);
  return wait.count === 1 ? 0 : Math.max(wait.leftMs, 1);
}

/** A refused attempt does not count: it told the guesser nothing. */
const giveBack = async (counters: Counters, gates: readonly Gate[]): Promise<void> => {
  await Promise.all(gates.map((gate) => counters.giveBack(gate.key)));
};

const forget = async (counters: Counters, gates: readonly Gate[]): Promise<void> => {
  const keys = gates.flatMap((gate) => [gate.key, `wait:${gate.key}`]);
  await Promise.all(keys.map((key) => counters.clear(key)));
};

const tooSoon = (waitMs: number) =>
  problem('too-many-requests', 'Too many failed attempts; wait a little.', {
    retryAfterSeconds: Math.ceil(waitMs / 1_000),
  });
