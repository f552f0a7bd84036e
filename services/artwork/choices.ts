import type { HandlersOf } from '#api/handler.ts';
import type { components } from '#api/types.ts';
import type { Store } from '../changes.ts';
import { problem } from '../errors.ts';
import type { Show } from './address.ts';
import { workTagsOf, type PictureParts } from './parts.ts';
import { chooseAgain, tagsOf } from './refresh.ts';
import { findImages, lockItems, setChoice, type Image } from './store.ts';

/** What a person sees and says of an item's pictures. */
export function createChoices(deps: {
  store: Store;
  show: Show;
  parts: readonly PictureParts[];
}): HandlersOf<'listItemImages' | 'chooseItemImage' | 'unchooseItemImage'> {
  const { store, show, parts } = deps;
  const choose = async (
    which: { kind: string; itemId: string; imageId: string },
    isChosen: boolean,
  ) => {
    const { kind, itemId, imageId } = which;
    await store.write(async (tx, stale) => {
      await lockItems(tx, kind, [itemId]);
      const isThere = await setChoice(tx, { kind, itemId, id: imageId }, isChosen);
      if (!isThere) throw problem('not-found', 'The item has no such picture');
      await chooseAgain(tx, kind, itemId);
      const part = parts.find((one) => one.kind === kind);
      stale(...tagsOf(kind, itemId), ...(await workTagsOf(tx, part, itemId)));
    });
    return { status: 204, body: undefined };
  };
  return {
    async listItemImages({ params }) {
      const images = await findImages(store.sql, params.kind, [params.itemId]);
      return { body: { items: images.map((image) => presentImage(image, show)) } };
    },
    chooseItemImage: ({ params }) => choose(params, true),
    unchooseItemImage: ({ params }) => choose(params, false),
  };
}

/** A picture as who chooses among an item's sees it. Pure. */
export function presentImage(image: Image, show: Show): components['schemas']['ArtworkImage'] {
  const { id, type, source, format, language, isChosen, isChosenByUser } = image;
  return { id, type, source, format, language, isChosen, isChosenByUser, ...show(image) };
}
