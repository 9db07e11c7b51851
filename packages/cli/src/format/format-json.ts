/** A list of numbers that was set over several lines; strings have no line ends, so it is never inside one. */
const TALL_LIST = /\[\n[\s\d.,eE+-]*\]/g;

/** JSON for files that people open: indented, but lists of numbers on one line; ends with a line end. */
export function formatJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  return `${text.replace(TALL_LIST, (list) => list.replace(/\s+/g, " ").replace("[ ", "[").replace(" ]", "]"))}\n`;
}
