import type { HandlersOf } from '#api/handler.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { problem } from '../errors.ts';
import { callerOf } from '../principal.ts';
import { describeCalendar } from './ical.ts';
import { listShown } from './store.ts';

/** Operations of api/calendar.yaml. */
export type CalendarOperation = 'listCalendar' | 'exportCalendar';

export interface CalendarDeps {
  readonly sql: Queryable;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** How the server introduces itself. */
  readonly name: () => Promise<string>;
}

const dayMs = 24 * 3_600_000;
const daysMax = 366;
/** Around today, where nobody says which days. */
const before = 7;
const after = 28;

/** When episodes of the series that are here are shown, as people, files and providers say. */
export function createCalendar({ sql, now, name }: CalendarDeps): {
  handlers: HandlersOf<CalendarOperation>;
} {
  const dayIn = (days: number) => new Date(now() + days * dayMs).toISOString().slice(0, 10);
  return {
    handlers: {
      async listCalendar({ query, principal }) {
        const { from = dayIn(-before), to = dayIn(after) } = query;
        const days = (Date.parse(to) - Date.parse(from)) / dayMs;
        if (days < 0 || days > daysMax) {
          throw problem('unprocessable', `\`to\` lies within ${daysMax} days after \`from\``);
        }
        const items = await listShown(sql, { from, to, viewer: callerOf(principal) });
        return { body: { from, to, items } };
      },
      async exportCalendar({ query, principal }) {
        const days = { from: dayIn(-(query.daysBefore ?? 30)), to: dayIn(query.daysAfter ?? 90) };
        const asked = { ...days, viewer: callerOf(principal) };
        const [items, title] = await Promise.all([listShown(sql, asked), name()]);
        return {
          status: 200,
          headers: {
            'content-type': 'text/calendar; charset=utf-8',
            'content-disposition': 'inline; filename="revenge.ics"',
            'cache-control': 'private, no-cache',
          },
          stream: describeCalendar(items, { title, at: new Date(now()) }),
        };
      },
    },
  };
}
