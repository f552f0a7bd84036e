import { expect } from 'chai';
import { ownFirst } from './choose.ts';
import { codecString, containerName, judge, type CanPlay, type Stream } from './codecs.ts';
import { keyHelp, playerKey } from './keys.ts';
import { lineAbove } from './lift.ts';
import { createReporter, type Report } from './progress.ts';
import { chapterBeside, rateBeside, rates } from './steps.ts';
import { decode, toWebVtt } from './subtitles.ts';

const video = (codec: string, more: Partial<Stream> = {}): Stream => ({
  ...{ type: 'video', codec },
  ...more,
});
const audio = (codec: string): Stream => ({ type: 'audio', codec });
/** As Chromium answers that has H.264 and AAC, and no HEVC. */
const chromium: CanPlay = (type) =>
  /avc1\.(42|4d|64)|vp0?[89]|av01|mp4a|opus|flac|vorbis/.test(type) ? 'probably' : '';

describe('codec strings', () => {
  for (const [stream, wanted] of [
    [video('h264', { profile: 'High', level: 41 }), 'avc1.640029'],
    [video('h264', { profile: 'Constrained Baseline', level: 30 }), 'avc1.42e01e'],
    [video('h264', { profile: 'High 10', level: 50 }), 'avc1.6e0032'],
    [video('hevc', { profile: 'Main 10', level: 150 }), 'hvc1.2.4.L150.B0'],
    [video('vp9', { profile: 'Profile 2', bitDepth: 10 }), 'vp09.02.41.10'],
    [video('av1', { bitDepth: 10 }), 'av01.0.08M.10'],
    [video('mpeg4'), undefined],
    [audio('eac3'), 'ec-3'],
    [audio('dts'), undefined],
  ] as const) {
    it(`${stream.codec} ${stream.profile ?? ''} → ${wanted ?? 'none'}`, () => {
      expect(codecString(stream)).to.equal(wanted);
    });
  }
});

describe('subtitles to choose from', () => {
  const text = (name: string) => {
    const [language, kind] = name.split('.');
    const is = { isForced: kind === 'forced', isHearingImpaired: kind === 'sdh' };
    return { name, ...is, ...(language ? { language } : {}) };
  };
  for (const [language, wanted] of [
    ['en-GB', ['en', 'en.sdh', 'de', 'pt-BR', '', 'de.forced', 'en.forced']],
    ['pt', ['pt-BR', 'de', 'en.sdh', 'en', '', 'de.forced', 'en.forced']],
    ['fr', ['de', 'en.sdh', 'en', 'pt-BR', '', 'de.forced', 'en.forced']],
  ] as const) {
    it(`begin with those in ${language}, and end with forced ones`, () => {
      const names = ['de.forced', 'de', 'en.forced', 'en.sdh', 'en', 'pt-BR', ''];
      const found = ownFirst(names.map(text), language);
      expect(found.map(({ name }) => name)).to.deep.equal(wanted);
    });
  }
});

describe('what a browser plays', () => {
  const h264 = video('h264', { profile: 'High', level: 40 });
  for (const [name, file, answer, obstacles] of [
    ['MP4 with H.264 and AAC', ['mov,mp4,m4a', h264, audio('aac')], 'yes', []],
    ['WebM', ['webm', video('vp9'), audio('opus')], 'yes', []],
    ['Matroska of the same', ['matroska,webm', h264, audio('aac')], 'maybe', []],
    ['sound it has not', ['mov,mp4', h264, audio('dts')], 'maybe', ['audio']],
    ['a picture it has not', ['mov,mp4', video('hevc'), audio('aac')], 'no', ['video']],
    ['an AVI of old', ['avi', video('mpeg4'), audio('mp3')], 'no', ['container', 'video']],
    ['no picture at all', ['mov,mp4', audio('aac')], 'yes', []],
  ] as const) {
    it(`${name}: ${answer}`, () => {
      const [container, ...streams] = file;
      const verdict = judge({ container, streams }, chromium);
      expect(verdict.answer).to.equal(answer);
      expect(verdict.obstacles.map(({ what }) => what)).to.deep.equal(obstacles);
    });
  }
});

describe('subtitles for a browser', () => {
  const srt =
    '\uFEFF1\r\n00:00:01,000 --> 00:00:04,500\r\n<i>Hello</i> & <font color="x">you</font>\r\n';

  it('are SubRip as WebVTT', () => {
    expect(
      toWebVtt(`${srt}\r\n2\r\n01:00:00,5 --> 01:00:02,000\r\n{\\an8}a --> b <x\r\n`),
    ).to.equal(
      'WEBVTT\n\n00:00:01.000 --> 00:00:04.500\n<i>Hello</i> &amp; you\n\n' +
        '01:00:00.500 --> 01:00:02.000\na --&gt; b &lt;x\n',
    );
  });

  for (const [name, text, cues] of [
    ['nothing', '', 0],
    ['no subtitles', 'just a text\n\nand another', 0],
    ['a number without a text', '1\n00:00:01,000 --> 00:00:02,000\n\n\n', 0],
    ['no numbers', '00:01.000 --> 00:02.000\nhi\n', 1],
  ] as const) {
    it(`take ${name}`, () => {
      expect(toWebVtt(text).match(/-->/g)?.length ?? 0).to.equal(cues);
    });
  }

  it('are WebVTT as it is', () => {
    const vtt = 'WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n';
    expect(toWebVtt(vtt)).to.equal(vtt);
  });

  it('may be of any of the usual encodings', () => {
    const bytes = (...values: number[]) => new Uint8Array(values).buffer;
    expect(decode(bytes(0xc3, 0xa4))).to.equal('ä');
    expect(decode(bytes(0xe4))).to.equal('ä');
    expect(decode(bytes(0xff, 0xfe, 0xe4, 0x00))).to.equal('ä');
  });
});

describe('the player’s keys', () => {
  const press = (key: string, more = {}) => ({
    ...{ key, altKey: false, ctrlKey: false, metaKey: false },
    ...more,
  });

  it('are the picture’s on the picture, and a button’s on a button', () => {
    expect(playerKey(press(' '), true)).to.deep.equal({ do: 'toggle' });
    expect(playerKey(press(' '), false)).to.equal(undefined);
    expect(playerKey(press('ArrowLeft'), true)).to.deep.equal({ do: 'skip', seconds: -10 });
    expect(playerKey(press('ArrowLeft'), false)).to.equal(undefined);
  });

  it('lead back one layer after the other', () => {
    for (const key of ['Escape', 'Backspace', 'GoBack', 'BrowserBack']) {
      expect(playerKey(press(key), false), key).to.deep.equal({ do: 'stage' });
      expect(playerKey(press(key), true), key).to.deep.equal({ do: 'back' });
    }
  });

  it('do something, all that the help tells of', () => {
    for (const { keys } of keyHelp) {
      for (const key of keys) expect(playerKey(press(key), true), key).to.not.equal(undefined);
    }
    const told = keyHelp.map(({ says }) => says);
    expect(new Set(told).size).to.equal(told.length);
  });

  it('leave the browser its own', () => {
    expect(playerKey(press('f', { ctrlKey: true }), true)).to.equal(undefined);
    expect(playerKey(press('F'), true)).to.deep.equal({ do: 'full' });
    expect(playerKey(press('7'), false)).to.deep.equal({ do: 'part', part: 0.7 });
  });
});

describe('steps of the player', () => {
  const chapters = [0, 60_000, 120_000].map((startMs) => ({ startMs }));

  for (const [name, at, by, wanted] of [
    ['on', 10_000, 1, 60_000],
    ['on from where one begins', 60_000, 1, 120_000],
    ['not on from the last', 130_000, 1, undefined],
    ['back to where this one begins', 70_000, -1, 60_000],
    ['back to the one before, soon after it began', 61_000, -1, 0],
    ['back to the beginning', 1_000, -1, 0],
  ] as const) {
    it(`lead ${name}`, () => {
      expect(chapterBeside(chapters, at, by)).to.equal(wanted);
    });
  }

  it('lead nowhere without chapters', () => {
    for (const by of [1, -1] as const) expect(chapterBeside([], 5_000, by)).to.equal(undefined);
  });

  it('go through all speeds and stop at the ends', () => {
    const up = rates.map((rate) => rateBeside(rate, 1));
    expect(up).to.deep.equal([...rates.slice(1), rates.at(-1)]);
    const down = rates.map((rate) => rateBeside(rate, -1));
    expect(down).to.deep.equal([rates[0], ...rates.slice(0, -1)]);
    expect(rateBeside(1.1, 1)).to.equal(1.25);
  });
});

describe('containers', () => {
  for (const [container, name] of [
    ['mp4', 'MP4'],
    ['mov,mp4,m4a,3gp', 'MP4'],
    ['matroska', 'Matroska'],
    ['matroska,webm', 'Matroska'],
    ['avi', 'AVI'],
    ['mpegts', 'MPEG-TS'],
  ] as const) {
    it(`of ${container} are called ${name}`, () => {
      expect(containerName(container)).to.equal(name);
    });
  }
});

describe('reports of progress', () => {
  const report = (at: string, positionMs = 1): Report => ({
    ...{ kind: 'movie' as const, itemId: 'film', fileId: 'file', durationMs: 10, positionMs },
    at,
  });
  function setUp(send: (report: Report) => Promise<void>) {
    const kept = new Map<string, string>();
    const left: Report[] = [];
    let whose = 'anna';
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    return {
      kept,
      left,
      as: (user: string) => (whose = user),
      reporter: createReporter({
        ...{ send, storage, leave: (one: Report) => left.push(one), whose: () => whose },
      }),
    };
  }

  it('are forgotten when the server has them', async () => {
    const { kept, reporter } = setUp(async () => undefined);
    await reporter.tell(report('1'));
    expect(kept.size).to.equal(0);
  });

  it('are kept when it does not hear, and sent another time', async () => {
    const sent: Report[] = [];
    let isAway = true;
    const { reporter } = setUp(async (one) => {
      if (isAway) throw new Error('away');
      sent.push(one);
    });
    await reporter.tell(report('1')).catch(() => undefined);
    await reporter.tell(report('2', 5)).catch(() => undefined);
    isAway = false;
    expect(await reporter.resend()).to.equal(1);
    expect(sent).to.deep.equal([report('2', 5)]);
    expect(await reporter.resend()).to.equal(0);
  });

  it('of a page that is closed are kept too, as nobody hears whether they arrived', async () => {
    const sent: Report[] = [];
    const { left, reporter } = setUp(async (one) => void sent.push(one));
    reporter.tellLeaving(report('3'));
    expect(left).to.have.length(1);
    expect(await reporter.resend()).to.equal(1);
    expect(sent).to.deep.equal([report('3')]);
  });

  it('do not take a newer one with them', async () => {
    let arrive = () => {};
    const { reporter, kept } = setUp(() => new Promise((resolve) => (arrive = resolve)));
    const first = reporter.tell(report('1'));
    const arriveFirst = arrive;
    reporter.tellLeaving(report('2'));
    arriveFirst();
    await first;
    expect(kept.size).to.equal(1);
  });

  it('are not sent as somebody else’s, who uses the same browser', async () => {
    let isAway = true;
    const sent: Report[] = [];
    const { reporter, as } = setUp(async (one) => {
      if (isAway) throw new Error('away');
      sent.push(one);
    });
    await reporter.tell(report('1')).catch(() => undefined);
    isAway = false;
    as('bert');
    expect(await reporter.resend()).to.equal(0);
    as('anna');
    expect(await reporter.resend()).to.equal(1);
    expect(sent).to.deep.equal([report('1')]);
  });

  it('survive a store that somebody else wrote to', async () => {
    const { kept, reporter } = setUp(async () => undefined);
    kept.set('revenge.progress.anna', 'not JSON');
    expect(await reporter.resend()).to.equal(0);
  });
});

describe('subtitles above the controls', () => {
  const desk = { width: 1280, height: 800, covered: 90 };
  const phone = { width: 360, height: 740, covered: 110 };

  for (const [what, text, scale, picture, line] of [
    ['where nothing covers them', 'One', 1, { ...desk, covered: 0 }, 'auto'],
    ['one line', 'One', 1, desk, -3],
    ['two lines', 'One\nand two', 1, desk, -4],
    ['small ones', 'One\nand two', 0.75, desk, -6],
    ['large ones that a phone breaks', 'x'.repeat(45), 1.5, phone, -6],
    ['what is bold is no longer', '<b>One</b>', 1, desk, -3],
  ] as const) {
    it(what, () => {
      expect(lineAbove(text, scale, picture)).to.equal(line);
    });
  }
});
