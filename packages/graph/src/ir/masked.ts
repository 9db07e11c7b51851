/** Threshold below which numbers stand for minus infinity, as in attention masks. */
export const MASKED = -1e30;
