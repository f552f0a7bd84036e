import { expect } from 'chai';
import { contentDisposition, contentType, entityTag } from './headers.ts';

describe('playback headers', () => {
  const types: [name: string, container: string | undefined, type: string][] = [
    ['Heat (1995).mkv', undefined, 'video/x-matroska'],
    ['a.MP4', undefined, 'video/mp4'],
    ['a.ts', undefined, 'video/mp2t'],
    ['a.m2ts', 'mpegts', 'video/mp2t'],
    ['a.avi', undefined, 'video/x-msvideo'],
    ['a.webm', 'matroska', 'video/webm'],
    ['a.srt', undefined, 'application/x-subrip; charset=utf-8'],
    ['noextension', 'matroska', 'video/x-matroska'],
    ['evil.html', undefined, 'application/octet-stream'],
    ['evil.svg', undefined, 'application/octet-stream'],
    ['a.constructor', undefined, 'application/octet-stream'],
  ];
  for (const [name, container, type] of types) {
    it(`${name} is ${type}`, () => expect(contentType(name, container)).to.equal(type));
  }

  it('names a file for old clients and for new ones', () => {
    expect(contentDisposition('inline', 'Amélie "2001"\n100%.mkv')).to.equal(
      `inline; filename="Am_lie _2001__100_.mkv"; ` +
        `filename*=UTF-8''Am%C3%A9lie%20%222001%22%E2%90%8A100%25.mkv`,
    );
    expect(contentDisposition('attachment', `It's (1990)*.mkv`)).to.equal(
      `attachment; filename="It's (1990)*.mkv"; ` + `filename*=UTF-8''It%27s%20%281990%29%2A.mkv`,
    );
    expect(contentDisposition('inline', 'Am\uf7e9lie.mkv')).to.contain(`UTF-8''Am%C3%A9lie.mkv`);
  });

  it('tags differ when size, time or file differ', () => {
    const facts = { sizeBytes: 10, mtimeMs: 1_700_000_000_000.25, inode: '12345678901234567890' };
    const tags = [
      entityTag(facts),
      entityTag({ ...facts, sizeBytes: 11 }),
      entityTag({ ...facts, mtimeMs: facts.mtimeMs + 0.01 }),
      entityTag({ ...facts, inode: '12345678901234567891' }),
    ];
    expect(new Set(tags).size).to.equal(4);
    for (const tag of tags) expect(tag).to.match(/^"[\w-]+"$/);
  });
});
