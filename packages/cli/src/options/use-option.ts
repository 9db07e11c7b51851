/** Name of the option that names files of measurements, for all verbs. */
export const USE = "--use";

/** A command line without its {@link USE} options, and the files that these name. */
export interface UseWords {
  readonly words: readonly string[];
  /** Files as they are named; an empty text if an option names none. */
  readonly use: readonly string[];
}

/**
 * Takes the files of measurements out of a command line: which verbs there are depends on them. They may stand
 * before or after the verb, up to a `--`.
 */
export function takeUse(argv: readonly string[]): UseWords {
  const words: string[] = [];
  const use: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") return { words: [...words, ...argv.slice(i)], use };
    if (word === USE) use.push(argv[++i] ?? "");
    else if (word.startsWith(`${USE}=`)) use.push(word.slice(USE.length + 1));
    else words.push(word);
  }
  return { words, use };
}
