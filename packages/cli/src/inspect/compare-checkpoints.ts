import {
  type Checkpoint,
  compareCheckpoints,
  compareTensors,
  formatShape,
  hashTensor,
  sameShape,
  type TensorDifference,
  type ValueDifference,
} from "@isthmus/core";
import { formatTable } from "../format/format-table.ts";
import type { Context, Outcome } from "../verb.ts";
import { formatNumber, type InspectOptions } from "./inspect-checkpoint.ts";

/** Difference of the numbers of a tensor that both checkpoints have. */
interface ComparedTensor extends ValueDifference {
  readonly name: string;
  readonly sha256?: readonly [string, string];
}

/** Compares two checkpoints: their structure, then the numbers of all tensors that have one shape in both. */
export async function inspectTwo(
  paths: readonly [string, string],
  [a, b]: readonly [Checkpoint, Checkpoint],
  options: InspectOptions,
  context: Context,
): Promise<Outcome> {
  const { differences } = compareCheckpoints(a, b);
  const tensors = await compareAll(a, b, options, context);
  const different = tensors.filter(({ same }) => !same);
  const summary = summarize(differences, { compared: tensors.length, different: different.length });
  const parts = [...formatDifferences(differences, paths), ...formatTensors(tensors, options), summary];
  return {
    result: {
      kind: "comparison",
      paths,
      same: differences.length === 0 && different.length === 0,
      totals: { compared: tensors.length, different: different.length, structure: differences.length },
      differences,
      tensors,
    },
    text: parts.join("\n"),
  };
}

async function compareAll(
  a: Checkpoint,
  b: Checkpoint,
  { hash }: InspectOptions,
  { progress, signal }: Context,
): Promise<ComparedTensor[]> {
  const compared: ComparedTensor[] = [];
  let place = 0;
  for (const [name, { shape }] of a.tensors) {
    progress("Comparing", place++ / a.tensors.size, () => name);
    const other = b.tensors.get(name);
    if (other === undefined || !sameShape(shape, other.shape)) continue;
    const difference = await compareTensors(a, b, name, { signal });
    const hashes = async () =>
      [await hashTensor(a, name, { signal }), await hashTensor(b, name, { signal })] as const;
    compared.push({ name, ...difference, ...(hash ? { sha256: await hashes() } : {}) });
  }
  return compared;
}

function formatDifferences(
  differences: readonly TensorDifference[],
  [a, b]: readonly [string, string],
): string[] {
  if (differences.length === 0) return [];
  const rows = differences.map(({ name, kind, a: left, b: right }) => {
    if (left === undefined) return [name, `only in ${b}`];
    if (right === undefined) return [name, `only in ${a}`];
    if (kind === "shape") return [name, `${formatShape(left.shape)} and ${formatShape(right.shape)}`];
    return [name, `${left.dtype} and ${right.dtype}`];
  });
  return [formatTable([{ title: "tensor" }, { title: "difference" }], rows), ""];
}

function formatTensors(tensors: readonly ComparedTensor[], { hash }: InspectOptions): string[] {
  if (tensors.length === 0) return [];
  const rows = tensors.map(({ name, same, largest, relative, cosine, sha256 }) => [
    name,
    ...(same ? ["same", "", ""] : [formatNumber(largest), formatNumber(relative), formatNumber(cosine)]),
    ...(sha256 ?? []),
  ]);
  const columns = [
    { title: "tensor" },
    { title: "largest difference", align: "right" },
    { title: "relative", align: "right" },
    { title: "cosine", align: "right" },
    ...(hash ? [{ title: "SHA-256 of the first" }, { title: "of the second" }] : []),
  ] as const;
  return [formatTable(columns, rows), ""];
}

function summarize(
  differences: readonly TensorDifference[],
  { compared, different }: { readonly compared: number; readonly different: number },
): string {
  const countOf = (kind: TensorDifference["kind"]): number =>
    differences.filter((difference) => difference.kind === kind).length;
  const parts = [
    `${compared} tensors compared, ${different} differ`,
    `${countOf("missing")} in one only`,
    `${countOf("shape")} of other shapes`,
    `${countOf("dtype")} of other types`,
  ];
  return parts.join("; ");
}
