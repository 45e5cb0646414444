/** Most steps of one workflow, over all its lists. */
export const MAX_STEPS = 100_000;

/** Most edges of one plan, written, ordered and inferred ones together. */
export const MAX_EDGES = 1_000_000;

/** Deepest nesting of blocks. It also bounds every walk over them, so that none needs a stack of its own. */
export const MAX_BLOCK_DEPTH = 64;
