import {
  byteLengthOf,
  type Checkpoint,
  formatShape,
  hashTensor,
  measureTensor,
  sizeOf,
  type TensorInfo,
  type TensorStatistics,
} from "@isthmus/core";
import { type Column, formatBytes, formatPairs, formatTable } from "../format/format-table.ts";
import type { Context, Outcome } from "../verb.ts";

/**
 * Columns to show of every tensor beside name, type, shape and size; both options read the whole checkpoint.
 */
export interface InspectOptions {
  /** Whether statistics of the numbers are shown. */
  readonly stats?: true | undefined;
  /** Whether the SHA-256 of the elements is shown. */
  readonly hash?: true | undefined;
}

/** Properties of a tensor that are shown. */
interface InspectedTensor extends TensorInfo {
  readonly name: string;
  readonly bytes: number;
  readonly statistics?: TensorStatistics;
  readonly sha256?: string;
}

/** Largest number of characters of a value of the metadata that the text shows; `--json` has all. */
const SHOWN = 200;

const COLUMNS: readonly Column[] = [
  { title: "tensor" },
  { title: "type" },
  { title: "shape" },
  { title: "size", align: "right" },
];

const STATISTICS = ["min", "max", "mean", "std", "norm", "zeros", "nonFinite"] as const;

/** Lists the contents of a checkpoint. */
export async function inspectCheckpoint(
  path: string,
  checkpoint: Checkpoint,
  options: InspectOptions,
  context: Context,
): Promise<Outcome> {
  const { metadata, files } = checkpoint;
  const tensors = await inspectTensors(checkpoint, options, context);
  const totals = {
    tensors: tensors.length,
    parameters: tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    bytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
  };
  const count = totals.parameters.toLocaleString("en-US");
  const summary = `${totals.tensors} tensors, ${count} parameters, ${formatBytes(totals.bytes)}`;
  return {
    result: { kind: "checkpoint", path, files, totals, metadata, tensors },
    text: [formatTensors(tensors, options), "", summary, ...formatMetadata(metadata)].join("\n"),
  };
}

async function inspectTensors(
  checkpoint: Checkpoint,
  { stats, hash }: InspectOptions,
  { progress, signal }: Context,
): Promise<InspectedTensor[]> {
  const tensors: InspectedTensor[] = [];
  for (const [name, { dtype, shape, stored }] of checkpoint.tensors) {
    if (stats || hash) progress("Reading", tensors.length / checkpoint.tensors.size, () => name);
    tensors.push({
      name,
      dtype,
      shape,
      bytes: byteLengthOf({ dtype, shape }),
      ...(stored === undefined ? {} : { stored }),
      ...(stats ? { statistics: await measureTensor(checkpoint, name, { signal }) } : {}),
      ...(hash ? { sha256: await hashTensor(checkpoint, name, { signal }) } : {}),
    });
  }
  return tensors;
}

function formatTensors(tensors: readonly InspectedTensor[], { stats, hash }: InspectOptions): string {
  const right = STATISTICS.map(
    (title) => ({ title: title === "nonFinite" ? "non-finite" : title, align: "right" }) as const,
  );
  const columns = [...COLUMNS, ...(stats ? right : []), ...(hash ? [{ title: "SHA-256" }] : [])];
  const rows = tensors.map(({ name, dtype, shape, bytes, stored, statistics, sha256 }) => [
    name,
    stored === undefined ? dtype : `${dtype} (${stored})`,
    formatShape(shape),
    formatBytes(bytes),
    ...(statistics === undefined ? [] : STATISTICS.map((key) => formatNumber(statistics[key]))),
    ...(sha256 === undefined ? [] : [sha256]),
  ]);
  return formatTable(columns, rows);
}

/** Formats a number in at most five significant digits: `0.012346`, `1.2346e-9`. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(5)));
}

function formatMetadata(metadata: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(metadata).map(([key, text]) => {
    const rest = text.length - SHOWN;
    return [key, rest > 0 ? `${text.slice(0, SHOWN)}... and ${rest} characters more` : text] as const;
  });
  return entries.length === 0 ? [] : ["", "metadata", formatPairs(entries)];
}
