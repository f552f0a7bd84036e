/** One film of the demo library: what is encoded, and what lies beside it. */
export interface DemoFilm {
  readonly folder: string;
  readonly file: string;
  readonly seconds: number;
  /** lavfi sources; every picture moves and every film sounds different. */
  readonly video: string;
  readonly audio: readonly { source: string; language: string; args: readonly string[] }[];
  readonly args: readonly string[];
  /** Encoders that must be there; a film whose encoder is missing is left out. */
  readonly needs: readonly string[];
  readonly chapters?: readonly string[];
  readonly embeddedSubtitles?: readonly string[];
  readonly subtitles?: readonly string[];
  readonly poster?: 'local' | 'embedded';
  readonly backdrop?: true;
  readonly nfo?: {
    title: string;
    year: number;
    plot: string;
    genres: readonly string[];
    director: string;
    cast: readonly (readonly [name: string, role: string])[];
    rating: number;
    certification: string;
    imdb?: string;
  };
}

const tone = (hz: number, channels = 'stereo') =>
  `sine=f=${hz}:r=48000,aformat=channel_layouts=${channels}`;
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '30', '-pix_fmt', 'yuv420p'];
const aac = ['-c:a', 'aac', '-b:a', '96k'];
const english = (hz: number) => [{ source: tone(hz), language: 'eng', args: aac }];

/** Films that between them show every path of recognition, artwork, streams and versions. */
export const films: readonly DemoFilm[] = [
  {
    folder: 'The Long Test (2010)',
    file: 'The Long Test (2010).mp4',
    seconds: 90,
    video: 'testsrc2=s=854x480:r=24',
    audio: english(220),
    args: [...x264, '-movflags', '+faststart'],
    needs: ['libx264', 'aac'],
    subtitles: ['en', 'fr.forced', 'en.sdh'],
    poster: 'local',
    backdrop: true,
    nfo: {
      title: 'The Long Test',
      year: 2010,
      plot: 'A pattern moves for a minute and a half, and nobody looks away.',
      genres: ['Drama', 'Documentary'],
      director: 'Dee Rector',
      cast: [
        ['Ann Actor', 'The Clock'],
        ['Bo Player', 'The Grid'],
      ],
      rating: 7.4,
      certification: 'PG',
      imdb: 'tt9990001',
    },
  },
  {
    folder: 'Café Mandelbrot (2015)',
    file: 'Café Mandelbrot (2015) [imdbid-tt9990002].mkv',
    seconds: 15,
    video: 'mandelbrot=s=480x270:r=24:start_scale=1.5',
    audio: [
      { source: tone(330), language: 'fra', args: aac },
      { source: tone(440), language: 'eng', args: aac },
    ],
    args: x264,
    needs: ['libx264', 'aac'],
    chapters: ['Entrée', 'Plat', 'Dessert'],
    embeddedSubtitles: ['eng', 'fra'],
    poster: 'embedded',
  },
  {
    folder: 'Ten Bits of Light (2019)',
    file: 'Ten.Bits.of.Light.2019.1080p.UHD.BluRay.HDR10.x265-DEMO.mkv',
    seconds: 4,
    video: 'testsrc2=s=1920x1080:r=24',
    audio: [{ source: tone(180, '5.1'), language: 'eng', args: ['-c:a', 'ac3', '-b:a', '384k'] }],
    args: [
      ...['-c:v', 'libx265', '-preset', 'ultrafast', '-crf', '34', '-pix_fmt', 'yuv420p10le'],
      ...['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc'],
      ...[
        '-x265-params',
        'log-level=error:hdr10=1:repeat-headers=1:colorprim=bt2020:transfer=smpte2084:' +
          'colormatrix=bt2020nc:max-cll=1000,400:master-display=G(13250,34500)B(7500,3000)' +
          'R(34000,16000)WP(15635,16450)L(10000000,1)',
      ],
    ],
    needs: ['libx265', 'ac3'],
  },
  {
    folder: 'Open Web (2016)',
    file: 'Open Web (2016).webm',
    seconds: 10,
    video: 'life=s=320x180:r=25:mold=10:ratio=0.1',
    audio: [{ source: tone(520), language: 'eng', args: ['-c:a', 'libopus', '-b:a', '96k'] }],
    args: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '400k'],
    needs: ['libvpx-vp9', 'libopus'],
  },
  {
    folder: 'Two Cuts (2001)',
    file: 'Two Cuts (2001) - 1080p.mkv',
    seconds: 10,
    video: 'smptehdbars=s=1920x1080:r=24',
    audio: english(260),
    args: x264,
    needs: ['libx264', 'aac'],
    poster: 'local',
  },
  {
    folder: 'Two Cuts (2001)',
    file: "Two Cuts (2001) - Director's Cut.mkv",
    seconds: 14,
    video: 'smptehdbars=s=1280x720:r=24',
    audio: english(270),
    args: x264,
    needs: ['libx264', 'aac'],
  },
  {
    folder: 'Old Tape (1994)',
    file: 'old.tape.1994.dvdrip.xvid-demo.avi',
    seconds: 12,
    video: 'cellauto=s=640x480:r=25',
    audio: [{ source: tone(140), language: 'eng', args: ['-c:a', 'libmp3lame', '-b:a', '96k'] }],
    args: ['-c:v', 'mpeg4', '-vtag', 'XVID', '-q:v', '6'],
    needs: ['mpeg4', 'libmp3lame'],
  },
  {
    folder: 'Silent Film (1921)',
    file: 'Silent Film (1921).mp4',
    seconds: 18,
    video: 'rgbtestsrc=s=640x480:r=18',
    audio: [],
    args: [...x264, '-vf', 'hue=s=0'],
    needs: ['libx264'],
  },
  {
    folder: 'Broadcast (2003)',
    file: 'Broadcast (2003).ts',
    seconds: 15,
    video: 'testsrc2=s=720x576:r=25',
    audio: [{ source: tone(400), language: 'deu', args: ['-c:a', 'mp2', '-b:a', '192k'] }],
    args: ['-c:v', 'mpeg2video', '-b:v', '2M', '-flags', '+ildct+ilme', '-aspect', '16:9'],
    needs: ['mpeg2video', 'mp2'],
  },
];
