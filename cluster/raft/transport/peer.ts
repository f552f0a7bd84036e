import type { InstallRequest, Request } from '../core/types.ts';
import { requestToWire } from '../wire/convert.ts';
import { encodeRequest, type Kind, type WireResponse } from '../wire/messages.ts';
import type { BlockCache } from './blocks.ts';
import { createCandidates } from './candidates.ts';
import { dial } from './dial.ts';
import { createLink, type Link, type Question } from './link.ts';
import { sendSnapshot } from './install.ts';
import { SendError, type Log, type Outgoing, type Shared, type SnapshotSource } from './types.ts';

/** Idle connections kept for votes and the like. */
const MAX_IDLE = 2;
/** Why a server is not reached; more of them say nothing new. */
const MAX_REASONS = 8;

export type Done = (error: SendError | undefined, response?: WireResponse) => void;

/** The connections to one server, at the first of its addresses where it is found. */
export interface Peer {
  send(outgoing: Outgoing, done: Done): void;
  /** Where it may be found, likeliest first. Connections to elsewhere are ended. */
  moveTo(addresses: readonly string[]): void;
  close(): void;
}

interface PeerOptions {
  readonly to: string;
  readonly addresses: readonly string[];
  readonly shared: Shared;
  readonly blocks: BlockCache;
}

export function createPeer({ to, addresses, shared, blocks }: PeerOptions): Peer {
  const { timeouts } = shared;
  const dialer = createDialer({ to, addresses, shared });
  const { open, moveTo } = dialer;
  const lanes: { heartbeat?: Link; append?: Link } = {};
  const control = createControl(dialer);

  function lane(name: 'heartbeat' | 'append'): Link {
    const link = lanes[name];
    if (link?.isAlive) return link;
    return (lanes[name] = open());
  }

  async function install(request: InstallRequest, source: SnapshotSource): Promise<WireResponse> {
    const link = open();
    try {
      return await sendSnapshot(link, { request, source, shared });
    } finally {
      link.end('closed', 'a connection carries one snapshot');
    }
  }

  return {
    moveTo,
    send({ request, source }, done) {
      if (request.kind === 'install') {
        if (!source) return done(new SendError('error', 'an install without a stream'));
        const failed = (error: unknown) => done(asSendError(error));
        install(request, source).then((response) => done(undefined, response), failed);
        return;
      }
      const question = { ...encode(request, blocks), timeoutMs: timeouts.requestMs, done };
      attempt(done, () => {
        if (request.kind !== 'append') control(question);
        else if (!request.isHeartbeat) {
          // It says how far the commit is; the next entries, which say the same, are often near.
          lane('append').ask({ ...question, isLazy: request.entries.length === 0 });
        } else lane('heartbeat').ask({ ...question, timeoutMs: timeouts.heartbeatMs });
      });
    },
    close: () => dialer.close(),
  };
}

type DialerOptions = Omit<PeerOptions, 'blocks'>;

type Dialer = Pick<ReturnType<typeof createDialer>, 'open' | 'isHalfway'>;

/** Opens connections to a server wherever it is found, and knows those that are open. */
function createDialer({ to, addresses, shared }: DialerOptions) {
  const candidates = createCandidates(addresses, shared.timeouts);
  const links = new Map<Link, string>();
  const answered = new Set<string>();
  const reach = createReach(to, shared.log);
  const id = Buffer.from(to);
  let isClosed = false;

  function connect(address: string): Link {
    try {
      const link = createLink(dial(address, shared.tls, to), shared, {
        onOpen() {
          if (candidates.isAlone()) candidates.works(address);
        },
        onAnswer() {
          answered.add(address);
          candidates.works(address);
          reach.found();
        },
        onEnd(reason, message) {
          const isWanted = links.delete(link);
          if (isWanted && reason !== 'closed') reach.failed(address, message);
          // Of several, one that opens and then says nothing is not the one to stay with.
          const isNobody = !candidates.isAlone() && !answered.has(address);
          if (reason === 'unreachable' || isNobody) candidates.fails(address, performance.now());
        },
        isFromPeer: ({ body }) => !body?.ID?.length || id.equals(body.ID),
        // With TLS one that will not have our certificate ends the connection without a word too,
        // and so may whoever else has an address now.
        isKnownToAnswer: () => answered.has(address) || (!shared.tls && candidates.isAlone()),
      });
      links.set(link, address);
      return link;
    } catch (error) {
      candidates.fails(address, performance.now());
      throw error;
    }
  }

  return {
    isHalfway: () => candidates.isHalfway(),
    open: (): Link => {
      for (;;) {
        if (isClosed) throw new SendError('unreachable', 'this transport is closed');
        const address = candidates.next(performance.now());
        try {
          return connect(address);
        } catch (error) {
          if (!candidates.isHalfway()) throw error;
        }
      }
    },
    close() {
      isClosed = true;
      for (const link of links.keys()) {
        links.delete(link);
        link.end('unreachable', 'this node closes its connections');
      }
    },
    moveTo: (wanted: readonly string[]) => {
      if (!candidates.replace(wanted)) return;
      for (const [link, address] of links) {
        if (wanted.includes(address)) continue;
        links.delete(link);
        link.end('unreachable', `${to} is no longer there`);
      }
    },
  };
}

/** Says why a server is not reached, each reason once, and when it is again. */
function createReach(to: string, log: Log) {
  const told = new Set<string>();
  return {
    failed(address: string, reason: string) {
      if (told.has(reason) || told.size === MAX_REASONS) return;
      told.add(reason);
      log.warn('a raft peer is not reached', { to, address, reason });
    },
    found() {
      if (told.size > 0) log.info('a raft peer is reached again', { to });
      told.clear();
    },
  };
}

/**
 * Votes and the like each have a connection for themselves while they last. One that lay idle may
 * have ended without our knowing; that must not pass for a peer that refuses to answer.
 */
function createControl({ open, isHalfway }: Dialer): (question: Question) => void {
  const idle: Link[] = [];

  function takeIdle(): Link | undefined {
    for (let link = idle.pop(); link; link = idle.pop()) if (link.isAlive) return link;
    return undefined;
  }

  function on(link: Link, question: Question, isUsed: boolean): void {
    const done: Done = (error, response) => {
      // A vote that waits for the next election to try the next address would lose this one.
      const isElsewhere = error?.reason === 'unreachable' && isHalfway();
      if (isElsewhere || (error?.reason === 'closed' && isUsed)) {
        attempt(question.done, () => on(open(), question, false));
        return;
      }
      if (link.isAlive && idle.length < MAX_IDLE) idle.push(link);
      else link.end('closed', 'not needed any more');
      question.done(error, response);
    };
    link.ask({ ...question, done });
  }

  return (question) => {
    const used = takeIdle();
    on(used ?? open(), question, used !== undefined);
  };
}

/** What cannot even begin is reported like what fails. */
function attempt(done: Done, begin: () => void): void {
  try {
    begin();
  } catch (error) {
    done(asSendError(error));
  }
}

const asSendError = (error: unknown): SendError =>
  error instanceof SendError ? error : new SendError('error', String(error));

function encode(request: Request, blocks: BlockCache): { parts: Uint8Array[]; kind: Kind } {
  const { kind } = request;
  if (kind !== 'append' || request.entries.length === 0) {
    return { kind, parts: encodeRequest(requestToWire(request)) };
  }
  const block = blocks.blockOf(request.entries);
  return { kind, parts: encodeRequest(requestToWire(request, { isBlocked: true }), { block }) };
}
