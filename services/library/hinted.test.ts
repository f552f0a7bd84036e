import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { plainKind } from '#test/fakes/plain-kind.ts';
import { libraryRig, type LibraryRig } from '#test/library.ts';
import type { ContentModule } from '../content/module.ts';

describe('hint files in a scan', () => {
  let rig: LibraryRig;
  /** What each directory was identified with, since it was last asked. */
  let heard: Map<string, string[]>;

  const hearing: ContentModule = {
    ...plainKind,
    classify: (file) => (file.name === '.plexmatch' ? 'nfo' : plainKind.classify(file)),
    identify(tx, batch) {
      const texts = [...batch.texts.values()].map((bytes) => Buffer.from(bytes).toString('utf8'));
      for (const { path } of batch.directories) heard.set(path, texts.toSorted());
      return plainKind.identify(tx, batch);
    },
  };

  beforeEach(async () => {
    heard = new Map();
    rig = await libraryRig({ module: hearing });
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  it('are heard again by all that lies below them when they change, come or go', async () => {
    await rig.write({
      'm/Show/.plexmatch': 'title: A',
      'm/Show/Season 1/1.mkv': '1',
      'm/Show/Season 2/deep/2.mkv': '2',
      'm/Shower/3.mkv': '3',
    });
    const id = await rig.add('Films', 'm');
    const file = join(rig.folder, 'm/Show/.plexmatch');
    const steps: [() => Promise<void>, string[]][] = [
      [() => writeFile(file, 'title: B, longer'), ['title: B, longer']],
      [() => rm(file), []],
      [() => writeFile(file, 'title: C'), ['title: C']],
    ];
    for (const [change, texts] of steps) {
      heard.clear();
      await change();
      await rig.scan(id, { mode: 'full' });
      expect(heard.get('Show/Season 1')).to.deep.equal(texts);
      expect(heard.get('Show/Season 2/deep')).to.deep.equal(texts);
      expect(heard.has('Shower')).to.equal(false);
    }
  });

  it('are heard by a directory that changes alone', async () => {
    await rig.write({ 'm/Show/.plexmatch': 'title: A', 'm/Show/Season 1/1.mkv': '1' });
    const id = await rig.add('Films', 'm');
    heard.clear();
    await rig.write({ 'm/Show/Season 1/2.mkv': '22' });
    await rig.scan(id);
    expect([...heard]).to.deep.equal([['Show/Season 1', ['title: A']]]);
  });
});
