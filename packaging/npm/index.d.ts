import type { LacquerTryon } from './tryon.js';

export type * from './tryon.js';

export interface DefineOptions {
    /** Where the package's files are served, relative to the page: "/lacquer-tryon/". */
    assets?: string | URL;
}

/** Defines <lacquer-tryon>; all calls give the same promise. Rejects when its files are not there. */
export function defineTryon(options?: DefineOptions): Promise<typeof LacquerTryon>;
