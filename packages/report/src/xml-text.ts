/**
 * Characters that XML 1.0 does not allow anywhere (section 2.2): control characters, halves of surrogate
 * pairs, U+FFFE and U+FFFF.
 */
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/**
 * Replaces characters that XML documents must not contain by U+FFFD, so that figures can be read whatever
 * names they contain.
 */
export function xmlText(text: string): string {
  return text.replace(FORBIDDEN, "\uFFFD");
}
