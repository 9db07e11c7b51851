import { formatShape, MismatchError } from "@isthmus/core";

/**
 * Shape of an element-wise operation on operands of several shapes, as NumPy and ONNX broadcast them.
 * @throws MismatchError if extents differ and neither is 1
 */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const extent = extents.find((each) => each !== 1) ?? 1;
    if (extents.every((each) => each === 1 || each === extent)) return extent;
    throw new MismatchError(
      `Cannot combine shapes ${shapes.map((shape) => formatShape(shape)).join(" and ")} element by element as extents of axis ${axis} must be equal or 1: they are ${extents.join(" and ")}`,
      { parameters: [] },
    );
  });
}
