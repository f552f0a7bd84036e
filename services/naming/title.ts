/** Cuts and cleans the title out of a name. Pure. */

/** Dots are spaces, except between the letters of an acronym: `R.I.P.D`, `in L.A`. */
function undot(text: string): string {
  const tokens = text.split('.');
  const isInitial = (token: string | undefined) =>
    token !== undefined && /^(?:.* )?\p{L}$/u.test(token);
  return tokens
    .map((token, index) => {
      const last = index === tokens.length - 1;
      const inside =
        isInitial(token) && (isInitial(tokens[index - 1]) || isInitial(tokens[index + 1]));
      if (!inside) return token + (last ? '' : ' ');
      return `${token}.${isInitial(tokens[index + 1]) ? '' : ' '}`;
    })
    .join('');
}

/** A piece of a name as a title: separators to blanks, brackets that do not close away. */
export function cleanTitle(raw: string): string {
  let text = raw;
  const open = text.lastIndexOf('(');
  if (open > 0 && !text.includes(')', open) && /[\p{L}\p{N}]/u.test(text.slice(0, open))) {
    text = text.slice(0, open);
  }
  if (text.includes('_')) text = text.replace(/_/g, ' ');
  text = text.replace(/^[\s._\-–,)\]】>]+|[\s._\-–,~:([{|/【<]+$/g, '');
  if (text.includes('.')) {
    const dots = text.match(/\S\.(?=\S)/g)?.length ?? 0;
    const spaces = text.match(/ /g)?.length ?? 0;
    if (spaces === 0 || dots > spaces) text = undot(text);
  }
  return text.includes('  ') || /\s$/.test(text) ? text.replace(/\s+/g, ' ').trim() : text;
}

const otherScripts = /[\u0400-\u04ff\u3040-\ud7ff]/;
const latin = /[a-z]{2}/i;

/** The titles a name gives ("A aka B", "А / B"): of several alphabets the Latin one first. */
export function splitTitles(title: string): string[] {
  if (!/[/|／·]|\ba\.?k\.?a|^[\u3040-\ud7ff]/i.test(title)) return [title];
  const named = /^(.+?)\s*\(\s*aka[\s.]+(.+?)\)?$/i.exec(title);
  if (named?.[1] !== undefined && named[2] !== undefined) return [named[1], named[2]];
  const slashed = title
    .split(
      /\s?[/|／]\s|(?<=[\u3040-\ud7ff][^/|_]*)(?: _ |_(?=[a-z]))|(?<=[\u3040-\ud7ff])·(?=[a-z])/i,
    )
    .map((part) => part.replace(/^[\s\-_]+|[\s\-_(]+$/g, ''))
    .filter((part) => part !== '');
  if (slashed.length > 1) {
    const first = slashed.find((part) => latin.test(part) && !otherScripts.test(part));
    return first === undefined ? slashed : [first, ...slashed.filter((part) => part !== first)];
  }
  const both = /^([\u3040-\ud7ff！!：:\d]+)[\s._]+([a-z][^\u3040-\ud7ff]+)$/i.exec(title);
  if (both?.[1] !== undefined && both[2] !== undefined) return [both[2], both[1]];
  return title.split(/(?<=\S)\s+a(?:\.k\.a\.?|ka)\s+(?=\S)/i);
}
