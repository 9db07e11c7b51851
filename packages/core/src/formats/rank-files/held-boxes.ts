import { UnsupportedError } from "../../errors.ts";
import { at } from "../../invariant.ts";
import { MAX_RANK } from "../../io/limits.ts";
import { sameShape } from "../../tensor/shape.ts";
import { formatErrors } from "../format-errors.ts";
import { countOf, extentsOf, itemsOf, lookInto } from "../torch/pickle/look-into.ts";
import { PickleRecord } from "../torch/pickle/pickle-record.ts";
import { isTorchTensor, type TorchTensor } from "../torch/tensors.ts";

const rankError = formatErrors("fsdp");

/** A box of a tensor that one process holds. */
export interface HeldBox {
  /** Position of its first element along each axis of the tensor. */
  readonly offsets: readonly number[];
  /** Elements of the box. */
  readonly tensor: TorchTensor;
}

/** Boxes of one tensor that one process holds, without copies that another process has, too. */
export interface HeldBoxes {
  /** Extents of the whole tensor. */
  readonly shape: readonly number[];
  /** Boxes that this process has to give. */
  readonly held: readonly HeldBox[];
}

/** A call that rebuilds a tensor of a subclass: the class, its type of elements, and its extents. */
const [SUBCLASS, EXTENTS] = [0, 2] as const;

/**
 * Finds the boxes of a `DTensor` or `ShardedTensor` that one process holds.
 * @param record - call of `_rebuild_wrapper_subclass` with the state of the tensor
 * @param name - name of the tensor, for messages
 * @param file - name of the file, for messages
 * @throws UnsupportedError if it is of another class, or placed in another way
 * @throws FormatError if a part is missing
 */
export function boxesOf(record: PickleRecord, name: string, file: string): HeldBoxes {
  const shape = extentsOf(record.args[EXTENTS], MAX_RANK);
  const kind = nameOf(record.args[SUBCLASS]);
  if (shape === undefined) throw rankError(file, `"${name}" must have a shape: it has none`);
  if (kind.endsWith(".DTensor")) return { shape, held: boxOfPlaced(record, shape, name, file) };
  if (kind.endsWith(".ShardedTensor")) return { shape, held: shardsOf(record, shape, name, file) };
  throw unsupported(file, name, kind);
}

function nameOf(value: unknown): string {
  return typeof value === "object" && value !== null && "name" in value ? String(value.name) : "unknown";
}

function unsupported(file: string, name: string, feature: string): UnsupportedError {
  return new UnsupportedError(
    `Cannot read "${file}" as tensors of processes must be DTensor or ShardedTensor, split along axes or copied: "${name}" is ${feature}; save the run by torch.distributed.checkpoint`,
    { feature },
  );
}

/** Finds the shards of a `ShardedTensor`, each with its offsets in the whole tensor. */
function shardsOf(record: PickleRecord, shape: readonly number[], name: string, file: string): HeldBox[] {
  const [shards] = itemsOf(record.state);
  return itemsOf(shards).map((shard) => {
    const tensor = lookInto(shard, "tensor");
    const offsets = extentsOf(lookInto(shard, "metadata", "shard_offsets"), MAX_RANK);
    if (!isTorchTensor(tensor) || offsets?.length !== shape.length)
      throw rankError(file, `each shard of "${name}" must have elements and offsets: one has not`);
    return { offsets, tensor };
  });
}

/**
 * Finds the box of a `DTensor` from its placements on the mesh of processes: along each axis of the mesh, it
 * is split along an axis of the tensor, as `torch.chunk` splits, or copied.
 */
function boxOfPlaced(record: PickleRecord, shape: readonly number[], name: string, file: string): HeldBox[] {
  const tensor = lookInto(record, "_local_tensor");
  const mesh = lookInto(record, "_spec", "mesh");
  const placements = itemsOf(lookInto(record, "_spec", "placements"));
  const place = extentsOf(lookInto(mesh, "_coordinate_on_dim"), MAX_RANK);
  const extents = extentsOfMesh(mesh);
  if (!isTorchTensor(tensor) || place?.length !== placements.length || extents?.length !== place.length)
    throw rankError(file, `"${name}" must have elements and a placement on a mesh of processes: it has not`);
  const box = { offsets: shape.map(() => 0), sizes: [...shape] };
  for (const [i, placement] of placements.entries()) {
    const kind = placement instanceof PickleRecord ? placement.name : "nothing";
    const axis = countOf(lookInto(placement, "dim"));
    if (/\.Shard$/.test(kind) && axis !== undefined && axis < shape.length)
      narrow(box, axis, at(place, i), at(extents, i));
    else if (!/\.Replicate$/.test(kind)) throw unsupported(file, name, `placed by ${kind}`);
    else if (at(place, i) > 0) return [];
  }
  const { offsets, sizes } = box;
  if (sizes.includes(0)) return [];
  if (!sameShape(tensor.shape, sizes))
    throw rankError(
      file,
      `its part of "${name}" must be [${sizes}] by its placement: it is [${tensor.shape}]`,
    );
  return [{ offsets, tensor }];
}

/** Narrows a box to one of several equal parts along an axis, of which the last may be smaller or empty. */
function narrow(
  box: { offsets: number[]; sizes: number[] },
  axis: number,
  part: number,
  parts: number,
): void {
  const extent = at(box.sizes, axis);
  const length = Math.ceil(extent / parts);
  const begin = Math.min(part * length, extent);
  box.offsets[axis] = at(box.offsets, axis) + begin;
  box.sizes[axis] = Math.min(length, extent - begin);
}

/** Returns the extents of a mesh of processes, as the versions of PyTorch store them. */
function extentsOfMesh(mesh: unknown): readonly number[] | undefined {
  const axes = itemsOf(lookInto(mesh, "_layout", "axes"));
  if (axes.length > 0) return axes.flatMap((axis) => extentsOf(lookInto(axis, "shape"), 1) ?? []);
  const flat = extentsOf(lookInto(mesh, "_layout", "shape"), MAX_RANK);
  if (flat !== undefined) return flat;
  const stored = lookInto(mesh, "mesh");
  return isTorchTensor(stored) ? stored.shape : undefined;
}
