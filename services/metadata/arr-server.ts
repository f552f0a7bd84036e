import type { ProviderIds } from '../naming/ids.ts';

/** A work as one of them has it. */
export interface ArrWork {
  /** Its own folder, absolute. */
  readonly path: string;
  readonly title: string;
  /** In other languages and countries. */
  readonly titles: readonly string[];
  readonly year?: number | undefined;
  readonly ids: ProviderIds;
}

/** A server of Radarr or Sonarr that the operator has named. */
export interface ArrServer {
  readonly source: 'radarr' | 'sonarr';
  /** Its address: which of several it is. */
  readonly server: string;
  /** Of the works it has. */
  readonly kind: string;
  /** All it has; paths are its own. Throws ProviderError. */
  works(): Promise<readonly ArrWork[]>;
}
