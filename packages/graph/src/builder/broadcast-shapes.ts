import { at, formatShape, MismatchError } from "@isthmus/core";

/**
 * Returns the shape of an element-wise operation on operands of several shapes, as
 * NumPy and ONNX broadcast them.
 * @throws MismatchError if extents differ and neither is 1
 */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => extentFromEnd(shape, rank - axis));
    const extent = extents.find((other) => other !== 1) ?? 1;
    if (extents.every((other) => other === 1 || other === extent)) return extent;
    throw new MismatchError(
      `Cannot combine shapes ${shapes.map((shape) => formatShape(shape)).join(" and ")} element by element as extents of axis ${axis} must be equal or 1: they are ${extents.join(" and ")}`,
      { parameters: [] },
    );
  });
}

/**
 * Returns the extent of the axis at a distance from the end, counted from 1; 1 in front of the first axis.
 */
function extentFromEnd(shape: readonly number[], distance: number): number {
  return distance > shape.length ? 1 : at(shape, shape.length - distance, "axis");
}
