import type { components } from '#api/types.ts';
import type { NoticeValues } from '#cluster/notices.ts';

type Values = components['schemas']['NoticeValues'];

/** The values of a notice as the API has them: numbers whole, as no sentence needs more. Pure. */
export function toValues(values: NoticeValues): Values {
  const plain = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === 'number' ? Math.round(value) : typeof value === 'string' ? value : [...value],
  ]);
  return Object.fromEntries(plain) as Values;
}
