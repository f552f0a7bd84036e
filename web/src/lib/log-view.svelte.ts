import { api, read } from './api';
import { linesMax, withNewer, type LogFilter } from './log-lines';
import type { LogLine, LogPage } from './types';

const pageLines = 100;

/**
 * The lines of one node's log that a person looks at, the newest first: older ones come as they are
 * asked for, newer ones wait until they are shown.
 */
export function createLogView(filter: LogFilter) {
  let lines = $state.raw<readonly LogLine[]>([]);
  let waiting = $state.raw<readonly LogLine[]>([]);
  let first = $state.raw<LogPage | undefined>();
  let cursor: string | null = $state(null);
  let gapCursor: string | null = null;
  let hasGap = false;
  let error = $state.raw<unknown>();
  let isAsking = $state(false);
  const closed = new AbortController();

  const ask = async (more: { cursor?: string; after?: number }, use: (page: LogPage) => void) => {
    if (isAsking) return;
    isAsking = true;
    try {
      const { signal } = closed;
      // Of one node, though the app should go on with another.
      const nodeId = filter.nodeId ?? first?.nodeId;
      const query = { ...filter, ...(nodeId && { nodeId }), limit: pageLines, ...more };
      const page = await read(api.GET('/api/v1/admin/logs', { params: { query }, signal }));
      use(page);
      first = { ...page, items: [] };
      error = undefined;
    } catch (reason) {
      if (!closed.signal.aborted) error = reason;
    } finally {
      isAsking = false;
    }
  };

  const show = () => {
    lines = withNewer(lines, waiting, hasGap);
    if (hasGap) cursor = gapCursor;
    hasGap = false;
    waiting = [];
  };

  return {
    get lines() {
      return lines;
    },
    /** How many have come that are not shown yet; of more than a page it is not known. */
    get waiting() {
      return waiting.length;
    },
    /** What is known of the log itself; undefined until it has answered. */
    get about() {
      return first;
    },
    get error() {
      return error;
    },
    get isAsking() {
      return isAsking;
    },
    get hasOlder() {
      return cursor !== null && lines.length < linesMax;
    },
    begin: () =>
      ask({}, ({ items, nextCursor }) => {
        lines = items;
        cursor = nextCursor;
      }),
    async older() {
      if (cursor === null || lines.length >= linesMax) return;
      await ask({ cursor }, ({ items, nextCursor }) => {
        lines = [...lines, ...items];
        cursor = nextCursor;
      });
    },
    /** Asks for what has come since. */
    async newer() {
      const after = waiting[0]?.id ?? lines[0]?.id ?? 0;
      await ask({ after }, ({ items, nextCursor }) => {
        if (nextCursor !== null) {
          hasGap = true;
          gapCursor = nextCursor;
          waiting = items;
        } else {
          waiting = [...items, ...waiting].slice(0, linesMax);
        }
      });
    },
    show,
    close: () => closed.abort(),
  };
}

export type LogView = ReturnType<typeof createLogView>;
