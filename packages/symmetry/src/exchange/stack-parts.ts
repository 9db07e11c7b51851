import {
  at,
  type Checkpoint,
  defineCheckpoint,
  MismatchError,
  sameShape,
  sizeOf,
  type TensorInfo,
} from "@isthmus/core";
import type { SymmetrySpec } from "../spec.ts";

/** Networks whose tensors are the weights of a specification, and that specification. */
export interface StackedNetworks {
  /** The same symmetries, for networks whose parts are stacked already. */
  readonly spec: SymmetrySpec;
  /** The networks, with one tensor for corresponding weights of all parts; lazy. */
  readonly networks: readonly Checkpoint[];
}

/**
 * Stacks the weights of joined parts, so that a specification and the networks have the same weights;
 * nothing changes if the specification joins no parts.
 *
 * @throws MismatchError if corresponding weights of parts differ in type or shape, or one is missing
 */
export function stackParts(spec: SymmetrySpec, networks: readonly Checkpoint[]): StackedNetworks {
  const { joined, ...stacked } = spec;
  if (joined === undefined) return { spec, networks };
  return { spec: stacked, networks: networks.map((network) => stack(network, joined.stacks)) };
}

function stack(network: Checkpoint, stacks: ReadonlyMap<string, readonly string[]>): Checkpoint {
  const single = new Set([...stacks.values()].flat());
  const tensors = new Map([...network.tensors].filter(([name]) => !single.has(name)));
  for (const [name, parts] of stacks) tensors.set(name, stackedInfo(network, parts));
  return defineCheckpoint({
    source: network.source,
    tensors,
    metadata: network.metadata,
    inputs: [network],
    async readInto(name, begin, out) {
      const parts = stacks.get(name);
      if (parts === undefined) return network.readRangeInto(name, begin, out);
      const size = sizeOf(infoOf(network, at(parts, 0, "part")).shape);
      for (let done = 0; done < out.length; ) {
        const part = Math.floor((begin + done) / size);
        const start = begin + done - part * size;
        const length = Math.min(size - start, out.length - done);
        await network.readRangeInto(at(parts, part, "part"), start, out.subarray(done, done + length));
        done += length;
      }
    },
  });
}

function stackedInfo(network: Checkpoint, parts: readonly string[]): TensorInfo {
  const infos = parts.map((name) => infoOf(network, name));
  const { dtype, shape } = at(infos, 0, "part");
  const other = infos.findIndex((info) => info.dtype !== dtype || !sameShape(info.shape, shape));
  if (other < 0) return { dtype, shape: [parts.length, ...shape] };
  const name = at(parts, other, "part");
  throw new MismatchError(
    `Cannot match the parts of "${network.source}" as "${name}" must have the type and shape of "${parts[0]}", which may take its place: convert both to one type`,
    { parameters: [name] },
  );
}

function infoOf({ source, tensors }: Checkpoint, name: string): TensorInfo {
  const info = tensors.get(name);
  if (info !== undefined) return info;
  throw new MismatchError(
    `Cannot match the parts of "${source}" as it must have every weight of the graph: "${name}" is not there`,
    { parameters: [name] },
  );
}
