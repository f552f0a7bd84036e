import ical, { ICalCalendarMethod, ICalEventTransparency } from 'ical-generator';
import type { Shown } from './store.ts';

/**
 * A calendar of episodes for other programs (RFC 5545): each takes a whole day, since nobody says
 * at what hour, and is the same event in every export. Pure.
 */
export function describeCalendar(
  items: readonly Shown[],
  { title, at }: { title: string; at: Date },
): string {
  const calendar = ical({
    ...{ name: title, method: ICalCalendarMethod.PUBLISH, ttl: 3_600 },
    prodId: { company: 'Revenge', product: 'Revenge' },
  });
  for (const one of items) {
    const { episodeId, seriesId, season, number, airDate } = one;
    const id = number === null ? (episodeId ?? seriesId) : `${seriesId}-s${season}e${number}`;
    calendar.createEvent({
      id: `${id}@revenge`,
      ...{ start: new Date(`${airDate}T00:00:00Z`), allDay: true, timezone: 'UTC', stamp: at },
      summary: summaryOf(one),
      transparency: ICalEventTransparency.TRANSPARENT,
      ...(one.overview === null ? {} : { description: one.overview }),
    });
  }
  return calendar.toString();
}

const two = (count: number): string => String(count).padStart(2, '0');

function summaryOf({ seriesTitle, season, number, absolute, title }: Shown): string {
  const counted = absolute === null ? '' : ` ${two(absolute)}`;
  const place = number === null ? counted : ` S${two(season)}E${two(number)}`;
  return `${seriesTitle}${place}${title === null ? '' : ` – ${title}`}`;
}
