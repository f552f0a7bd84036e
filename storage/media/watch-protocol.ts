/** What came to, changed at, or went from a path: absolute, below the folder that is watched. */
export interface FolderEvent {
  readonly path: string;
  readonly isGone: boolean;
}

/** To the watching process. */
export type ToWatching = { readonly watch: string } | { readonly unwatch: string };

/** From it; each names the folder it is about. */
export type FromWatching =
  | { readonly listening: string }
  /** Events of it do not reach this machine, or cannot be heard (any more). */
  | { readonly ended: string; readonly reason: string }
  | { readonly heard: string; readonly events: readonly FolderEvent[] }
  /** So much changed at once that it was not noted what. */
  | { readonly flooded: string };
