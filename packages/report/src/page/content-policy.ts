/**
 * Says, as a content security policy, that a page may use only the style and the script that it was made
 * with: a browser then runs nothing that names, titles or results could bring into the page, and asks the
 * network for nothing.
 * @see https://www.w3.org/TR/CSP3/#grammardef-hash-source
 */
export async function contentPolicy(content: {
  readonly style: string;
  readonly script: string;
}): Promise<string> {
  const [style, script] = await Promise.all([digest(content.style), digest(content.script)]);
  return [
    "default-src 'none'",
    `style-src '${style}'`,
    `script-src '${script}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** SHA-256 of the text of an element, as policies write it. */
async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(bytes)))}`;
}
