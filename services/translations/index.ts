/** Titles and texts in each viewer's language, over the answers of every kind of work. */
import { createHash } from 'node:crypto';
import type { Call, Handler, HandlersOf, OperationId } from '#api/handler.ts';
import type { Cache } from '#storage/cache/cache.ts';
import type { Sql } from '#storage/postgres/connect.ts';
import { isAsWanted } from '../languages.ts';
import { chooseTexts, type Texts } from './choose.ts';
import { shapes, type Find, type Shape, type Shown } from './shapes.ts';
import { libraryLanguages, translationsOf, type TranslatedKind } from './store.ts';
import { wantedLanguages } from './wanted.ts';

/** Operations that answer in the viewer's language. */
export type TranslatedOperation = keyof typeof shapes;

type Answer = { readonly headers?: Readonly<Record<string, string>>; readonly body: unknown };
type AnyHandler = (call: Call<OperationId>) => Promise<Answer>;

/** What translating needs. */
export interface TranslationDeps {
  readonly sql: Sql;
  readonly cache: Cache;
}

const minute = 60_000;

/**
 * Makes handlers answer in the language of who asks. What they answer, and what they keep in
 * caches, is the same for everybody: texts in other languages are put over it afterwards.
 */
export function createTranslations({ sql, cache }: TranslationDeps) {
  const languages = cache.define<string, readonly string[]>({
    name: 'translations.libraries',
    ttlMs: 5 * minute,
    load: () => libraryLanguages(sql),
    tags: () => ['libraries'],
  });
  const translate = async (call: Call<OperationId>, answer: Answer, shape: Shape<unknown>) => {
    const wanted = wantedLanguages(call);
    const [first] = wanted;
    const headers = { ...answer.headers, Vary: 'Accept-Language' };
    if (first === undefined) return { ...answer, headers };
    const known = await languages.get('');
    if (known.every((own) => isAsWanted(own, first))) return { ...answer, headers };
    const texts = await textsOf(sql, shape.works(answer.body), wanted);
    if (texts.size === 0) return { ...answer, headers };
    const find: Find = ({ kind, id }) => texts.get(`${kind} ${id}`);
    const body = shape.put(answer.body, find);
    const etag = answer.headers?.['ETag'];
    const tag = etag === undefined ? {} : { ETag: etagWith(etag, [...texts]) };
    return { ...answer, headers: { ...headers, ...tag }, body };
  };
  return {
    /** The handlers, with those that show works in the viewer's language. */
    over<Handlers extends HandlersOf<TranslatedOperation>>(handlers: Handlers): Handlers {
      const put = (Object.keys(shapes) as TranslatedOperation[]).map((name) => {
        const handle = handlers[name] as unknown as AnyHandler;
        const shape = shapes[name] as unknown as Shape<unknown>;
        const run: AnyHandler = async (call) => translate(call, await handle(call), shape);
        return [name, run as unknown as Handler<typeof name>] as const;
      });
      return { ...handlers, ...Object.fromEntries(put) };
    },
  };
}

/** What to show in place of works' own texts, by kind and id. */
async function textsOf(
  sql: Sql,
  works: readonly Shown[],
  wanted: readonly string[],
): Promise<Map<string, Texts>> {
  const byKind = [...Map.groupBy(works, ({ kind }) => kind)];
  const found = await Promise.all(
    byKind.map(async ([kind, list]) => {
      const ids = [...new Set(list.map(({ id }) => id))];
      const rows = await translationsOf(sql, kind, { ids, wanted });
      return rows.map((row) => [nameOf(kind, row.id), chooseTexts(row, wanted)] as const);
    }),
  );
  return new Map(found.flat().filter(([, texts]) => Object.keys(texts).length > 0));
}

const nameOf = (kind: TranslatedKind, id: string): string => `${kind} ${id}`;

/** Another tag for the same state in other words; its revision stays the first of it. */
const etagWith = (etag: string, texts: unknown): string => {
  const digest = createHash('sha1').update(JSON.stringify(texts)).digest('base64url').slice(0, 12);
  return etag.replace(/"$/, `.${digest}"`);
};
