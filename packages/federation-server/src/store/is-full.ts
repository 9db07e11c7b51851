/** Codes of systems for a disk without room, and for a user's share of it that is used up. */
const FULL: readonly unknown[] = ["ENOSPC", "EDQUOT"];

/** Says whether an error is, or is caused by, a disk without room: what failed can succeed later. */
export function isFull(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { readonly code?: unknown; readonly cause?: unknown };
  return FULL.includes(code) || (cause !== undefined && isFull(cause));
}
