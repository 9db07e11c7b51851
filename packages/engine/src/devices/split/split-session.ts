import { allocateData, at, createTensor, sizeOf, type Tensor } from "@isthmus/core";
import type { DeviceMemory, LoadOptions, Session } from "@isthmus/graph";
import { type Range, rangesOf } from "./ranges.ts";
import type { SplitTensor } from "./split-large-values.ts";

type Tensors = ReadonlyMap<string, Tensor>;
type SplitTensors = ReadonlyMap<string, SplitTensor>;

/** Returns the outputs that the next run takes, part by part, if the graph's values are in parts. */
export function splitCarried(
  carried: LoadOptions["carried"] = new Map(),
  split: SplitTensors,
): ReadonlyMap<string, string> {
  return new Map(
    [...carried].flatMap(([output, input]) => {
      const [outputs, inputs] = [split.get(output)?.names, split.get(input)?.names];
      if (outputs === undefined || inputs === undefined) return [[output, input] as const];
      return outputs.map((name, i) => [name, at(inputs, i, "part")] as const);
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
          const parts = split.get(name);
          if (parts === undefined) return [[name, tensor] as const];
          return placesOf(parts).map((place) => [place.name, allocatePart(tensor, place)] as const);
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
      return placesOf(parts).map((place) => {
        const part = allocatePart(tensor, place);
        copyPart(tensor, part, { ...place, toWhole: false });
        return [place.name, part] as const;
      });
    }),
  );
}

/** Joins parts into tensors: the given ones, or new ones. */
function joinTensors(results: Tensors, split: SplitTensors, out: Tensors = new Map()): Map<string, Tensor> {
  const joined = new Map(results);
  for (const [name, parts] of split) {
    const tensors = parts.names.flatMap((part) => results.get(part) ?? []);
    const [first] = tensors;
    if (first === undefined || tensors.length < parts.names.length) continue;
    const shape = first.shape.with(parts.axis, at(parts.bounds, parts.names.length, "bound"));
    const whole = out.get(name) ?? createTensor(first.dtype, shape, allocateData(first.dtype, sizeOf(shape)));
    for (const [i, place] of placesOf(parts).entries()) {
      copyPart(whole, at(tensors, i, "part"), { ...place, toWhole: true });
      joined.delete(place.name);
    }
    joined.set(name, whole);
  }
  return joined;
}

/** The place of a part in the whole tensor. */
interface Place extends Range {
  readonly name: string;
  readonly axis: number;
}

function placesOf({ axis, bounds, names }: SplitTensor): readonly Place[] {
  return rangesOf(bounds).map((range, i) => ({ ...range, axis, name: at(names, i, "part") }));
}

function allocatePart({ dtype, shape }: Tensor, { axis, begin, end }: Place): Tensor {
  const extents = shape.with(axis, end - begin);
  return createTensor(dtype, extents, allocateData(dtype, sizeOf(extents)));
}

/** Copies a part from or to its place in the whole tensor, one run of neighbouring elements after another. */
function copyPart(
  whole: Tensor,
  part: Tensor,
  { axis, begin, toWhole }: Place & { readonly toWhole: boolean },
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
