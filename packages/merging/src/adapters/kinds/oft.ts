import { at, entry, excerpt, FormatError, MismatchError, sizeOf, toFloat64 } from "@isthmus/core";
import { createMatrix, type Matrix, multiply } from "@isthmus/linear-algebra";
import type { MultipliedKind, MultipliedSource } from "./multiplied-weight.ts";
import { addIdentity, cayley, rotateColumns } from "./rotations.ts";

/** Most terms of the series of Neumann; the settings of a hostile file could ask for any number. */
const MOST_TERMS = 100;

/**
 * OFT: the inputs of a module are rotated, in blocks of one size, by the Cayley transform of a
 * skew-symmetric matrix, of which the file has the elements above the diagonal.
 *
 * Source: Qiu et al., Controlling text-to-image diffusion by orthogonal finetuning, 2023, section 3; PEFT,
 * `OFTRotationModule`. The series of Neumann that PEFT takes by default in place of the exact inverse is
 * computed with as many terms.
 */
export const oftKind: MultipliedKind = {
  name: "OFT",
  peftType: "OFT",
  end: /\.oft_R(\.default)?\.weight$/,
  open(name, key, source) {
    const { shape } = entry(source.checkpoint.tensors, key, "tensor");
    const [blocks = 0, elements = 0] = shape;
    const size = (1 + Math.sqrt(1 + 8 * elements)) / 2;
    if (shape.length !== 2 || blocks < 1 || elements < 1 || !Number.isInteger(size)) {
      throw new MismatchError(
        `Cannot use adapter "${source.source}" as the rotations of "${name}" must be [blocks, size * (size - 1) / 2]: they are [${shape}]`,
        { parameters: [name] },
      );
    }
    const isShared = source.settings["block_share"] === true;
    return {
      name,
      kind: "OFT",
      expected: isShared ? `[*, a multiple of ${size}]` : `[*, ${blocks * size}]`,
      fits(weight) {
        const columns = sizeOf(weight.slice(1));
        return weight.length >= 2 && (isShared ? columns % size === 0 : columns === blocks * size);
      },
      async readRows() {
        const rotations = await readRotations(key, { blocks, size }, source);
        return (rows) => rotateColumns(rows, [{ rotations }]);
      },
    };
  },
};

async function readRotations(
  key: string,
  { blocks, size }: { readonly blocks: number; readonly size: number },
  { checkpoint, settings, source }: MultipliedSource,
): Promise<readonly Matrix[]> {
  const { data, dtype } = await checkpoint.read(key);
  const elements = toFloat64(data, dtype);
  const terms = readTerms(settings, source);
  const perBlock = elements.length / blocks;
  const skews = Array.from({ length: blocks }, (_, i) =>
    skewOf(elements.subarray(i * perBlock, (i + 1) * perBlock), size),
  );
  if (settings["coft"] === true) {
    const bound = Number(settings["eps"] ?? 6e-5) / Math.sqrt(blocks);
    for (const skew of skews) shorten(skew, bound);
  }
  return Promise.all(skews.map((skew) => (terms === undefined ? cayley(skew) : cayleySeries(skew, terms))));
}

/** Reads how many terms of the series are taken; undefined for the exact inverse. */
function readTerms(settings: Readonly<Record<string, unknown>>, source: string): number | undefined {
  // Adapters that are older than the setting were trained with the exact inverse.
  if (settings["use_cayley_neumann"] !== true) return undefined;
  const { num_cayley_neumann_terms: terms = 5 } = settings;
  if (typeof terms === "number" && Number.isInteger(terms) && terms >= 1 && terms <= MOST_TERMS) return terms;
  throw new FormatError(
    `Cannot read the settings of adapter "${source}" as "num_cayley_neumann_terms" must be a whole number from 1 to ${MOST_TERMS}: it is ${excerpt(terms)}`,
    { format: "adapter_config.json" },
  );
}

/** Makes a skew-symmetric matrix of the elements above its diagonal, row by row. */
function skewOf(elements: Float64Array, size: number): Matrix {
  const data = new Float64Array(size * size);
  let next = 0;
  for (let i = 0; i < size; i++) {
    for (let j = i + 1; j < size; j++) {
      const element = at(elements, next++, "element");
      data[i * size + j] = element;
      data[j * size + i] = -element;
    }
  }
  return createMatrix(size, size, data);
}

/** Shortens a matrix to a Frobenius norm, as constrained OFT does. */
function shorten({ data }: Matrix, bound: number): void {
  const norm = Math.sqrt((data as Float64Array).reduce((sum, x) => sum + x * x, 0));
  if (norm <= bound) return;
  for (let i = 0; i < data.length; i++) data[i] = (at(data, i, "element") * bound) / norm;
}

/** Computes the first terms of the series as PEFT does: `I + 2 Q + 2 Q^2 + ... + Q^n`. */
async function cayleySeries(skew: Matrix, terms: number): Promise<Matrix> {
  const sum = createMatrix(skew.rows, skew.columns, new Float64Array(skew.data.length));
  addIdentity(sum);
  let power = skew;
  const last = terms > 2 ? Math.max(3, terms - 1) : terms - 1;
  for (let i = 1; i <= last; i++) {
    if (i > 1) power = multiply(power, skew);
    // The last of at least three powers counts once.
    const factor = i === last && i > 1 ? 1 : 2;
    for (let k = 0; k < sum.data.length; k++) {
      sum.data[k] = at(sum.data, k, "element") + factor * at(power.data, k, "element");
    }
  }
  return sum;
}
