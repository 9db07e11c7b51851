const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/**
 * Finds a key that occurs twice in one object of a JSON text; `JSON.parse` would silently keep the last.
 * @param json - valid JSON
 * @returns the first such key, or undefined
 */
export function findDuplicateKey(json: string): string | undefined {
  const open: Array<Set<string> | undefined> = [];
  let begin = 0;
  let end = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      begin = at;
      at = closingQuote(json, at);
      end = at + 1;
    } else if (code === COLON) {
      // Outside strings a colon follows a key and nothing else.
      const key = JSON.parse(json.slice(begin, end)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    } else track(open, code);
  }
  return undefined;
}

function track(open: Array<Set<string> | undefined>, code: number): void {
  const character = String.fromCharCode(code);
  if (character === "{") open.push(new Set());
  else if (character === "[") open.push(undefined);
  else if (character === "}" || character === "]") open.pop();
}

function closingQuote(json: string, opening: number): number {
  let at = json.indexOf('"', opening + 1);
  while (isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}
