import type { components } from '$api/types';

type Schemas = components['schemas'];

export type Movie = Schemas['Movie'];
export type Series = Schemas['Series'];
export type SeriesFile = Schemas['SeriesFile'];
export type SeriesFilePage = Schemas['SeriesFilePage'];
export type Season = Schemas['Season'];
export type Episode = Schemas['Episode'];
export type EpisodeCard = Schemas['EpisodeCard'];
export type ArtworkImage = Schemas['ArtworkImage'];
export type ArtworkType = Schemas['ArtworkType'];
export type Extra = Schemas['MovieExtra'];
export type MediaFile = Schemas['MediaFile'];
export type MediaStream = Schemas['MediaStream'];
export type Library = Schemas['Library'];
export type Scan = Schemas['LibraryScan'];
export type Job = Schemas['Job'];
export type JobQueue = Schemas['JobQueue'];
export type User = Schemas['User'];
export type ClusterMember = Schemas['ClusterMember'];
export type ClusterChange = Schemas['ClusterChange'];
export type Finding = Schemas['Machine']['findings'][number];
export type SearchItem = Schemas['SearchItem'];
export type Setting = Schemas['Setting'];
export type LogLevel = Schemas['LogLevel'];
export type LogLine = Schemas['LogLine'];
export type LogPage = Schemas['LogPage'];
