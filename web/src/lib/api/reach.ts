/** Whether any node can be reached, as far as this client knows. */
export interface Reach {
  /** A request got no answer from any node: it is looked whether one is there at all. */
  doubt(): void;
  /** A node has answered. */
  answered(): void;
  /** Resolves as soon as it is known that no node answers. */
  silence(): Promise<void>;
}

export interface ReachDeps {
  /** Whether any node answers a question that none has to think about. */
  readonly probe: () => Promise<boolean>;
  readonly pause: (ms: number) => Promise<void>;
  /** Hears of each change, from when there was none. */
  readonly onChange: (isSilent: boolean) => void;
}

/** What answered is no node where it is no JSON: the page of a network that wants a sign-in first. */
export const isJson = (answer: Response): boolean =>
  /\bjson\b/.test(answer.headers.get('Content-Type') ?? '');

const restMinMs = 2_000;
const restMaxMs = 10_000;

/**
 * One answer that does not come says little, as some take long: silence is what a probe finds too.
 * It is probed again until a node answers, so that nobody has to ask for the app to go on; less
 * often the longer it takes.
 */
export function createReach({ probe, pause, onChange }: ReachDeps): Reach {
  let isSilent = false;
  let isLooking = false;
  let isAnswered = false;
  let waiting: (() => void)[] = [];

  const change = (next: boolean) => {
    if (isSilent === next) return;
    isSilent = next;
    onChange(next);
    if (!next) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  // Where probes do not come through and requests do, the requests are right.
  const look = async () => {
    for (let restMs = restMinMs; !(await probe()); restMs = Math.min(1.5 * restMs, restMaxMs)) {
      if (isAnswered) return;
      change(true);
      await pause(restMs);
      if (isAnswered) return;
    }
    change(false);
  };
  return {
    doubt() {
      isAnswered = false;
      if (isLooking) return;
      isLooking = true;
      void look().finally(() => (isLooking = false));
    },
    answered() {
      isAnswered = true;
      change(false);
    },
    silence: () =>
      isSilent ? Promise.resolve() : new Promise<void>((resolve) => waiting.push(resolve)),
  };
}
