import data from './data/places.json' with { type: 'json' };

const genericNames: ReadonlySet<string> = new Set(data.generic.split(','));

/** Whether a name says nothing about a work: `movie`, `00001`, `VTS_01_1`, an obfuscated hash. */
export function isGenericName(name: string): boolean {
  const lower = name.trim().toLowerCase();
  if (lower === '' || genericNames.has(lower)) return true;
  if (/^(?:vts_\d\d_\d|\d{5}|title[ _-]?\d{1,2}|t\d{2})$/.test(lower)) return true;
  if (/^[0-9a-f]{16,}$/.test(lower)) return true;
  return /^[a-z]-[a-z]$|^#?[a-z]?(?:-[a-z])?$/.test(lower) || /^\d{4}s$/.test(lower);
}
