import { basename, dirname, isAbsolute, relative, resolve, sep } from "node:path";

/** Files that tasks look for themselves, by paths in their parameters. */
export interface GatheredFiles {
  /** Whether tasks run in another working folder, which has these files and no others. */
  readonly isElsewhere: boolean;
  /** Adds a file, by its path here. */
  add(path: string): void;
  /**
   * Returns the path by which tasks find a file or folder: the path itself, unless they run elsewhere and it
   * leads out of the working folder. Files beside it, and below it, are found beside and below it; its own
   * last name stays, too.
   */
  place(path: string): string;
  /** Lists the files that were added, each once. */
  list(): readonly GatheredFile[];
}

/** A file that tasks look for themselves. */
export interface GatheredFile {
  /** Where it is on this machine. */
  readonly path: string;
  /**
   * Its path from the working folder, with `/` between its parts; undefined if tasks find it where it is.
   */
  readonly name: string | undefined;
}

/** Folder for whatever is outside of the working folder. */
const OUTSIDE = ".outside";

/** Starts without any file, in the folder that the process runs in. */
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

/** Checks whether a path is relative, and leads nowhere else on its way, so that it means a file below. */
function staysBelow(path: string): boolean {
  return !isAbsolute(path) && !path.split(/[/\\]/).includes("..");
}

/** Returns the path from a folder to what is below it, with `/` between its parts; undefined for all else. */
function wayTo(folder: string, path: string): string | undefined {
  const way = relative(folder, path);
  return staysBelow(way) ? way.split(sep).join("/") : undefined;
}
