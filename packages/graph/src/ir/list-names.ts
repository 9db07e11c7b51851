/** Number of names of a long list that are shown. */
const SHOWN = 5;

/** Lists names for a message; for a long list, the first names and the number of the others. */
export function listNames(entries: readonly string[]): string {
  const list = entries.slice(0, SHOWN);
  if (entries.length > SHOWN) list.push(`${entries.length - SHOWN} more`);
  return list.join(", ");
}
