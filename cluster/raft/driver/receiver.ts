import type { Input, InstallRequest, Receive, Request, Response } from '../core/types.ts';
import type { Rest } from '../wire/resume.ts';
import type { Recorder } from './metrics.ts';
import type { Bytes, Log, SnapshotSink, Store } from './ports.ts';

export interface ReceiverOptions {
  readonly store: Store;
  readonly log: Log;
  readonly recorder: Recorder;
  readonly now: () => number;
  readonly input: (input: Input) => void;
}

interface Asker {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: Error) => void;
  readonly body: Bytes | undefined;
  /** What the stream is the rest of; undefined: it is the whole. */
  readonly rest: Rest | undefined;
}

/** Requests of peers that wait for the core's answer, and the snapshots that come with them. */
export function createReceiver({ store, log, recorder, now, input }: ReceiverOptions) {
  const askers = new Map<number, Asker>();
  let nextToken = 1;

  async function storeStream({ token, snapshot, size }: Receive): Promise<void> {
    const begun = now();
    let sink: SnapshotSink | undefined;
    try {
      const { body, rest } = askers.get(token) ?? {};
      if (!body) throw new Error('no stream came with it');
      sink = await store.createSnapshot(snapshot, rest);
      const from = rest?.from ?? 0;
      let bytes = from;
      for await (const piece of body) {
        bytes += piece.length;
        if (bytes > size) throw new Error(`more than the ${size} bytes it was said to have`);
        await sink.write(piece);
      }
      if (bytes < size) throw new Error(`it ended after ${bytes} of ${size} bytes`);
      await sink.commit(size);
      recorder.time('raft_snapshot_received', now() - begun);
      log.info('received a snapshot', { index: snapshot.index, term: snapshot.term, bytes, from });
      input({ type: 'snapshotReceived', token });
    } catch (error) {
      log.warn('a snapshot did not arrive', { index: snapshot.index, error: String(error) });
      await sink?.abort().catch(() => undefined);
      input({ type: 'snapshotAborted', token });
    }
  }

  return {
    /** The driver's `RequestHandler`. */
    handle: (request: Request, body: Bytes | undefined, rest: Rest | undefined) =>
      new Promise<Response>((resolve, reject) => {
        const token = nextToken;
        nextToken += 1;
        askers.set(token, { resolve, reject, body, rest });
        input({ type: 'request', token, request });
      }),
    kept: ({ snapshot, size }: InstallRequest, crc: number) =>
      store.keptOf(snapshot, { size, crc }),
    reply(token: number, response: Response) {
      askers.get(token)?.resolve(response);
      askers.delete(token);
    },
    receive: (wanted: Receive) => void storeStream(wanted),
    stop() {
      for (const { reject } of askers.values()) reject(new Error('this node is ending'));
      askers.clear();
    },
  };
}
