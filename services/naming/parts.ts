const stackName =
  /^(.*?[\s._\-()[\]]|.*[)\]])?(cd|dvd|part|pt|disc|disk)[\s._-]*(\d{1,2}|[a-d])(?:of\d{1,2})?[)\]]?$/i;

/** The part a name ends in ('… cd2', '… - part B'); undefined when it does not. */
export function partOf(stem: string): { base: string; kind: string; part: number } | undefined {
  const match = stackName.exec(stem);
  const [, base = '', type, digit] = match ?? [];
  if (type === undefined || digit === undefined) return undefined;
  const name = base.replace(/[\s._([-]+$/, '');
  if (name === '') return undefined;
  const isLetter = /[a-d]/i.test(digit);
  const part = isLetter ? digit.toLowerCase().charCodeAt(0) - 96 : Number(digit);
  return { base: name, kind: `${type.toLowerCase()}${isLetter ? 'a' : '1'}`, part };
}

/** Sets of names that are parts of one: alike but for a part's number, at least two of a kind. */
export function stackParts<File extends { readonly stem: string }>(
  files: readonly File[],
): { readonly stem: string; readonly parts: readonly File[] }[] {
  const byBase = new Map<string, { file: File; base: string; part: number }[]>();
  files.forEach((file, index) => {
    const part = partOf(file.stem);
    const key = part === undefined ? `file ${index}` : `${part.kind} ${part.base.toLowerCase()}`;
    const one = { file, base: part?.base ?? file.stem, part: part?.part ?? 0 };
    const list = byBase.get(key);
    if (list === undefined) byBase.set(key, [one]);
    else list.push(one);
  });
  return [...byBase.values()].flatMap((list) => {
    const isStack = list.length > 1 && new Set(list.map(({ part }) => part)).size > 1;
    if (!isStack) return list.map(({ file }) => ({ stem: file.stem, parts: [file] }));
    const sorted = list.toSorted((a, b) => a.part - b.part);
    return [{ stem: sorted[0]?.base ?? '', parts: sorted.map(({ file }) => file) }];
  });
}
