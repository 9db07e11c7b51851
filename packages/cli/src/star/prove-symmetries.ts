import type { BoundArchitecture } from "@isthmus/graph";
import type { Symmetries } from "@isthmus/symmetry";
import { align } from "@isthmus/weight-matching";
import type { OpenedArchitecture } from "@isthmus/zoo";
import { followAlignment } from "../terminal/follow-alignment.ts";
import type { Context } from "../verb.ts";
import type { StarVerbOptions } from "./star-options.ts";

/** Discovers the symmetries of networks, and proves them by aligning the second network to the first. */
export async function proveSymmetries(
  { networks, ...architecture }: OpenedArchitecture & Pick<BoundArchitecture, "networks">,
  { seed, restarts }: Pick<StarVerbOptions, "seed" | "restarts">,
  context: Context,
): Promise<Symmetries> {
  const { symmetries } = await align(architecture, networks.slice(0, 2), {
    seed,
    restarts,
    ...followAlignment("weight", context),
  });
  return symmetries;
}
