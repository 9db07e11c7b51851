/** Name of the option that names files of measurements, for all verbs. */
export const USE = "--use";

/** A command line without its {@link USE} options, and the files that these name. */
export interface UseWords {
  /** Words of the command line without the options that name files, in order. */
  readonly words: readonly string[];
  /** Names of files in the words of the command line; an empty text if an option names no file. */
  readonly use: readonly string[];
}

/**
 * Takes the files of measurements out of a command line, as they decide which verbs there are. They may stand
 * before or after the verb, up to a `--`.
 */
export function takeUse(argv: readonly string[]): UseWords {
  const [end] = [argv.indexOf("--"), argv.length].filter((place) => place >= 0);
  const words: string[] = [];
  const use: string[] = [];
  let isFile = false;
  for (const word of argv.slice(0, end)) {
    if (isFile) use.push(word);
    else if (word.startsWith(`${USE}=`)) use.push(word.slice(USE.length + 1));
    else if (word !== USE) words.push(word);
    isFile = !isFile && word === USE;
  }
  return { words: [...words, ...argv.slice(end)], use: isFile ? [...use, ""] : use };
}
