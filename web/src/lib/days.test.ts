import { expect } from 'chai';
import fc from 'fast-check';
import { addDays, daysFrom, daySpan, firstWeekday, localDay, readDay, weekOf } from './days.ts';

describe('days of the calendar', () => {
  it('are followed by others, over the ends of months and years', () => {
    expect(addDays('2024-02-28', 1)).to.equal('2024-02-29');
    expect(addDays('2026-01-01', -1)).to.equal('2025-12-31');
  });

  for (const [day, first, week] of [
    ['2026-11-29', 1, '2026-11-23'],
    ['2026-11-29', 7, '2026-11-29'],
    ['2026-11-23', 1, '2026-11-23'],
    ['2026-11-28', 7, '2026-11-22'],
    ['2026-11-27', 6, '2026-11-21'],
  ] as const) {
    it(`are in the week of ${week} on ${day} where weeks begin on day ${first}`, () => {
      expect(weekOf(day, first)).to.equal(week);
    });
  }

  it('are each in the one week that holds them', () => {
    const days = fc
      .date({ min: new Date('1900-01-01'), max: new Date('2199-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10));
    fc.assert(
      fc.property(days, fc.integer({ min: 1, max: 7 }), (day, first) => {
        const week = daysFrom(weekOf(day, first));
        expect(week).to.include(day);
        expect(week.map((one) => weekOf(one, first))).to.deep.equal(Array(7).fill(week[0]));
      }),
    );
  });

  it('are read from an address, and from nothing else', () => {
    expect(readDay('2026-11-29')).to.equal('2026-11-29');
    for (const text of [null, '', 'x', '2026-02-30', '2026-13-01', '9999-12-31', '2026-1-1']) {
      expect(readDay(text), String(text)).to.equal(undefined);
    }
  });

  it('are those of where somebody is, and told as is usual there', () => {
    expect(localDay(new Date(2026, 0, 2, 23, 59))).to.equal('2026-01-02');
    expect(firstWeekday('de-DE')).to.equal(1);
    expect(firstWeekday('en-US')).to.equal(7);
    // With what spaces around the dash is for the library to say.
    expect(daySpan('2026-11-23', '2026-11-29', 'en-GB')).to.match(/^23\s*–\s*29 Nov 2026$/);
  });
});
