/**
 * Control characters other than tabs and line breaks, except in a sequence that sets colours. They could
 * move the cursor, overwrite text on the screen, or set the title of the window.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it searches for them.
const CONTROL = /\u001b(?!\[[\d;]*m)|[\0-\u0008\u000b-\u001a\u001c-\u001f\u007f-\u009f]/g;

/**
 * Replaces control characters of a text by U+FFFD before a screen obeys them, as names in files may hold any
 * characters.
 */
export function printable(text: string): string {
  return text.replace(CONTROL, "\ufffd");
}
