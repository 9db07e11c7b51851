/**
 * Pattern of a list of numbers over several lines; it is never inside a string, as strings in JSON have no
 * line ends.
 */
const TALL_LIST = /\[\n[\s\d.,eE+-]*\]/g;

/**
 * Encodes a value as JSON for people to read: indented, but lists of numbers on one line; ends with
 * a line end.
 */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return `${text.replace(TALL_LIST, (list) => list.replace(/\s+/g, " ").replace("[ ", "[").replace(" ]", "]"))}\n`;
}
