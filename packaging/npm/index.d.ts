import type { LacquerTryon } from './tryon.js';

export type * from './tryon.js';

export interface DefineOptions {
    /** Where the package's files are served, relative to the page: "/lacquer-tryon/". */
    assets?: string | URL;
}

/** Defines <lacquer-tryon>. All calls give the same promise; it rejects without the files. */
export function defineTryon(options?: DefineOptions): Promise<typeof LacquerTryon>;
