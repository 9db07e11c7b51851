import { type Checkpoint, entry, toFloat32 } from "@isthmus/core";
import { positionIn } from "../linear/multiply-units.ts";
import type { HiddenLayer, UnitSite } from "./hidden-layers.ts";

/**
 * Computes for each unit the norm of the weights it computes by times the norm of the weights that read it.
 * Scaling a unit up and its readers down does not change this product.
 */
export async function measureUnitNorms(network: Checkpoint, layer: HiddenLayer): Promise<Float64Array> {
  const [written, read] = [
    await squaredNorms(network, layer, "writes"),
    await squaredNorms(network, layer, "reads"),
  ];
  return written.map((square, unit) => Math.sqrt(square * (read[unit] as number)));
}

async function squaredNorms(
  network: Checkpoint,
  layer: HiddenLayer,
  side: "writes" | "reads",
): Promise<Float64Array> {
  const squares = new Float64Array(layer.size);
  for (const site of layer[side].filter(isWeightSite)) {
    const { dtype } = entry(network.tensors, site.tensor, "tensor");
    const { data } = await network.read(site.tensor);
    const position = positionIn(site.view, [site.axis]);
    toFloat32(data, dtype).forEach((value, element) => {
      const unit = site.units[position(element)] as number;
      if (unit >= 0) squares[unit] = (squares[unit] as number) + value * value;
    });
  }
  return squares;
}

/** Checks whether a site is in a matrix or a kernel: biases and norms have one axis and other scales. */
export function isWeightSite({ view }: UnitSite): boolean {
  return view.length > 1;
}
