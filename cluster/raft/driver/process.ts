// The driver's engine in a process of its own: a busy host neither delays heartbeats nor is delayed
// by them. Started by host.ts, never by hand.
import { createLineLog } from './line-log.ts';
import type { ToHost } from './messages.ts';
import { openEngine } from './open.ts';
import { createOutbox } from './outbox.ts';
import type { PackedToEngine, PackedToHost } from './pack.ts';
import { packToHost, unpackToEngine } from './pack.ts';
import type { EngineSettings } from './settings.ts';

export type FromHost =
  | { readonly start: EngineSettings }
  | { readonly messages: readonly PackedToEngine[] }
  | { readonly close: true };

export type FromEngine =
  | { readonly started: true }
  | { readonly messages: readonly PackedToHost[] }
  | { readonly ended: string | undefined };

// The host decides when to end, also when a terminal tells the whole group.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
// A host that is gone can apply nothing: ending at once is the quickest way to another leader.
process.on('disconnect', () => process.exit(1));

const tell = (message: FromEngine, then?: () => void) => {
  if (process.connected) process.send?.(message, undefined, undefined, () => then?.());
};

async function run(settings: EngineSettings): Promise<void> {
  const engine = await openEngine(settings, createLineLog(settings.id));
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
