import { basename, dirname, isAbsolute, process, relative, resolve, sep } from "@isthmus/platform";

/** Files that tasks look up themselves, by paths in their parameters. */
export interface GatheredFiles {
  /** Whether tasks run in another working folder, which contains only these files. */
  readonly isElsewhere: boolean;
  /** Adds a file, by its path on this machine. */
  add(path: string): void;
  /**
   * Returns the path under which tasks find a file or folder: the path itself, unless tasks run elsewhere and
   * it leads out of the working folder. Files beside and below it keep their relative positions, and its last
   * name is unchanged.
   */
  place(path: string): string;
  /** Lists the added files, each once. */
  list(): readonly GatheredFile[];
}

/** A file that tasks look up themselves. */
export interface GatheredFile {
  /** Path of the file on this machine. */
  readonly path: string;
  /**
   * Path of the file from the working folder, with `/` between its parts; undefined if tasks find the file
   * under its path on this machine.
   */
  readonly name: string | undefined;
}

/** Folder for files from outside the working folder. */
const OUTSIDE = ".outside";

/** Makes an empty collection of files, relative to the working folder of this process. */
export function gatherFiles({ isElsewhere }: Pick<GatheredFiles, "isElsewhere">): GatheredFiles {
  const directory = process.cwd();
  const folders: string[] = [];
  const files = new Map<string, GatheredFile>();
  const nameOf = (path: string): string => {
    const absolute = resolve(directory, path);
    const below = wayTo(directory, absolute);
    if (below !== undefined) return below;
    for (const [index, folder] of folders.entries()) {
      const way = wayTo(folder, absolute);
      if (way !== undefined) return `${OUTSIDE}/${index}/${way}`;
    }
    folders.push(dirname(absolute));
    return `${OUTSIDE}/${folders.length - 1}/${basename(absolute)}`;
  };
  return {
    isElsewhere,
    place: (path) => (!isElsewhere || staysBelow(path) ? path : nameOf(path)),
    add: (path) =>
      void files.set(resolve(directory, path), { path, name: isElsewhere ? nameOf(path) : undefined }),
    list: () => [...files.values()],
  };
}

/**
 * Checks whether a path is relative and never leaves the working folder, so that it refers to a file below.
 */
function staysBelow(path: string): boolean {
  return !isAbsolute(path) && !path.split(/[/\\]/).includes("..");
}

/**
 * Returns the path from a folder to a path below it, with `/` between its parts; undefined for other paths.
 */
function wayTo(folder: string, path: string): string | undefined {
  const way = relative(folder, path);
  return staysBelow(way) ? way.split(sep).join("/") : undefined;
}
