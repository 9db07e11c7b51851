import {
  at,
  type Checkpoint,
  DTYPES,
  type DType,
  defineCheckpoint,
  entry,
  formatShape,
  MismatchError,
  sameShape,
  type TensorData,
  type TensorInfo,
  UsageError,
} from "@isthmus/core";
import { createPadding } from "./padding-row.ts";
import { type Padding, type RowTable, readRows } from "./read-rows.ts";
import { fillOf } from "./token-rows.ts";
import type { VocabularyAxes } from "./vocabulary-axes.ts";
import type { VocabularyPlan } from "./vocabulary-plan.ts";

/**
 * Puts the rows of networks in the order of a planned vocabulary, lazily: it returns views in which all
 * networks have embeddings and output heads of one size, whose row i belongs to token i.
 *
 * A network that lacks a token gets the row that {@link fillOf} names. Rows after the last token are the mean
 * of the rows before them (Hewitt, Initializing new word embeddings for pretrained language models, 2021).
 * Rows are read range by range, so that a large embedding never has to fit into memory.
 *
 * The tensors get the narrowest element type that holds the rows of all networks and is at least as wide as
 * the type of the result, so that means of rows are rounded once. Differs from mergekit: a mean is computed
 * in f64.
 *
 * @param networks - networks in the order of the plan
 * @param axes - axes of tokens of each network, from `findVocabularyAxes`
 * @param plan - plan from `planVocabulary`, and the element type of the result if it is known
 * @returns a view of each network; closing a view does not close the networks
 * @throws MismatchError if networks differ in another axis, or have fewer rows than their tokens need
 * @throws InputError if the recipe names a row of a network that lacks the tensor
 */
export function remapVocabulary(
  networks: readonly Checkpoint[],
  axes: readonly VocabularyAxes[],
  plan: RemappedVocabulary,
): readonly Checkpoint[] {
  if (networks.length !== plan.networks.length || axes.length !== networks.length) {
    throw new UsageError(
      `Cannot put rows in order as there must be a checkpoint and axes for each network of the plan: ${networks.length} and ${axes.length} of ${plan.networks.length}`,
    );
  }
  const layouts = new Map<string, TensorLayout>();
  for (const name of new Set(axes.flatMap((some) => [...some.keys()]))) {
    layouts.set(name, createLayout(name, { networks, axes, plan }));
  }
  return networks.map((network, position) => {
    const tables = new Map<string, RowTable>();
    for (const [name, layout] of layouts) {
      if (network.tensors.has(name)) tables.set(name, createTable(layout, { position, networks, plan }));
    }
    return createView(network, tables);
  });
}

/** Planned vocabulary, which defines the order of rows. */
export interface RemappedVocabulary extends VocabularyPlan {
  /** Element type of the result. @defaultValue the narrowest type that holds the rows of all networks */
  readonly dtype?: DType | undefined;
}

interface Inputs {
  readonly networks: readonly Checkpoint[];
  readonly axes: readonly VocabularyAxes[];
  readonly plan: RemappedVocabulary;
}

/** Axis of tokens, shape and element type of a tensor, which are the same in all views that have it. */
interface TensorLayout {
  readonly name: string;
  readonly axis: number;
  /** Positions of the networks that have it. */
  readonly present: readonly number[];
  /** Shape and element type of the tensor in the views. */
  readonly info: TensorInfo;
}

function createLayout(name: string, { networks, axes, plan }: Inputs): TensorLayout {
  const present = networks.flatMap(({ tensors }, i) => (tensors.has(name) ? [i] : []));
  const first = at(present, 0, "network");
  const axis = at(axes, first).get(name);
  if (axis === undefined || present.some((i) => at(axes, i).get(name) !== axis)) {
    throw new MismatchError(
      `Cannot put the rows of "${name}" in order as its axis of tokens must be the same in all networks: it is ${present.map((i) => at(axes, i).get(name) ?? "none").join(", ")}`,
      { parameters: [name] },
    );
  }
  const infos = present.map((i) => entry(at(networks, i).tensors, name, "tensor"));
  const shapes = infos.map(({ shape }) => shape.with(axis, plan.size));
  const shape = at(shapes, 0, "shape");
  if (!shapes.every((other) => sameShape(other, shape))) {
    throw new MismatchError(
      `Cannot put the rows of "${name}" in order as other axes than that of tokens must agree: ${infos.map((info) => formatShape(info.shape)).join(", ")}`,
      { parameters: [name] },
    );
  }
  for (const [i, info] of infos.entries()) {
    assertRows(name, at(plan.networks, at(present, i)), at(info.shape, axis));
  }
  const stored = promote(infos.map(({ dtype }) => dtype));
  const isWider = plan.dtype !== undefined && DTYPES[plan.dtype].bytes > DTYPES[stored].bytes;
  return { name, axis, present, info: { dtype: isWider ? plan.dtype : stored, shape } };
}

function assertRows(
  name: string,
  { rows, directory }: VocabularyPlan["networks"][number],
  count: number,
): void {
  let last = -1;
  for (const row of rows) last = Math.max(last, row);
  if (last < count) return;
  throw new MismatchError(
    `Cannot put the rows of "${name}" of "${directory}" in order as there must be a row for each token: it has ${count} rows and a token of id ${last}; correct vocab_size in its config.json`,
    { parameters: [name] },
  );
}

/** Returns the narrowest float type that holds numbers of all types, as PyTorch promotes them. */
function promote(dtypes: readonly DType[]): DType {
  const [first = "f32", ...others] = dtypes;
  if (others.every((dtype) => dtype === first)) return first;
  return dtypes.includes("f64") ? "f64" : "f32";
}

interface TableContext {
  readonly position: number;
  readonly networks: readonly Checkpoint[];
  readonly plan: VocabularyPlan;
}

/** Lists the source of each row of one tensor of one network. */
function createTable(
  { name, axis, present, info }: TensorLayout,
  { position, networks, plan }: TableContext,
): RowTable {
  const rows = Int32Array.from(at(plan.networks, position).rows);
  const fills: RowTable["fills"] extends ReadonlyMap<number, infer Fill> ? Map<number, Fill> : never =
    new Map();
  for (const id of rows.keys()) {
    if (plan.rows.get(id)?.force === true) rows[id] = -1;
    if (rows[id] !== -1 || plan.tokens[id] === undefined) continue;
    fills.set(id, fillOf(plan, id, present));
  }
  const widths = present.map((i) => at(entry(at(networks, i).tensors, name, "tensor").shape, axis));
  return {
    name,
    networks,
    position,
    rows,
    fills,
    dtype: info.dtype,
    shape: info.shape,
    axis,
    sizes: new Map(present.map((network, i) => [network, at(widths, i)])),
    isToken: (id) => plan.tokens[id] !== undefined,
  };
}

function createView(network: Checkpoint, tables: ReadonlyMap<string, RowTable>): Checkpoint {
  const paddings = new Map<string, Padding>([...tables].map(([name, table]) => [name, createPadding(table)]));
  return defineCheckpoint({
    source: network.source,
    tensors: new Map(
      [...network.tensors].map(([name, info]): [string, TensorInfo] => {
        const table = tables.get(name);
        return [name, table === undefined ? info : { dtype: table.dtype, shape: table.shape }];
      }),
    ),
    metadata: network.metadata,
    inputs: [network, ...new Set([...tables.values()].flatMap((table) => filledFrom(table)))],
    async readInto(name, begin, out: TensorData) {
      const table = tables.get(name);
      if (table === undefined) await network.readRangeInto(name, begin, out);
      else await readRows(table, { begin, out, padding: entry(paddings, name, "tensor") });
    },
  });
}

/** Lists the networks from which a table takes rows of tokens that its own network lacks. */
function filledFrom({ fills, networks }: RowTable): readonly Checkpoint[] {
  const positions = new Set([...fills.values()].flatMap((fill) => fill.map(({ network }) => network)));
  return [...positions].map((position) => at(networks, position, "network"));
}
