/** Numbers below this one stand for minus infinity, as in attention masks. */
export const MASKED = -1e30;
