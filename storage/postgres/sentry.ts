import { setTimeout as pause } from 'node:timers/promises';
import { hostName, type Host, type SessionKind } from './address.ts';
import { chooseHost, hostAnswers, type Probe } from './driver.ts';
import { codeOf } from './errors.ts';
import type { Sockets } from './sockets.ts';

/** Longer than this without an answer, and a new connection has to show that a server is there. */
const suspectMs = 2_000;
const sampleMs = 1_000;
/** A server that takes longer for a new connection gives way to one that serves. */
const patienceMs = 1_000;
const readOnly = '25006';

/** Knows which host to use, and sees when it is no longer the right one. */
export type Sentry = {
  choose: (last: Host | undefined) => Promise<Host>;
  /** Begins to watch a pool's sockets. */
  watch: (sockets: Sockets) => {
    /** Tell of each query that failed. */
    failed: (error: unknown) => void;
    stop: () => void;
  };
};

/**
 * Two things go unnoticed by a connection. A server that has stopped without closing anything
 * (frozen, unplugged): a query would wait for as long as the kernel repeats its packets, so that
 * a new connection is tried beside it. And a primary that has become read-only: its connections
 * stay open and every write on them fails, so they are broken as soon as a server that takes
 * writes is found, be it under the same name.
 */
export function createSentry(deps: {
  hosts: () => Promise<Host[]>;
  sessions: SessionKind;
  probe: Probe;
}): Sentry {
  const { sessions, probe } = deps;
  const choose = async (last: Host | undefined) => {
    const hosts = await deps.hosts();
    return hosts.length === 1 ? hosts[0]! : chooseHost({ hosts, sessions, last }, probe);
  };
  const chooseOther = async (host: Host) => {
    const hosts = (await deps.hosts()).filter((other) => hostName(other) !== hostName(host));
    return hosts.length === 0 ? undefined : chooseHost({ hosts, sessions }, probe);
  };
  const chooseWriter = async (last: Host | undefined) => {
    const hosts = await deps.hosts();
    const writing = sessions === 'any' && hosts.length === 1 ? 'read-write' : sessions;
    const isMeant = writing === 'read-write' || writing === 'primary';
    return isMeant ? chooseHost({ hosts, sessions: writing, last }, probe) : undefined;
  };

  const ask = async (sockets: Sockets) => {
    const host = sockets.host();
    if (!host) return;
    const answers = hostAnswers(host, probe);
    const isQuick = await Promise.race([answers, pause(patienceMs, undefined, { ref: false })]);
    const other = isQuick === true ? undefined : await chooseOther(host).catch(nobody);
    const silent = `${hostName(host)} does not answer`;
    if (other) sockets.moveTo(other, silent);
    else if (await answers) sockets.cleared();
    else sockets.drop(silent);
  };
  const seekWriter = async (sockets: Sockets) => {
    const found = await chooseWriter(sockets.host()).catch(nobody);
    if (found) sockets.moveTo(found, 'the server has become read-only');
  };

  return {
    choose,
    watch(sockets) {
      let isBusy = false;
      const alone = (work: () => Promise<void>) => {
        if (isBusy) return;
        isBusy = true;
        void work().finally(() => (isBusy = false));
      };
      const timer = setInterval(() => {
        if (sockets.waiting(suspectMs)) alone(() => ask(sockets));
      }, sampleMs).unref();
      return {
        failed(error) {
          if (codeOf(error) === readOnly) alone(() => seekWriter(sockets));
        },
        stop: () => clearInterval(timer),
      };
    },
  };
}

/** Whoever asks on the side goes on as it is; the pool's own attempt reports why. */
const nobody = (): undefined => undefined;
