/** How a field of a work is written: a line, a text, a year, a day, names with commas, or chosen. */
export type FieldKind = 'line' | 'text' | 'year' | 'day' | 'names' | 'order';

export interface EditField<Name extends string = string> {
  readonly name: Name;
  readonly kind: FieldKind;
  /** It is never empty. */
  readonly isNeeded?: boolean;
}

/** What a field holds, as the API has it. */
export type FieldValue = string | number | null | readonly string[];

/** A field as somebody writes it. Pure. */
export function textOf(value: FieldValue | undefined): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? value.join(', ') : String(value);
}

/** What somebody has written, as the API has it; nothing is null. Pure. */
export function valueOf({ kind, isNeeded }: EditField, text: string): FieldValue {
  const trimmed = text.trim();
  if (kind === 'names') {
    const names = trimmed.split(',').map((name) => name.trim());
    return names.filter(Boolean);
  }
  if (trimmed === '') return isNeeded ? '' : null;
  return kind === 'year' ? Number(trimmed) : trimmed;
}

export interface Edited {
  readonly texts: Readonly<Record<string, string>>;
  readonly locked: ReadonlySet<string>;
}

/** Only what was changed: what is set is locked. Pure. */
export function changesOf(
  fields: readonly EditField[],
  before: Edited,
  after: Edited,
): Record<string, FieldValue> {
  const changes: Record<string, FieldValue> = {};
  for (const field of fields) {
    const text = after.texts[field.name] ?? '';
    if (text !== before.texts[field.name]) changes[field.name] = valueOf(field, text);
  }
  const names = ({ locked }: Edited) => [...locked].sort();
  const locked = names(after);
  return locked.join() === names(before).join() ? changes : { ...changes, lockedFields: locked };
}
