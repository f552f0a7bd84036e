import type { Tx } from '#storage/postgres/connect.ts';

/** The kinds of work a library may hold; one folder of `content/` each. */
export type Kind = 'movie' | 'series';

/** What goes stale with a library that is deleted, work by work; scans leave it as it is. */
export const removedTag = (libraryId: string): string => `library-removed:${libraryId}`;

export type FileRole = 'video' | 'audio' | 'subtitle' | 'image' | 'nfo' | 'extra' | 'other';

/** A file as the scan has recorded it. Paths are relative to the library root. */
export interface StoredFile {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly role: FileRole;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  /** The work it belonged to at the last scan; kept across moves and renames. */
  readonly itemId: string | undefined;
}

/** One directory that changed: everything in it that is there now. */
export interface DirectoryView {
  readonly rootId: string;
  /** Relative to the root; '' is the root itself. */
  readonly path: string;
  readonly files: readonly StoredFile[];
  /** Names of its sub-directories. */
  readonly directories: readonly string[];
}

/** What one call of `identify` works on: whole directories, at most a few hundred files. */
export interface IdentifyBatch {
  readonly library: {
    readonly id: string;
    readonly language: string;
    readonly options: Readonly<Record<string, unknown>>;
  };
  readonly directories: readonly DirectoryView[];
  /** Bytes of the NFO and hint files among them, by file id; unreadable ones are absent. */
  readonly texts: ReadonlyMap<string, Uint8Array>;
}

/** What `identify` changed; the scan tells the rest of the system. */
export interface Identified {
  readonly added: readonly string[];
  readonly updated: readonly string[];
}

/** A kind of content: data and a few functions. The scanner knows kinds by this type alone. */
export interface ContentModule {
  readonly kind: Kind;
  /** What a file is to this kind, by its place and name; undefined: not recorded at all. Pure. */
  classify(file: { directory: string; name: string; sizeBytes: number }): FileRole | undefined;
  /** Whether a directory is left out with all below it (`.trash`, `@eaDir` …). Pure. */
  ignores(directory: { path: string; name: string }): boolean;
  /**
   * Gives every file of the batch its work: sets `files.item_id`, `version`, `part` and `facts`,
   * makes works that are new, and fills what names, NFO and hints tell. Idempotent.
   */
  identify(tx: Tx, batch: IdentifyBatch): Promise<Identified>;
  /** Recomputes what is derived from files (availability, facets, duration) after they changed. */
  refresh(tx: Tx, itemIds: readonly string[]): Promise<void>;
  /** Cache tags of its lists, made stale when works come or go; `<kind>s` unless stated. */
  readonly listTags?: readonly string[];
  /**
   * Deletes works for good, with all that hangs on them (a person's state, images, credits …):
   * those given, or all of a library. Without it a work whose last file is gone stays, unavailable.
   */
  remove?(
    tx: Tx,
    which: { readonly itemIds: readonly string[] } | { readonly libraryId: string },
  ): Promise<void>;
}
