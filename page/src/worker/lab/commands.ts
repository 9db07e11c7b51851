/** Writes a command of `isthmus` as a POSIX shell reads it, with quotes where they are needed. */
export function commandOf(...words: readonly string[]): string {
  const quoted = words.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  return ["isthmus", ...quoted].join(" ");
}
