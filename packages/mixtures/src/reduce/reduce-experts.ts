import {
  at,
  type Checkpoint,
  convertInto,
  createTensor,
  defineCheckpoint,
  entry,
  type Tensor,
  type TensorInfo,
  toFloat32,
  UnsupportedError,
  UsageError,
} from "@isthmus/core";
import type { RouterLayer } from "../routers/discover-routers.ts";
import { alignUnits, isDown, type UnitWeights } from "./align-units.ts";
import type { ExpertGroup } from "./group-experts.ts";

/**
 * Makes a mixture with fewer experts, lazily: each expert of the result is the weighted mean of a group of
 * experts, whose hidden units are put in the order of the group's first expert that fits best, and so are the
 * rows of routers. Experts of no group are left out. Other tensors are unchanged.
 * @param routers - routers of the mixture, see `discoverRouters`
 * @param mixture - network with a tensor for every weight of the graph
 * @param groups - for each layer with a router, in order, the experts of the result, see `groupExperts`
 * @returns mixture in the names of the graph, which the published layouts have, too
 * @throws UsageError if there are not as many lists of groups as routers, or layers differ in their numbers
 * @throws UnsupportedError if a router is stored as `[width, experts]`
 */
export function reduceExperts(
  routers: readonly RouterLayer[],
  mixture: Checkpoint,
  groups: readonly (readonly ExpertGroup[])[],
): Checkpoint {
  const [first] = groups;
  if (groups.length !== routers.length || groups.some(({ length }) => length !== first?.length)) {
    throw new UsageError(
      `Cannot reduce experts as each of the ${routers.length} layers must have as many experts as the others: got ${groups.map(({ length }) => length).join(", ")}`,
    );
  }
  const makers = new Map<string, Made>();
  for (const [i, router] of routers.entries()) {
    for (const [name, made] of makeLayer(mixture, router, at(groups, i, "layer"))) makers.set(name, made);
  }
  const isReplaced = (name: string) =>
    routers.some(({ parts }) => parts.flat().includes(name)) || makers.has(name);
  const tensors = new Map<string, TensorInfo>();
  for (const [name, info] of mixture.tensors) if (!isReplaced(name)) tensors.set(name, info);
  for (const [name, { info }] of makers) tensors.set(name, info);
  let last: { readonly name: string; readonly made: Promise<Float32Array> } | undefined;
  return defineCheckpoint({
    source: `${mixture.source} (${first?.length} experts)`,
    tensors,
    metadata: mixture.metadata,
    inputs: [mixture],
    async readInto(name, begin, out) {
      const maker = makers.get(name);
      if (maker === undefined) return mixture.readRangeInto(name, begin, out);
      // Ranges of one tensor are read one after the other.
      if (last?.name !== name) last = { name, made: maker.make() };
      const data = (await last.made).subarray(begin, begin + out.length);
      convertInto({ dtype: "f32", data }, { dtype: maker.info.dtype, data: out });
    },
  });
}

/** A tensor of the result that is computed. */
interface Made {
  readonly info: TensorInfo;
  /** Computes its elements. */
  make(): Promise<Float32Array>;
}

/** Describes the tensors of router and experts of one layer. */
function makeLayer(
  mixture: Checkpoint,
  { name: layer, weight, inputFirst, experts, parts }: RouterLayer,
  groups: readonly ExpertGroup[],
): Map<string, Made> {
  if (inputFirst) {
    throw new UnsupportedError(
      `Cannot reduce experts of "${layer}" as the weight of its router must have a row for each expert: "${weight}" has a column`,
      { feature: "routers" },
    );
  }
  const made = new Map<string, Made>();
  // A bias of scores, or of the choice alone, lies beside the weight.
  const beside = weight.slice(0, weight.lastIndexOf(".") + 1);
  for (const [name, { dtype, shape }] of mixture.tensors) {
    if (!name.startsWith(beside) || shape[0] !== experts) continue;
    const info = { dtype, shape: [groups.length, ...shape.slice(1)] };
    made.set(name, {
      info,
      make: async () => combineRows(await readNumbers(mixture, name), groups, experts),
    });
  }
  const nameOf = (expert: number, k: number) => at(at(parts, expert, "expert"), k, "weight");
  const suffixes = at(parts, 0, "expert").map((name) => name.split(".").slice(-2).join("."));
  const readUnits = async (expert: number): Promise<UnitWeights> =>
    new Map(
      await Promise.all(
        suffixes.map(async (suffix, k) => [suffix, await readTensor(mixture, nameOf(expert, k))] as const),
      ),
    );
  for (const [place, group] of groups.entries()) {
    const orders = once(() => ordersOf(group, readUnits));
    for (const [k, suffix] of suffixes.entries()) {
      const info = entry(mixture.tensors, nameOf(at(group.members, 0), k), "tensor");
      const read = (member: number) => readTensor(mixture, nameOf(member, k));
      made.set(nameOf(place, k), { info, make: () => meanOfMembers(group, { suffix, read, orders }) });
    }
  }
  return made;
}

/** Computes the weighted means of the rows of each group, `[groups, columns]`. */
function combineRows(rows: Float32Array, groups: readonly ExpertGroup[], experts: number): Float32Array {
  const columns = rows.length / experts;
  const combined = new Float32Array(groups.length * columns);
  for (const [place, { members, shares }] of groups.entries()) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (const [i, member] of members.entries()) sum += at(shares, i) * at(rows, member * columns + column);
      combined[place * columns + column] = sum;
    }
  }
  return combined;
}

/**
 * Orders of the hidden units of all members of a group; the member with the largest share keeps its order.
 */
async function ordersOf(
  { members, shares }: ExpertGroup,
  readUnits: (expert: number) => Promise<UnitWeights>,
): Promise<ReadonlyMap<number, Int32Array>> {
  const centre = at(members, shares.indexOf(Math.max(...shares)), "member");
  const orders = new Map<number, Int32Array>();
  if (members.length === 1) return orders;
  const fixed = await readUnits(centre);
  for (const member of members)
    if (member !== centre) orders.set(member, await alignUnits(fixed, await readUnits(member)));
  return orders;
}

/** Ways to read one matrix of the members of a group. */
interface MemberReading {
  readonly suffix: string;
  readonly read: (member: number) => Promise<Tensor>;
  readonly orders: () => Promise<ReadonlyMap<number, Int32Array>>;
}

/** Computes the weighted mean of one matrix of all members of a group, with their units in one order. */
async function meanOfMembers(
  { members, shares }: ExpertGroup,
  { suffix, read, orders }: MemberReading,
): Promise<Float32Array> {
  const ordersOfMembers = await orders();
  let sum: Float32Array | undefined;
  for (const [i, member] of members.entries()) {
    const tensor = await read(member);
    const ordered = orderUnits(tensor, suffix, ordersOfMembers.get(member));
    sum ??= new Float32Array(ordered.length);
    const share = at(shares, i);
    for (let place = 0; place < ordered.length; place++)
      sum[place] = (sum[place] as number) + share * (ordered[place] as number);
  }
  return sum ?? new Float32Array();
}

/** Puts the hidden units of a matrix of an expert in another order; undefined keeps their order. */
function orderUnits({ shape, data }: Tensor, suffix: string, order: Int32Array | undefined): Float32Array {
  const numbers = data as Float32Array;
  if (order === undefined) return numbers;
  const columns = at(shape, 1, "axis");
  const isColumn = isDown(suffix);
  return numbers.map((_, place) => {
    const column = place % columns;
    const from = isColumn
      ? place - column + (order[column] as number)
      : (order[(place - column) / columns] as number) * columns + column;
    return numbers[from] as number;
  });
}

async function readNumbers(mixture: Checkpoint, name: string): Promise<Float32Array> {
  const { data, dtype } = await mixture.read(name);
  return toFloat32(data, dtype);
}

async function readTensor(mixture: Checkpoint, name: string): Promise<Tensor> {
  return createTensor("f32", entry(mixture.tensors, name, "tensor").shape, await readNumbers(mixture, name));
}

/** Returns a function that computes a value at its first call only. */
function once<T>(compute: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= compute();
    return value;
  };
}
