import { allocateData, createTensor, sizeOf, type Tensor } from "@isthmus/core";
import type { DeviceMemory, LoadOptions, Session } from "@isthmus/graph";
import type { SplitTensor } from "./split-large-values.ts";

type Tensors = ReadonlyMap<string, Tensor>;
type SplitTensors = ReadonlyMap<string, SplitTensor>;

/** Returns the carried outputs of a whole graph as those of the graph whose values are in parts. */
export function splitCarried(
  carried: LoadOptions["carried"] = new Map(),
  split: SplitTensors,
): ReadonlyMap<string, string> {
  return new Map(
    [...carried].flatMap(([output, input]) => {
      const [outputs, inputs] = [split.get(output)?.names, split.get(input)?.names];
      if (outputs === undefined || inputs === undefined) return [[output, input] as const];
      return outputs.map((name, i) => [name, inputs[i] ?? ""] as const);
    }),
  );
}

/** Returns a session of a whole graph that runs the graph whose values are in parts. */
export function splitSession(session: Session, split: SplitTensors): Session {
  const { memory } = session;
  return {
    async run(feeds, out) {
      const results = await session.run(splitTensors(feeds, split), out && withoutSplit(out, split));
      return joinTensors(results, split, out);
    },
    ...(memory && { memory: splitMemory(memory, split) }),
    release: () => session.release(),
  };
}

function splitMemory(memory: DeviceMemory, split: SplitTensors): DeviceMemory {
  return {
    hold: (tensors) => memory.hold(splitTensors(tensors, split)),
    async readInto(tensors) {
      const parts = new Map(
        [...tensors].flatMap(([name, tensor]) => {
          const { axis, bounds, names } = split.get(name) ?? {};
          if (axis === undefined || names === undefined || bounds === undefined)
            return [[name, tensor] as const];
          return names.map((part, i) => [part, allocatePart(tensor, { axis, bounds, names }, i)] as const);
        }),
      );
      await memory.readInto(parts);
      joinTensors(parts, split, tensors);
    },
  };
}

function withoutSplit(tensors: Tensors, split: SplitTensors): Tensors {
  return new Map([...tensors].filter(([name]) => !split.has(name)));
}

function splitTensors(tensors: Tensors, split: SplitTensors): Tensors {
  return new Map(
    [...tensors].flatMap(([name, tensor]) => {
      const parts = split.get(name);
      if (parts === undefined) return [[name, tensor] as const];
      return parts.names.map((part, i) => {
        const made = allocatePart(tensor, parts, i);
        copyPart(tensor, made, { axis: parts.axis, begin: parts.bounds[i] ?? 0, toWhole: false });
        return [part, made] as const;
      });
    }),
  );
}

/** Joins parts into tensors: the given ones, or new ones. */
function joinTensors(results: Tensors, split: SplitTensors, out: Tensors = new Map()): Map<string, Tensor> {
  const joined = new Map(results);
  for (const [name, { axis, bounds, names }] of split) {
    const parts = names.flatMap((part) => results.get(part) ?? []);
    const [first] = parts;
    if (first === undefined || parts.length < names.length) continue;
    const shape = first.shape.with(axis, bounds.at(-1) ?? 0);
    const whole = out.get(name) ?? createTensor(first.dtype, shape, allocateData(first.dtype, sizeOf(shape)));
    for (const [i, part] of parts.entries())
      copyPart(whole, part, { axis, begin: bounds[i] ?? 0, toWhole: true });
    for (const part of names) joined.delete(part);
    joined.set(name, whole);
  }
  return joined;
}

function allocatePart({ dtype, shape }: Tensor, { axis, bounds }: SplitTensor, i: number): Tensor {
  const made = shape.with(axis, (bounds[i + 1] ?? 0) - (bounds[i] ?? 0));
  return createTensor(dtype, made, allocateData(dtype, sizeOf(made)));
}

/** Copies a part from or to its place in the whole tensor, one run of neighbouring elements after another. */
function copyPart(
  whole: Tensor,
  part: Tensor,
  { axis, begin, toWhole }: { readonly axis: number; readonly begin: number; readonly toWhole: boolean },
): void {
  const inner = sizeOf(part.shape.slice(axis + 1));
  const run = sizeOf(part.shape.slice(axis));
  const stride = sizeOf(whole.shape.slice(axis));
  const runs = sizeOf(part.shape.slice(0, axis));
  for (let i = 0; i < runs; i++) {
    const place = i * stride + begin * inner;
    const here = whole.data.subarray(place, place + run);
    const there = part.data.subarray(i * run, (i + 1) * run);
    if (toWhole) here.set(there as never);
    else there.set(here as never);
  }
}
