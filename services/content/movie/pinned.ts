import { leftAt, mainShare, sharesOf, type Pin, type Pins } from '../pins.ts';
import type { PlacedFile } from '../placed.ts';
import type { SideFile } from './attach.ts';
import type { Plan } from './plan.ts';

type Version = Plan['group']['versions'][number];

const filesOf = ({ parts, auxiliary }: Version): PlacedFile[] => [...parts, ...auxiliary];

/** A plan by the films that a person gave its files to; as it is where nobody did. Pure. */
export function pinnedPlans(plan: Plan, pins: Pins): Plan[] {
  if (pins.byFile.size + pins.left.size === 0) return [plan];
  const entries = plan.group.versions.map((of) => ({ videos: filesOf(of), of }));
  // In a folder of many films, a missing file's place is nobody's.
  const left = plan.group.hasFolder ? leftAt(pins, plan.videos) : [];
  const shares = sharesOf(entries, pins, { pins: left, isKnown: false });
  const [first, ...more] = shares;
  if (first === undefined || more.length === 0) {
    return [{ ...plan, pin: first?.pin, keepsRow: first?.pin?.isGuest === true }];
  }
  const main = mainShare(shares);
  const others = shares.filter((share) => share !== main);
  const taken = new Set(others.flatMap(({ of }) => of.flatMap(filesOf)).map(({ id }) => id));
  const rest = plan.sides.filter((side) => !taken.has(ownerOf(side) ?? ''));
  const parts = others.map(({ pin, of }) => partOf(plan, of, pin));
  if (main === undefined) return parts;
  const videos = main.of.flatMap(filesOf);
  const group = { ...plan.group, versions: main.of };
  return [{ ...plan, group, videos, sides: rest, pin: main.pin }, ...parts];
}

const ownerOf = ({ facts }: SideFile): string | undefined =>
  'forFileId' in facts ? facts.forFileId : undefined;

/** Some versions of a plan: neither folder nor NFO speaks for them. */
function partOf(plan: Plan, versions: readonly Version[], pin: Pin | undefined): Plan {
  const videos = versions.flatMap(filesOf);
  const ids = new Set(videos.map(({ id }) => id));
  return {
    ...{ ...plan, videos, pin, keepsRow: true, nfo: undefined, problems: [], ids: {} },
    group: { ...plan.group, versions, hasFolder: false },
    sides: plan.sides.filter((side) => ids.has(ownerOf(side) ?? '')),
  };
}
