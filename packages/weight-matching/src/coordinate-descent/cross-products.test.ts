import { createRandom } from "@isthmus/core";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { expect, test } from "vitest";
import { createCrossProducts } from "./cross-products.ts";

test("products over one row have the bits that the engine gives them", async () => {
  const random = createRandom(0, "products");
  const draw = (length: number) => Float32Array.from({ length }, () => random.normal());
  const [left, right] = [67, 45];
  const [a, b, base] = [draw(left), draw(right), draw(left * right)];
  const products = await createCrossProducts(createOnnxRuntimeEngine());
  try {
    // A second row of zeros makes the engine compute the same product.
    const padded = (row: Float32Array) => Float32Array.from([...row, ...new Float32Array(row.length)]);
    const expected = new Float32Array(left * right);
    await products.add(padded(a), padded(b), base, expected);
    const actual = new Float32Array(left * right);
    await products.add(a, b, base, actual);
    expect(actual).toEqual(expected);
    const byRows = new Float32Array(left * right);
    await products.addByRows({ a, b, depth: 1 }, base, byRows);
    expect(byRows).toEqual(expected);
  } finally {
    await products.release();
  }
});
