import {
  at,
  type Checkpoint,
  convertInto,
  defineCheckpoint,
  entry,
  sizeOf,
  type TensorInfo,
  toFloat64,
} from "@isthmus/core";
import type { Adapter, AdapterModule } from "../adapter.ts";
import { commonMetadata } from "../adapter-file.ts";
import type { NameStyle } from "./name-style.ts";

/** A module with the extents of its weight's kernel, if its factors do not tell them. */
export interface ShapedModule extends AdapterModule {
  /** Extents of the weight after the first; undefined if `A` has them. */
  readonly kernel?: readonly number[];
}

/** Source of the elements of a renamed tensor. */
export interface Origin {
  /** Element type and shape of the renamed tensor. */
  readonly info: TensorInfo;
  /** Name of the tensor in the adapter; undefined for a number that is written by itself. */
  readonly key?: string;
  /** Factor by which elements are multiplied, or the number that is written. */
  readonly factor: number;
}

/** Lists the tensors of a module by the ends of their names in a style. */
export function originsOf(
  { checkpoint: { tensors } }: Adapter,
  { ends, scale: place }: NameStyle,
  module: ShapedModule,
): readonly (readonly [string, Origin])[] {
  const { a, b, magnitude, rank, scale, kernel } = module;
  const [down, up] = [entry(tensors, a, "tensor"), entry(tensors, b, "tensor")];
  const inner = kernel ?? down.shape.slice(1);
  const ones = inner.slice(1).map(() => 1);
  const out = sizeOf(up.shape) / rank;
  const list: (readonly [string, Origin])[] = [
    [at(ends.down, 0, "end"), { key: a, factor: 1, info: { ...down, shape: [rank, ...inner] } }],
    [
      at(ends.up, 0, "end"),
      { key: b, factor: place === "factor" ? scale : 1, info: { ...up, shape: [out, rank, ...ones] } },
    ],
  ];
  if (place === "alpha") {
    list.push([at(ends.alpha, 0, "end"), { factor: scale * rank, info: { dtype: "f32", shape: [] } }]);
  }
  if (magnitude === undefined) return list;
  const plain = ones.length === 0 ? [out] : [1, out, ...ones];
  const shape = place === "alpha" ? [out, 1, ...ones] : plain;
  const info = { ...entry(tensors, magnitude, "tensor"), shape };
  return [...list, [at(ends.magnitude, 0, "end"), { key: magnitude, factor: 1, info }]];
}

/** Makes a checkpoint that has the tensors of an adapter under other names. */
export function renamedCheckpoint(
  { checkpoint, source }: Adapter,
  origins: ReadonlyMap<string, Origin>,
): Checkpoint {
  return defineCheckpoint({
    source,
    metadata: commonMetadata([checkpoint]),
    inputs: [checkpoint],
    tensors: new Map([...origins].map(([name, { info }]) => [name, info])),
    async readInto(name, begin, out) {
      const { key, factor, info } = entry(origins, name, "tensor");
      const target = { dtype: info.dtype, data: out };
      if (key === undefined) return convertInto({ dtype: "f64", data: Float64Array.of(factor) }, target);
      if (factor === 1) return checkpoint.readRangeInto(key, begin, out);
      const data = toFloat64(await checkpoint.readRange(key, begin, begin + out.length), info.dtype);
      convertInto({ dtype: "f64", data: data.map((x) => factor * x) }, target);
    },
  });
}
