import { SendError, type Outgoing } from './types.ts';

/** For a node that is alone: nobody is heard, and nobody can be told. */
export function createNoTransport() {
  return {
    listen: () => Promise.resolve(),
    send: ({ to }: Outgoing) =>
      Promise.reject(new SendError('unreachable', `${to} cannot be told: there is no network`)),
    setBook: () => undefined,
    refuse: () => undefined,
    close: () => Promise.resolve(),
  };
}
