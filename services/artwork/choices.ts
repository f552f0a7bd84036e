import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Queryable } from '#storage/postgres/connect.ts';
import { recordWork, type Doer } from '../activity/record.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import { callerOf } from '../principal.ts';
import type { SeesItem } from '../visible.ts';
import type { Show } from './address.ts';
import { workTagsOf, type PictureParts } from './parts.ts';
import { chooseAgain, tagsOf } from './refresh.ts';
import { findImages, lockItems, setChoice, type Image } from './store.ts';

/** What people call an item, as the log of activity names it; undefined: there is none. */
export type NameOf = (sql: Queryable, kind: string, itemId: string) => Promise<string | undefined>;

/** What a person sees and says of an item's pictures. */
export function createChoices(deps: {
  store: Store;
  show: Show;
  parts: readonly PictureParts[];
  nameOf: NameOf;
  seesItem: SeesItem;
}): HandlersOf<'listItemImages' | 'chooseItemImage' | 'unchooseItemImage'> {
  const { store, show, parts, nameOf } = deps;
  const choose = async (
    which: { kind: string; itemId: string; imageId: string },
    { isChosen, by }: { isChosen: boolean; by: Doer | undefined },
  ) => {
    const { kind, itemId, imageId } = which;
    await store.write(async (tx, stale) => {
      await lockItems(tx, kind, [itemId]);
      const type = await setChoice(tx, { kind, itemId, id: imageId }, isChosen);
      if (type === undefined) throw problem('not-found', 'The item has no such picture');
      const action = isChosen ? 'work.image-chosen' : 'work.image-released';
      const name = await nameOf(tx, kind, itemId);
      await recordWork(tx, action, { kind, itemId, name, by, details: { type, imageId } });
      await chooseAgain(tx, kind, itemId);
      const part = parts.find((one) => one.kind === kind);
      stale(...tagsOf(kind, itemId), ...(await workTagsOf(tx, part, itemId)));
    });
    return { status: 204, body: undefined };
  };
  return {
    async listItemImages({ params, principal }) {
      const isSeen = await deps.seesItem(store.sql, callerOf(principal), params);
      const images = isSeen ? await findImages(store.sql, params.kind, [params.itemId]) : [];
      return { body: { items: images.map((image) => presentImage(image, show)) } };
    },
    chooseItemImage: ({ params, principal: by }) => choose(params, { isChosen: true, by }),
    unchooseItemImage: ({ params, principal: by }) => choose(params, { isChosen: false, by }),
  };
}

/** A picture as who chooses among an item's sees it. Pure. */
export function presentImage(image: Image, show: Show): components['schemas']['ArtworkImage'] {
  const { id, type, source, format, language, isChosen, isChosenByUser } = image;
  return { id, type, source, format, language, isChosen, isChosenByUser, ...show(image) };
}
