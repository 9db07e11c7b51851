// Keeps the largest singular values of every matrix of a network, and leaves out the others.
// isthmus --use ./low-rank.ts low-rank a.safetensors --rank 8 -o low.safetensors
import { createTensor, namesField, type Tensor, toFloat64, wholeField, withTensors } from "@isthmus/core";
import { createMatrix, multiply, plainProducts, truncatedSvd } from "@isthmus/linear-algebra";
import { defineNetworkMaker } from "isthmus";

const norm = (numbers: ArrayLike<number>) =>
  Math.sqrt(Array.from(numbers).reduce((sum, number) => sum + number ** 2, 0));

export const lowRank = defineNetworkMaker({
  name: "low-rank",
  summary: "Keep the largest singular values of every matrix of a network",
  from: "network",
  options: {
    rank: wholeField({ least: 1, most: 65_536, default: 8, help: "singular values that every matrix keeps" }),
    tensors: namesField({ help: "matrices to change, for example fc1.weight,fc2.weight (default: all)" }),
  },
  usage: [["a.safetensors --rank 4 -o low.safetensors", "all matrices of rank 4, or less"]],
  async make({ network }, { rank, tensors }, { signal, report }) {
    const all = [...network.tensors].filter(([, { shape }]) => shape.length > 1).map(([name]) => name);
    const changed = new Map<string, Tensor>();
    const matrices: { name: string; rank: number; kept: number }[] = [];
    for (const name of tensors ?? all) {
      signal.throwIfAborted();
      report(`Truncating ${name}`, changed.size / all.length);
      const { shape, data, dtype } = await network.read(name);
      const [rows = 1] = shape;
      const matrix = createMatrix(rows, data.length / rows, toFloat64(data, dtype));
      const { left, values, right } = await truncatedSvd(matrix, rank, plainProducts);
      const scaled = left.data.map((value, i) => value * Number(values[i % values.length]));
      const product = multiply({ ...left, data: scaled }, right, { transposeRight: true });
      changed.set(name, createTensor("f64", shape, Float64Array.from(product.data)));
      matrices.push({ name, rank: values.length, kept: norm(values) / norm(matrix.data) });
    }
    return { weights: withTensors(network, changed), result: { matrices } };
  },
});
