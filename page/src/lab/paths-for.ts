import type { GivenFile } from "../worker/lab/lab-requests.ts";

/**
 * Gives files paths under which none hides another: a second file of a name gets a numbered folder. A file that was given
 * already is left out.
 * @param known - returns the earlier file of a path
 */
export function pathsFor(
  files: readonly GivenFile[],
  known: (path: string) => Blob | undefined,
): GivenFile[] {
  const taken = new Map<string, Blob>();
  const earlier = (path: string) => taken.get(path) ?? known(path);
  return files.flatMap(({ path, content }) => {
    for (let number = 1; ; number++) {
      const own = number === 1 ? path : `${number}/${path}`;
      const other = earlier(own);
      if (other !== undefined && isSame(other, content)) return [];
      if (other !== undefined) continue;
      taken.set(own, content);
      return [{ path: own, content }];
    }
  });
}

/** Checks by name, size and time of the last change whether two are one file. */
function isSame(a: Blob, b: Blob): boolean {
  if (a.size !== b.size) return false;
  return a instanceof File && b instanceof File
    ? a.name === b.name && a.lastModified === b.lastModified
    : false;
}
