/**
 * Messages on their way to the other process. Each sending wakes it, which costs more than what it
 * is told; so those of a turn go together, and what nobody waits for goes with the next that
 * matters.
 */
export interface OutboxOptions<Message> {
  readonly send: (messages: readonly Message[]) => void;
  /** Whether somebody waits for it. */
  readonly isUrgent: (message: Message) => boolean;
  /** The longest that the others are kept. */
  readonly patienceMs: number;
}

export function createOutbox<Message>({ send, isUrgent, patienceMs }: OutboxOptions<Message>) {
  let waiting: Message[] = [];
  let isDue = false;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    isDue = false;
    if (waiting.length === 0) return;
    const messages = waiting;
    waiting = [];
    send(messages);
  };
  return {
    post(message: Message) {
      waiting.push(message);
      if (isDue) return;
      if (isUrgent(message)) {
        isDue = true;
        queueMicrotask(flush);
      } else timer ??= setTimeout(flush, patienceMs);
    },
    flush,
  };
}
