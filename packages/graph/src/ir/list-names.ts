/** Names shown of a long list; the rest is counted. */
const SHOWN = 5;

/** Lists what a message is about, the rest of a long list only by their number. */
export function listNames(entries: readonly string[]): string {
  const list = entries.slice(0, SHOWN);
  if (entries.length > SHOWN) list.push(`${entries.length - SHOWN} more`);
  return list.join(", ");
}
