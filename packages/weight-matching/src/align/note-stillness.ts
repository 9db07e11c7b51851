import { type Architecture, restrictOutputs } from "@isthmus/graph";
import { discoverSymmetries, explainSpec, type Symmetries, wholeSpec } from "@isthmus/symmetry";

/** Options of {@link noteStillness}. */
interface NoteOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onNote?: ((text: string) => void) | undefined;
}

/** Notes that no unit of a network may be permuted, and why, if that is so. */
export async function noteStillness(
  architecture: Architecture,
  symmetries: Symmetries,
  { signal, onNote }: NoteOptions,
): Promise<void> {
  const spec = wholeSpec(symmetries);
  if (onNote === undefined || spec.symmetries.length > 0) return;
  const [first] = explainSpec(spec).frozen;
  const why =
    (await findFreeOutputs(architecture, signal)) ??
    (first === undefined ? "no weight has units" : `${first.node} stays: ${first.reason}`);
  onNote(`Nothing can be permuted, as ${why}; isthmus symmetry lists what stays, and why`);
}

/**
 * Finds outputs without which units could be permuted, and says so; undefined if there are none. Tries to
 * leave out each output alone, and then all outputs but one.
 */
async function findFreeOutputs(
  { graph, engine }: Architecture,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const names = graph.outputs.map(({ name }) => name);
  if (names.length < 2) return undefined;
  const choices = [
    ...names.map((out) => names.filter((name) => name !== out)),
    ...names.map((name) => [name]),
  ];
  for (const counted of choices) {
    const { spec } = await discoverSymmetries({ graph: restrictOutputs(graph, counted), engine }, { signal });
    if (spec.symmetries.length === 0) continue;
    const out = names.filter((name) => !counted.includes(name));
    const [which, count] = [
      out.length === 1 ? "output" : "outputs",
      counted.length === 1 ? "counts" : "count",
    ];
    return `${which} ${out.join(", ")} must keep the order of units; if only ${counted.join(", ")} ${count}, say so by --outputs ${counted.join(",")}, or outputs: ${JSON.stringify(counted)} in a script`;
  }
  return undefined;
}
