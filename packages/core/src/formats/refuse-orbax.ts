import { UnsupportedError } from "../errors.ts";

/** Files that Orbax writes into the folder of a checkpoint. */
const MARKS: readonly string[] = ["manifest.ocdbt", "_CHECKPOINT_METADATA", "_METADATA"];

/** Checks by the names in it whether a folder was written by Orbax. */
export function isOrbax(names: readonly string[]): boolean {
  return MARKS.some((mark) => names.includes(mark));
}

/** Refuses a folder of Orbax, and says what to do. @throws UnsupportedError always */
export async function refuseOrbax(folder: string, names: readonly string[]): Promise<never> {
  const form = names.includes("manifest.ocdbt")
    ? "a database of OCDBT"
    : "arrays of Zarr, or folders of them";
  throw new UnsupportedError(
    `Cannot open "${folder}" as checkpoints of Orbax are not handled: it holds ${form}, which are compressed by Zstandard; ` +
      "restore it with orbax.checkpoint, and save the parameters by safetensors.flax.save_file or flax.serialization.to_bytes",
    { feature: "Orbax" },
  );
}
