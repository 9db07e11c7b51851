import { type Checkpoint, isIsthmusError, withCheckpoints } from "@isthmus/core";
import { type BoundArchitecture, bindArchitecture, type Engine } from "@isthmus/graph";
import {
  discoverContinuous,
  discoverSymmetries,
  explainLinearSymmetries,
  explainSpec,
  proveSymmetries,
} from "@isthmus/symmetry";
import { type OpenedArchitecture, openArchitecture } from "@isthmus/zoo";
import type { Handling } from "../protocol.ts";
import { commandOf } from "./commands.ts";
import type { FoundSymmetries, LabRequests, WithCommand, WorkProgress } from "./lab-requests.ts";

/** Finds the symmetries of a graph, and proves them by running it with permuted weights. */
export async function findSymmetries(
  { graph: path, network, others }: LabRequests["lab.symmetries"]["params"],
  engine: Engine,
  { signal, report }: Handling<WorkProgress>,
): Promise<WithCommand<FoundSymmetries>> {
  report({ done: 0, stage: "Reading the graph" });
  const opened = await openArchitecture(path, engine);
  return withCheckpoints(network === undefined ? [] : [network], async ([checkpoint]) => {
    const { bound, source } = checkpoint ? await bindBySource(opened, checkpoint, { others, signal }) : {};
    const architecture = bound ?? opened;
    report({ done: 0.2, stage: "Discovering symmetries" });
    const symmetries = await discoverSymmetries(architecture, { signal });
    const beyond = await discoverContinuous(architecture, symmetries, { signal });
    report({ done: 0.5, stage: "Proving them" });
    const weights = bound?.networks[0]?.network;
    const proof = await proveSymmetries(architecture, symmetries, { seed: 0, ...beyond, weights, signal });
    const { symmetries: found, frozen, axes } = explainSpec(symmetries.spec);
    return {
      symmetries: found.map(({ name, size, cells, axes: moved }) => ({
        name,
        units: cells === 1 ? String(size) : `${cells} × ${size}`,
        axes: moved.map(({ tensor, axis }) => `${tensor}:${axis}`),
      })),
      frozen: frozen.map(({ tensor, axis, reason }) => ({ axis: `${tensor}:${axis}`, reason })),
      free: axes.free + axes.partly,
      total: axes.total,
      beyond: explainLinearSymmetries(symmetries.spec, beyond.linear).map(
        ({ kind, size, cells }) => `${kind}s of ${cells === 1 ? size : `${cells} × ${size}`} units`,
      ),
      values: proof.tensors,
      maxRelativeError: proof.maxRelativeError,
      failed: proof.passed ? undefined : proof.failedSymmetries.join(", "),
      command: commandOf(
        "symmetry",
        path,
        "--verify",
        ...(network === undefined ? [] : ["--checkpoint", network]),
        ...(source === undefined ? [] : ["--exported-from", source]),
      ),
    };
  });
}

/** A network that is bound to a graph. */
interface BoundBySource {
  readonly bound: OpenedArchitecture & BoundArchitecture;
  /** Path of the network that the graph was exported from; missing if it is the bound one. */
  readonly source?: string;
}

/**
 * Binds a network to a graph that was exported from it, or else from one of the others.
 * @throws MismatchError of the network alone if the graph is of none of them
 */
async function bindBySource(
  opened: OpenedArchitecture,
  checkpoint: Checkpoint,
  { others, signal }: { readonly others: readonly string[]; readonly signal: AbortSignal },
): Promise<BoundBySource> {
  try {
    return { bound: await bindArchitecture(opened, [checkpoint], { signal }) };
  } catch (error) {
    for (const source of others) {
      try {
        const bound = await bindArchitecture(opened, [checkpoint], { exportedFrom: source, signal });
        return { bound, source };
      } catch (other) {
        // Another of the networks may be the one.
        if (!isIsthmusError(other, "MismatchError")) throw other;
      }
    }
    throw error;
  }
}
