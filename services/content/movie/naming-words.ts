/**
 * The words of file names. Each pattern is the source of a case-insensitive expression that must
 * stand between separators; `~` stands for "a separator or nothing".
 */
export type WordTable = readonly (readonly [pattern: string, value: string])[];

export const resolutions: WordTable = [
  ['4320[pi]|8k|7680x4320', '4320p'],
  ['2160[pi]|4k|ultra~hd|uhd|3840x\\d{3,4}|4096x\\d{3,4}', '2160p'],
  ['1440[pi]|2560x1440', '1440p'],
  ['1080[pi]|1920x\\d{3,4}|full~hd|fhd|1440x1080', '1080p'],
  ['720[pi]|1280x\\d{3,4}', '720p'],
  ['576[pi]|720x576|1024x576', '576p'],
  ['540[pi]|960x540', '540p'],
  ['480[pi]|(?:640|720|848|854)x480', '480p'],
  ['360[pi]', '360p'],
];

export const sources: WordTable = [
  [
    '(?:uhd~)?blu~ray(?:~rip)?|blue~ray|b[dr]~?(?:rip~mux|rip|mux|remux)|bd25|bd50|bdiso|bd9',
    'Blu-ray',
  ],
  ['hd~dvd(?:~rip)?', 'HD DVD'],
  ['dvd~?(?:rip|mux|scr|r|5|9|iso)|dvd~full|ntsc~dvd|pal~dvd', 'DVD'],
  ['web~?(?:dl|rip|mux|hd|cap)|amzn~web|nf~web|dsnp~web', 'WEB'],
  [
    'hd~?tv(?:~rip)?|pd~?tv|ds~?r(?:~rip)?|dth~?rip|sat~?rip|tv~?rip|dvb(?:~rip)?|ahdtv|uhdtv',
    'TV',
  ],
  ['vhs~?rip|vhs', 'VHS'],
  ['hd~?rip', 'HDRip'],
  ['hd~?cam(?:~rip)?|cam~?rip|hq~?cam', 'CAM'],
  ['hd~?ts(?:~rip)?|tele~?sync|ts~?rip', 'Telesync'],
  ['tele~?cine|hd~?tc', 'Telecine'],
  ['workprint|work~print', 'Workprint'],
  ['screener|bd~?scr|web~?scr', 'Screener'],
  ['ppv(?:~?rip)?', 'PPV'],
  ['vod~?rip', 'VOD'],
];

/** Sources and markers that are also ordinary words: they count only beside other release words. */
export const weakSources: WordTable = [
  ['web', 'WEB'],
  ['dvd', 'DVD'],
  ['bd', 'Blu-ray'],
  ['cam', 'CAM'],
  ['tv', 'TV'],
  ['r5', 'DVD'],
];

export const videoCodecs: WordTable = [
  ['[xh][ ._]?264|avc', 'H.264'],
  ['[xh][ ._]?265|hevc', 'H.265'],
  ['[xh][ ._]?266|vvc', 'H.266'],
  ['av1', 'AV1'],
  ['vp9', 'VP9'],
  ['xvid', 'Xvid'],
  ['div~?x\\d?', 'DivX'],
  ['mpeg~?2', 'MPEG-2'],
  ['vc~?1', 'VC-1'],
];

export const audioCodecs: WordTable = [
  ['true~?hd(?:~?\\d[ .]\\d)?', 'TrueHD'],
  ['dts~?(?:hd|x|es)(?:~(?:ma|hra))?(?:~?\\d[ .]\\d)?', 'DTS-HD'],
  ['dts(?:~?\\d[ .]\\d)?|dtsd', 'DTS'],
  ['e~?ac~?3(?:d|~?\\d[ .]\\d)?|dd(?:p|\\+)(?:a)?(?:~?\\d[ .]\\d)?', 'E-AC-3'],
  ['ac~?3(?:d|~?\\d[ .]\\d)?|dd~?\\d[ .]\\d|dolby~digital', 'AC-3'],
  ['(?:he~?)?aac(?:~?\\d[ .]\\d)?', 'AAC'],
  ['flac(?:x\\d)?(?:~?\\d[ .]\\d)?', 'FLAC'],
  ['opus(?=[ ._-]|$)(?:~?\\d[ .]\\d)', 'Opus'],
  ['l?pcm', 'PCM'],
  ['atmos', 'Atmos'],
];

export const hdrKinds: WordTable = [
  ['hdr10~?(?:\\+|plus)', 'HDR10+'],
  ['hdr10|hdr', 'HDR10'],
  ['dolby~?vision|dovi', 'DolbyVision'],
  ['hlg', 'HLG'],
];

/** Marks of a release that say nothing we keep, but end a title wherever they stand. */
export const noise: WordTable = [
  ['remux|bdremux', 'remux'],
  ['proper|repack\\d?|rerip|real~proper', 'proper'],
  ['(?:8|10|12)~?bits?|hi10p?|10bit', 'depth'],
  ['dubbed|subbed|hard~?subs?|kor~?subs?|nl~?subs?|multi~?subs?|dual~?audio|line~dubbed', 'audio'],
  ['hq~?hdrip|yify|yts|rarbg|evo|sparks|etrg|publichd', 'group'],
  ['e\\d{2,3}(?:[-\\u007e ]{1,3}e?\\d{2,3})?|s\\d{1,2}e\\d{1,3}', 'episode'],
  ['fansub|vostfr|stv', 'other'],
  ['3d~(?:h?sbs|h?tab|fsbs|ftab|mvc|h?ou)|hsbs|fsbs|htab|ftab|sbs3d', 'format3d'],
  ['dvd~?\\d{1,2}of\\d', 'other'],
];

/** Ordinary words that belong to the release when they stand beside one of the above. */
export const weakNoise: WordTable = [
  ['limited|internal|complete|unrated|uncut|uncensored|retail|read~?nfo|nfofix|dirfix', 'other'],
  ['multi|dual|dl|ml|hc|dc|se|pal|ntsc|r\\d|ws|fs|mp4|mkv|avi|hq|lq|hd|sd|dv|ma|convert', 'other'],
  ['nf|amzn|dsnp|hmax|atvp|hulu|pcok|pmtp|itunes|criterion|hybrid|widescreen|3d', 'other'],
];

/** Packings of stereoscopic pictures; longest first. */
export const formats3d: readonly string[] = [
  'sbs3d',
  'hsbs',
  'fsbs',
  'htab',
  'ftab',
  'hou',
  'fou',
  'mvc',
  'sbs',
  'tab',
];

/** What an edition may be made of, the longer forms first. */
export const editionWords: readonly string[] = [
  "(?:extended|director'?s?|theatrical|ultimate|final|assembly|rough|special|fan" +
    "|festival|international|producer'?s|redux|alternate|original|super|broadcast|tv)" +
    '[ ._-](?:directors?[ ._-])?(?:cut|edition|version|edit|release)s?',
  "(?:collector'?s?|anniversary|diamond|signature|criterion|deluxe|limited" +
    '|platinum|gold|definitive|restored|remastered|steelbook|unrated|uncut)' +
    '[ ._-](?:edition|version|cut|collection)',
  '(?:edition|version)[ ._-](?:collector|integrale|longue|remasterisee)',
  '\\d{1,3}(?:st|nd|rd|th)[ ._-]anniversary(?:[ ._-](?:edition|cut))?',
  'open[ ._-]matte',
  'fan[ ._-]?edit',
  'extended|uncut|unrated|remastered|despecialized|recut|re[ ._-]cut|redux|restored|rifftrax',
  "imax(?:[ ._-](?:edition|enhanced))?|\\d[ ._-]?in[ ._-]?1|theatrical|director'?s",
  'special[ ._-]edition',
];

/** File and folder names that say nothing about the film. */
export const genericNames: ReadonlySet<string> = new Set(
  (
    'movie,movies,film,films,video,videos,main,feature,index,title,track,disc,disk,dvd,bdmv,stream,' +
    'video_ts,vts_01,media,new,incoming,downloads,download,completed,complete,unsorted,temp,watched,' +
    'unwatched,action,adventure,animation,anime,comedy,crime,documentary,documentaries,drama,family,' +
    'fantasy,history,horror,kids,music,musical,mystery,romance,sci-fi,scifi,science fiction,short,' +
    'shorts,thriller,war,western,4k,uhd,3d,hd,sd,1080p,720p,2160p,bluray,blu-ray,remux,collection,' +
    'collections,box sets,boxsets,foreign,misc,other,library,filme,películas,spielfilme'
  ).split(','),
);
