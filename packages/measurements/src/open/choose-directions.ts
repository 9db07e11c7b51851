import { InputError, UsageError } from "@isthmus/core";
import type { LandscapeKind } from "@isthmus/curvature";
import { join, readdir, stat } from "@isthmus/platform";
import type { DirectionNames } from "./subject-options.ts";

/** Kinds of directions that have names of their own; others are named by checkpoints. */
const NAMED = ["random", "eigenvectors", "trajectory"] as const satisfies readonly LandscapeKind[];

/**
 * Finds the source of the directions, and the checkpoints that they are made from.
 * @throws UsageError if the options contradict each other
 * @throws InputError if a folder of snapshots has none
 */
export async function chooseDirections({
  directions,
  snapshots,
  from,
}: DirectionNames): Promise<{ readonly directions: LandscapeKind; readonly others: readonly string[] }> {
  const fail = (rule: string): never => {
    throw new UsageError(`Cannot measure a landscape as ${rule}`);
  };
  if (from !== undefined) {
    if (directions !== undefined || snapshots !== undefined) {
      fail("--from goes along one line: got --directions or --snapshots, too; leave out one of them");
    }
    return { directions: "initialization", others: [from] };
  }
  const kinds = (directions ?? ["random"]).filter((word) => (NAMED as readonly string[]).includes(word));
  const [kind] = kinds as LandscapeKind[];
  if (kind !== undefined && (directions?.length ?? 1) > 1) {
    fail(
      `--directions must be one kind, or checkpoints: got ${directions?.join(", ")}; write ./${kind} for a file of that name`,
    );
  }
  if (kind === "trajectory") {
    if (snapshots === undefined)
      fail("a trajectory must have snapshots: name their files, or their folder, by --snapshots");
    return { directions: kind, others: await listSnapshots(snapshots ?? []) };
  }
  if (snapshots !== undefined) fail("--snapshots are of a trajectory: add --directions trajectory");
  return kind === undefined
    ? { directions: "networks", others: directions ?? [] }
    : { directions: kind, others: [] };
}

/**
 * Lists the snapshots that files and folders name; the ones of a folder are in the order of the numbers in
 * their names.
 */
async function listSnapshots(paths: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    paths.map(async (path) => {
      const isFolder = await stat(path).then(
        (entry) => entry.isDirectory(),
        () => false,
      );
      return isFolder ? listFolder(path) : [path];
    }),
  );
  return lists.flat();
}

async function listFolder(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /\.(safetensors|pt|pth|npz)$/.test(name));
  if (names.length === 0) {
    throw new InputError(
      `Cannot measure a landscape as the folder of snapshots must have files that end in .safetensors, .pt, .pth or .npz: "${folder}" has none`,
      { input: folder },
    );
  }
  const byNumber = new Intl.Collator("en", { numeric: true });
  return names.sort(byNumber.compare).map((name) => join(folder, name));
}
