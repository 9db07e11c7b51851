/**
 * Characters that XML 1.0 does not allow anywhere (section 2.2): control characters, halves of surrogate
 * pairs, U+FFFE and U+FFFF.
 */
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/**
 * Replaces characters that no XML document may have by U+FFFD, so that figures are read whatever the names in
 * them hold.
 */
export function xmlText(text: string): string {
  return text.replace(FORBIDDEN, "\uFFFD");
}
