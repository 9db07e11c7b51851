/** Returns the name of an option on a command line: `batch-size` for `batchSize`. */
export const toFlag = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Returns the name under which the parser of command lines keeps an option: `batchSize` for `batch-size`. */
export const toAttribute = (flag: string): string =>
  flag.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
