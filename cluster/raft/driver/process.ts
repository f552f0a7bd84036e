// The driver's engine in a process of its own: a busy host neither delays heartbeats nor is delayed
// by them. Started by host.ts, never by hand.
import type { Engine } from './engine.ts';
import type { ToHost } from './messages.ts';
import { openEngine } from './open.ts';
import { createOutbox } from './outbox.ts';
import type { PackedToEngine, PackedToHost } from './pack.ts';
import { packToHost, unpackToEngine } from './pack.ts';
import type { Log } from './ports.ts';
import type { EngineSettings } from './settings.ts';

export type FromHost =
  | { readonly start: EngineSettings }
  | { readonly messages: readonly PackedToEngine[] }
  | { readonly close: true };

/** For the log of the host, which knows where lines go and how they look. */
export interface LogLine {
  readonly level: keyof Log;
  readonly message: string;
  readonly facts?: Record<string, unknown> | undefined;
}

export type FromEngine =
  | { readonly started: true }
  | { readonly log: LogLine }
  | { readonly messages: readonly PackedToHost[] }
  | { readonly ended: string | undefined };

/** Well within the host's patience; see host.ts. */
const tellMs = 5000;

// The host decides when to end, also when a terminal tells the whole group.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
// A host that is gone can apply nothing: ending at once is the quickest way to another leader.
process.on('disconnect', () => process.exit(1));

const tell = (message: FromEngine, then?: () => void) => {
  if (process.connected) process.send?.(message, undefined, undefined, () => then?.());
};

const write = (level: keyof Log) => (message: string, facts?: Record<string, unknown>) =>
  tell({ log: { level, message, facts } });
const log: Log = { info: write('info'), warn: write('warn'), error: write('error') };

/** A long log and a large snapshot are read whole; a host that hears nothing would give us up. */
async function open(settings: EngineSettings): Promise<Engine> {
  const { dir } = settings;
  const telling = setInterval(() => log.info('still reads its Raft data', { dir }), tellMs);
  try {
    return await openEngine(settings, log);
  } finally {
    clearInterval(telling);
  }
}

async function run(settings: EngineSettings): Promise<void> {
  const engine = await open(settings);
  let leads = false;
  const outbox = createOutbox<ToHost>({
    send: (messages) => tell({ messages: messages.map(packToHost) }),
    // A proposal's place matters once it is applied, and only a leader's callers wait for that.
    isUrgent: ({ type }) => type !== 'accepted' && (type !== 'apply' || leads),
    patienceMs: 5,
  });
  engine.onMessage((message) => {
    if (message.type === 'role') leads = message.role === 'leader';
    outbox.post(message);
  });
  engine.onEnd((error) => {
    outbox.flush();
    tell({ ended: error?.message }, () => process.exit(error ? 1 : 0));
  });
  process.on('message', (message: FromHost) => {
    if ('messages' in message) {
      for (const each of message.messages) engine.post(unpackToEngine(each));
    }
    if ('close' in message) void engine.close();
  });
  await engine.start();
  tell({ started: true });
}

process.once('message', (message: FromHost) => {
  if (!('start' in message)) return;
  run(message.start).catch((error: unknown) => {
    const text = error instanceof Error ? error.message : String(error);
    tell({ ended: text }, () => process.exit(1));
  });
});
