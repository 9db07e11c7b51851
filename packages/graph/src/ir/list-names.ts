/** Number of names shown of a long list. */
const SHOWN = 5;

/** Lists names for a message; of a long list the first ones and the number of the others. */
export function listNames(entries: readonly string[]): string {
  const list = entries.slice(0, SHOWN);
  if (entries.length > SHOWN) list.push(`${entries.length - SHOWN} more`);
  return list.join(", ");
}
