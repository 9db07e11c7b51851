/**
 * Control characters other than tabs and line breaks, except those of a sequence that sets colours. Others
 * could move the cursor, write over what stands there, or set the title of the window.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /\u001b(?!\[[\d;]*m)|[\0-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g;

/**
 * Replaces control characters of a text by U+FFFD, as names in files may hold any, before a screen obeys
 * them.
 */
export function printable(text: string): string {
  return text.replace(CONTROL, "\ufffd");
}
