import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { quiet } from '#test/log.ts';
import { needs } from '#test/needs.ts';
import { createMedia, encodePath, MediaError, type MediaEngine } from './index.ts';
import type { Look } from './media.ts';
import { describeTools, findTool, readEncoders } from './tools.ts';

const ffmpeg = (...args: string[]) =>
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args], { timeout: 60_000 });

const failure = async (work: Promise<unknown>): Promise<MediaError> => {
  const error: unknown = await work.then(
    () => undefined,
    (fault: unknown) => fault,
  );
  expect(error).to.be.instanceOf(MediaError);
  return error as MediaError;
};

const start = (options: { ffmpegPath?: string; ffprobePath?: string } = {}): MediaEngine =>
  createMedia({
    log: quiet,
    processes: 2,
    idleMs: 60_000,
    perMountLimit: 4,
    now: Date.now,
    ...options,
  });

describe('media programs', function () {
  needs('ffmpeg', 'ffprobe');
  let root: string;
  let media: MediaEngine;
  let asked: string[];
  let server: Server;

  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'revenge-programs-'));
    const picture = join(root, 'poster.jpg');
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=600x900', '-frames:v', '1', picture);
    const chapters = join(root, 'chapters.txt');
    writeFileSync(
      chapters,
      ';FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\ntitle=One\n',
    );
    const sources = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=2:r=25'];
    const sound = ['-f', 'lavfi', '-i', 'sine=d=2', '-f', 'ffmetadata', '-i', chapters];
    const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', '-map_metadata', '2'];
    const attach = ['-attach', picture, '-metadata:s:t', 'mimetype=image/jpeg'];
    const languages = ['-metadata:s:a:0', 'language=ger', '-shortest'];
    const maps = ['-map', '0:v', '-map', '1:a'];
    const film = join(root, 'film.mkv');
    ffmpeg(...sources, ...sound, ...maps, ...codecs, ...languages, ...attach, film);
    // Of a kind that is left to ffprobe.
    ffmpeg('-i', film, '-map', '0:v:0', '-c:v', 'flv', join(root, 'film.flv'));
    media = start();
    asked = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    await media[Symbol.asyncDispose]();
    await new Promise((resolve) => server.close(resolve));
    rmSync(root, { recursive: true });
  });

  it('probes a film', async () => {
    const probe = await media.probe(root, 'film.mkv', {});
    expect(probe.container).to.equal('matroska');
    expect(probe.durationMs).to.be.within(1_900, 2_200);
    expect(probe.tags['title']).to.equal('A film');
    const [chapter] = probe.chapters;
    expect(chapter).to.include({ startMs: 0, title: 'One' });
    expect(chapter?.endMs).to.be.closeTo(2_000, 50);
    const [picture, sound, cover] = probe.streams;
    expect(picture).to.include({ type: 'video', codec: 'h264', width: 320, height: 180 });
    expect(picture).to.include({ frameRate: 25, bitDepth: 8, interlaced: false });
    expect(sound).to.include({ type: 'audio', codec: 'aac', language: 'de', channels: 1 });
    expect(cover).to.include({ type: 'attachment', role: 'picture' });
  });

  it('looks at many files at once, and leaves open what needs a program', async () => {
    writeFileSync(join(root, 'list.mkv'), '#EXTM3U\n');
    writeFileSync(join(root, 'nothing.mkv'), '');
    const paths = ['film.mkv', 'gone.mkv', 'film.flv', 'list.mkv', 'nothing.mkv', '../film.mkv'];
    const looks = await media.lookMany(root, paths, {});
    const codes = looks.map((look) => (look instanceof MediaError ? look.code : 'ok'));
    expect(codes).to.deep.equal(['ok', 'not-found', 'ok', 'ok', 'ok', 'forbidden']);
    const [film, , other, list, nothing] = looks as Look[];
    expect(film).to.deep.equal({
      fingerprint: await media.fingerprint(root, 'film.mkv', {}),
      probe: await media.probe(root, 'film.mkv', {}),
    });
    for (const open of [other, list, nothing]) expect(open?.probe).to.equal(undefined);
    const asked = await media.probe(root, 'film.flv', { isLookedAt: true });
    expect(asked.container).to.equal('flv');
  });

  it('takes any name for a name', async () => {
    const names = ['-version', 'concat:film.mkv|film.mkv', 'http:x.mkv', '%d.mkv', 'a:b#?.mkv'];
    for (const name of [...names, 'a\nb.mkv', '[x]{y}*.mkv', 'Am\uf7e9lie.mkv']) {
      const bytes = Buffer.from(name.replace('\uf7e9', '\xe9'), 'latin1');
      copyFileSync(join(root, 'film.mkv'), Buffer.concat([Buffer.from(`${root}/`), bytes]));
      const probe = await media.probe(root, encodePath(bytes), {});
      expect(probe.streams, name).to.have.length(3);
    }
  });

  it('takes a playlist in a film’s clothes for what it is, and opens nothing it names', async () => {
    writeFileSync(join(root, 'secret.ts'), readFileSync(join(root, 'film.mkv')));
    const { port } = server.address() as AddressInfo;
    const address = `http://127.0.0.1:${port}/stolen.ts`;
    const list = (entry: string) =>
      `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${entry}\n#EXT-X-ENDLIST\n`;
    const files: [name: string, text: string][] = [
      ['evil.mkv', list(address)],
      ['evil2.mkv', list('secret.ts')],
      ['evil3.mp4', `ffconcat version 1.0\nfile '${join(root, 'secret.ts')}'\n`],
      ['evil4.mkv', `\ufeff\n  ${list(address)}`],
      ['evil5.avi', `<?xml version="1.0"?><MPD><BaseURL>${address}</BaseURL></MPD>`],
      ['evil6.mkv', list(`file://${join(root, 'secret.ts')}`)],
      ['evil7.mkv', `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video ${port} RTP/AVP 96\n`],
      ['evil8.ts', `[playlist]\nFile1=${address}\n`],
      // Not known to us as a playlist: the decoder's own allow list must refuse it.
      ['evil9.mkv', `file '${join(root, 'secret.ts')}'\n`],
      ['evil10.mkv', `${'x'.repeat(300)}\n${list(address)}`],
    ];
    for (const [name, text] of files) {
      writeFileSync(join(root, name), text);
      for (const call of [
        () => media.probe(root, name, {}),
        () => media.frame(root, name, { atMs: 0, among: 1 }),
      ]) {
        const error = await failure(call());
        expect(error.code, name).to.equal('unreadable');
        expect(error.message).to.match(/playlist in disguise|not a media file|no picture/);
      }
    }
    expect(asked).to.deep.equal([]);
  });

  it('does not follow what an MP4 refers to outside of itself', async () => {
    // A QuickTime reference movie is a `rmra` atom that names another file.
    const path = join(root, 'secret.ts');
    const url = Buffer.concat([Buffer.from('url '), Buffer.alloc(4), Buffer.from(`${path}\0`)]);
    url.writeUInt32BE(path.length + 1, 4);
    const atom = (type: string, body: Buffer) => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(body.length + 8);
      head.write(type, 4, 'latin1');
      return Buffer.concat([head, body]);
    };
    const reference = atom('rdrf', Buffer.concat([Buffer.alloc(4), url]));
    const movie = atom('moov', atom('rmra', atom('rmda', reference)));
    writeFileSync(
      join(root, 'reference.mov'),
      Buffer.concat([atom('ftyp', Buffer.from('qt  ')), movie]),
    );
    expect((await failure(media.probe(root, 'reference.mov', {}))).code).to.equal('unreadable');
  });

  it('says what is wrong with a broken file, and not where it lies', async () => {
    writeFileSync(join(root, 'broken.mkv'), Buffer.alloc(100_000, 7));
    writeFileSync(join(root, 'empty.mkv'), '');
    const broken = await failure(media.probe(root, 'broken.mkv', {}));
    expect(broken.code).to.equal('unreadable');
    expect(broken.message).to.not.contain('/proc');
    expect((await failure(media.probe(root, 'empty.mkv', {}))).message).to.contain('empty');
  });

  it('takes a frame, and a picture that is attached', async () => {
    const frame = await media.frame(root, 'film.mkv', { atMs: 1_000, among: 3 });
    expect(await media.inspectImage(frame.bytes, {})).to.include({
      format: 'jpeg',
      width: 320,
      height: 180,
    });
    const picture = await media.attachedPicture(root, 'film.mkv', { index: 2 });
    expect(Buffer.from(picture).equals(readFileSync(join(root, 'poster.jpg')))).to.equal(true);
    const last = await media.frame(root, 'film.mkv', { atMs: 60_000, among: 3 });
    expect(last.atMs).to.be.lessThan(2_000);
    expect((await failure(media.attachedPicture(root, 'film.mkv', { index: 9 }))).code).to.equal(
      'unreadable',
    );
  });

  it('shows frames as they are seen, no wider than 1920', async () => {
    const wide = join(root, 'anamorphic.mkv');
    const source = ['-f', 'lavfi', '-i', 'testsrc2=s=720x576:d=0.2', '-vf', 'setsar=64/45'];
    ffmpeg(...source, '-c:v', 'libx264', '-preset', 'ultrafast', wide);
    const look = async (name: string) =>
      media.inspectImage((await media.frame(root, name, { atMs: 0, among: 1 })).bytes, {});
    const seen = await look('anamorphic.mkv');
    expect(seen).to.include({ width: 1024, height: 576 });
    const big = ['-f', 'lavfi', '-i', 'testsrc2=s=3840x2160:d=0.1', '-c:v', 'mjpeg'];
    ffmpeg(...big, join(root, 'big.mkv'));
    const small = await look('big.mkv');
    expect(small).to.include({ width: 1920, height: 1080 });
  });

  for (const ending of ['mkv', 'mp4', 'ts', 'avi']) {
    it(`takes of some frames the one that shows most, and finds it again: ${ending}`, async () => {
      const name = `scenes.${ending}`;
      const dark = (seconds: number) => `color=s=320x180:r=25:d=${seconds}`;
      const graph = `${dark(4)}[a];testsrc2=s=320x180:r=25:d=2[b];${dark(6)}[c];[a][b][c]concat=n=3`;
      const codec = ending === 'avi' ? ['-c:v', 'mpeg4'] : ['-c:v', 'libx264'];
      ffmpeg('-filter_complex', graph, ...codec, '-g', '50', '-bf', '2', join(root, name));
      const best = await media.frame(root, name, { atMs: 2_500, among: 3 });
      expect(best.atMs).to.be.within(3_900, 5_900);
      const again = await media.frame(root, name, { atMs: best.atMs, among: 1 });
      expect(Buffer.from(again.bytes).equals(best.bytes)).to.equal(true);
      const first = await media.frame(root, name, { atMs: 0, among: 1 });
      expect(first.bytes.length).to.be.lessThan(best.bytes.length / 2);
    });
  }

  it('takes a frame of a video whose pictures all build on others', async () => {
    const source = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:d=6', '-c:v', 'libx264'];
    ffmpeg(...source, '-g', '25', '-x264-params', 'intra-refresh=1', join(root, 'refresh.ts'));
    const frame = await media.frame(root, 'refresh.ts', { atMs: 3_000, among: 3 });
    expect(await media.inspectImage(frame.bytes, {})).to.include({ width: 320 });
  });

  it('says that a program is missing', async () => {
    await using poor = start({ ffmpegPath: '/nonexistent/ffmpeg', ffprobePath: '/nonexistent/x' });
    expect((await failure(poor.probe(root, 'film.flv', {}))).code).to.equal('tool-missing');
    const frame = poor.frame(root, 'film.mkv', { atMs: 0, among: 1 });
    expect((await failure(frame)).code).to.equal('tool-missing');
  });

  it('kills a program that takes too long', async () => {
    const slow = join(root, 'slow.sh');
    writeFileSync(slow, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    await using stuck = start({ ffprobePath: slow });
    const error = await failure(stuck.probe(root, 'film.flv', { timeoutMs: 300 }));
    expect(error.code).to.equal('timeout');
    // Its process answers once the program is dead, so that nothing had to be replaced.
    while (stuck.stats().working > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(stuck.stats().restarts).to.equal(0);
  });

  it('stops reading a program that says too much', async () => {
    const endless = join(root, 'endless.sh');
    writeFileSync(endless, '#!/bin/sh\nexec yes\n', { mode: 0o755 });
    await using loud = start({ ffprobePath: endless });
    const error = await failure(loud.probe(root, 'film.flv', {}));
    expect(error).to.include({ code: 'unreadable' });
    expect(error.message).to.contain('too much');
  });

  describe('tools', () => {
    it('are looked for as configured, on PATH, then in the package', async () => {
      expect(findTool('ffmpeg', { ffmpegPath: '/bin/sh' })).to.include({ source: 'configured' });
      expect(findTool('ffmpeg', { ffmpegPath: '/nonexistent' })).to.equal(undefined);
      expect(findTool('ffprobe', {})).to.include({ source: 'PATH' });
      const path = process.env['PATH'];
      try {
        process.env['PATH'] = '/nonexistent';
        expect(findTool('ffprobe', {})).to.include({ source: 'npm' });
      } finally {
        process.env['PATH'] = path;
      }
    });

    it('are described', async () => {
      const [tool] = await describeTools({});
      expect(tool?.version).to.match(/^\d|^N-/);
      expect(tool?.encoders).to.include('mjpeg');
    });

    it('tell their encoders', () => {
      const text = ' V..... = Video\n ------\n V....D libx264   x (codec h264)\n A....D aac  y\n';
      expect(readEncoders(text)).to.deep.equal(['libx264', 'aac']);
      expect(readEncoders('')).to.deep.equal([]);
    });
  });
});
