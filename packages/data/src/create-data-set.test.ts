import { allocateData, createTensor, FormatError, InputError, sizeOf, type Tensor } from "@isthmus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countingBytes } from "../test/encode-idx.ts";
import { createDataSet } from "./create-data-set.ts";
import { MNIST_SCALING, scaleTables } from "./scaling.ts";

const bytes = (...shape: number[]) => createTensor("u8", shape, countingBytes(shape));

describe("createDataSet()", () => {
  it("createDataSet() scales bytes to [0, 1] and adds a channel axis to images", () => {
    const data = createDataSet(bytes(3, 2, 5), Int32Array.of(2, 0, 1));
    expect(data).toMatchObject({ name: "data", size: 3, exampleShape: [1, 2, 5], classes: 3 });
    expect(data.scaling).toEqual({ mean: 0, std: 1 });
    const { inputs, labels } = data.read(1, 3);
    expect(inputs.dtype).toBe("f32");
    expect(inputs.shape).toEqual([2, 1, 2, 5]);
    expect(inputs.data).toEqual(Float32Array.from({ length: 20 }, (_, i) => (i + 10) / 255));
    expect(labels).toEqual(Int32Array.of(0, 1));
  });

  it.each([4, 3])("createDataSet() scales by channel, images of side %i, read and gathered alike", (side) => {
    const pixels = countingBytes([3, 2, side, side]);
    const scaling = { mean: [0.1, 0.2], std: [0.5, 0.25] };
    const data = createDataSet(createTensor("u8", [3, 2, side, side], pixels), new Int32Array(3), {
      scaling,
    });
    const { inputs } = data.read(0, 3);
    const plane = side * side;
    const expected = Float32Array.from(pixels, (byte, i) => {
      const channel = Math.floor(i / plane) % 2;
      return (
        Math.fround(Math.fround(byte / 255) - Math.fround(channel === 0 ? 0.1 : 0.2)) *
        (channel === 0 ? 2 : 4)
      );
    });
    expect(inputs.data).toEqual(expected);
    const out = data.read(0, 2);
    data.gatherInto?.(Uint32Array.of(2, 1), out);
    expect(out.inputs.data).toEqual(
      Float32Array.of(...expected.slice(4 * plane), ...expected.slice(2 * plane, 4 * plane)),
    );
  });

  it("createDataSet() reads the same examples in batches of any size", () => {
    const all = createDataSet(bytes(9, 4, 4), new Int32Array(9), { scaling: MNIST_SCALING }).read(0, 9);
    const [table = new Float32Array(0)] = scaleTables(MNIST_SCALING, [1, 4, 4]);
    expect(all.inputs.data).toEqual(Float32Array.from(countingBytes([9, 4, 4]), (byte) => table[byte]!));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }), (a, b) => {
        const [begin, end] = [Math.min(a, b), Math.max(a, b)];
        const data = createDataSet(bytes(9, 4, 4), new Int32Array(9), { scaling: MNIST_SCALING });
        const part = data.read(begin, end);
        expect(part.inputs.shape).toEqual([end - begin, 1, 4, 4]);
        expect(part.inputs.data).toEqual(all.inputs.data.slice(begin * 16, end * 16));
      }),
    );
  });

  it("createDataSet() feeds floats as f32, unscaled and with the shape they have", () => {
    const values = Float64Array.of(0.1, -2, 3, 4);
    const data = createDataSet(createTensor("f64", [2, 1, 2], values), Int32Array.of(0, 0));
    expect(data.scaling).toBeUndefined();
    expect(data.exampleShape).toEqual([1, 2]);
    expect(data.read(0, 2).inputs).toEqual(createTensor("f32", [2, 1, 2], Float32Array.from(values)));
  });

  it("createDataSet() feeds other integers as they are", () => {
    const tokens = createTensor("i64", [2, 2], BigInt64Array.of(5n, 6n, 7n, 8n));
    const { inputs } = createDataSet(tokens, Int32Array.of(0, 1)).read(1, 2);
    expect(inputs).toEqual(createTensor("i64", [1, 2], BigInt64Array.of(7n, 8n)));
  });

  it("createDataSet() returns batches that can be written to", () => {
    const inputs = createTensor("f32", [1, 1], Float32Array.of(1));
    const labels = Int32Array.of(0);
    const batch = createDataSet(inputs, labels).read(0, 1);
    batch.inputs.data[0] = 9;
    batch.labels[0] = 9;
    expect(inputs.data[0]).toBe(1);
    expect(labels[0]).toBe(0);
  });

  it("createDataSet() takes labels of any integer type and of shape [n, 1]", () => {
    const labels = createTensor("i64", [2, 1], BigInt64Array.of(3n, 1n));
    const data = createDataSet(bytes(2, 1, 1), labels);
    expect(data.read(0, 2).labels).toEqual(Int32Array.of(3, 1));
    expect(data.classes).toBe(4);
  });

  it("createDataSet() limits examples but counts the classes of all", () => {
    const data = createDataSet(bytes(3, 1, 1), Int32Array.of(0, 1, 5), { limit: 2 });
    expect(data.size).toBe(2);
    expect(data.classes).toBe(6);
    expect(() => data.read(0, 3)).toThrow(RangeError);
  });

  it.each([
    [-1, 1],
    [2, 1],
    [0, 4],
    [0.5, 1],
  ])("createDataSet() refuses to read examples %d to %d of 3", (begin, end) => {
    expect(() => createDataSet(bytes(3, 1, 1), new Int32Array(3)).read(begin, end)).toThrow(
      /^Cannot read examples .* of "data" as the range must be within it: it has 3$/,
    );
  });

  it("createDataSet() refuses labels that are not classes", () => {
    const images = bytes(2, 1, 1);
    expect(() => createDataSet(images, Int32Array.of(0, -1))).toThrow(/label 1 is -1$/);
    expect(() => createDataSet(images, Int32Array.of(0, 10), { classes: 10 })).toThrow(
      /from 0 to 9: label 1 is 10$/,
    );
    const huge = createTensor("u64", [2], BigUint64Array.of(0n, 2n ** 64n - 1n));
    expect(() => createDataSet(images, huge)).toThrow(FormatError);
    expect(createDataSet(images, createTensor("f32", [2], Float32Array.of(0, 1)))).toMatchObject({
      labelling: "none",
      unlabelled:
        "its labels are f32 [2], whole numbers: if they are classes, store them as integers (y.astype(int64))",
    });
  });

  it("createDataSet() keeps labels that are no classes as a feature, and labels of pixels", () => {
    const numbers = createTensor("f16", [3, 2], Uint16Array.of(0x3c00, 0, 0x4000, 0, 0x4200, 0));
    const data = createDataSet(bytes(3, 2, 2), numbers);
    expect(data).toMatchObject({ labelling: "none", targets: "labels", classes: 0 });
    expect(data.features).toEqual(new Map([["labels", { dtype: "f32", shape: [2] }]]));
    expect([...(data.read(1, 3).features?.get("labels")?.data ?? [])]).toEqual([2, 0, 3, 0]);
    const left = createDataSet(bytes(3, 2, 2), numbers, { labelling: "none" });
    expect([left.targets, left.features]).toEqual([undefined, undefined]);
    const classes = createTensor("i64", [2, 2, 2], BigInt64Array.of(0n, 1n, 2n, -100n, 4n, 0n, 0n, 0n));
    const pixels = createDataSet(bytes(2, 2, 2), classes);
    expect(pixels).toMatchObject({ labelling: "pixel", classes: 5 });
    expect([...pixels.read(0, 1).labels]).toEqual([0, 1, 2, -1]);
    const batch = pixels.read(0, 2);
    pixels.gatherInto?.(Uint32Array.of(1, 0), batch);
    expect([...batch.labels]).toEqual([4, 0, 0, 0, 0, 1, 2, -1]);
  });

  it("createDataSet() refuses counts that differ and sets without examples", () => {
    expect(() => createDataSet(bytes(2, 1, 1), Int32Array.of(0))).toThrow(
      'Cannot use data set "data" as each of its 2 inputs must have one label: labels are [1]',
    );
    const rows = createTensor("u8", [3, 2], new Uint8Array(6));
    expect(() => createDataSet(bytes(2, 1, 1), rows)).toThrow(/labels are \[3, 2\]$/);
    expect(() => createDataSet(bytes(0, 2, 2), new Int32Array(0))).toThrow(/must have examples/);
    expect(() => createDataSet(bytes(2, 0), new Int32Array(2))).toThrow(/must have examples/);
    expect(() => createDataSet(bytes(), new Int32Array(1))).toThrow(/must have examples/);
  });

  it("createDataSet() refuses options out of range", () => {
    const images = bytes(2, 1, 1);
    const labels = new Int32Array(2);
    expect(() => createDataSet(images, labels, { limit: 3 })).toThrow(InputError);
    expect(() => createDataSet(images, labels, { limit: 1.5 })).toThrow(RangeError);
    expect(() => createDataSet(images, labels, { classes: -1 })).toThrow(RangeError);
    expect(() => createDataSet(images, labels, { scaling: { mean: 0, std: 0 } })).toThrow(RangeError);
  });
});

describe("DataSet.gatherInto()", () => {
  const tensors = [
    bytes(5, 4, 3),
    createTensor(
      "f32",
      [5, 6],
      Float32Array.from({ length: 30 }, (_, i) => i / 7),
    ),
    createTensor(
      "f64",
      [5, 2],
      Float64Array.from({ length: 10 }, (_, i) => i / 3),
    ),
    createTensor(
      "i64",
      [5, 2],
      BigInt64Array.from({ length: 10 }, (_, i) => BigInt(i - 5)),
    ),
  ];

  it.each(tensors)("DataSet.gatherInto() reads what read() reads, in any order: $dtype", (inputs) => {
    const data = createDataSet(inputs, Int32Array.of(3, 1, 4, 1, 5), { scaling: MNIST_SCALING });
    fc.assert(
      fc.property(fc.uint32Array({ min: 0, max: 4, minLength: 1, maxLength: 9 }), (indices) => {
        const { dtype, shape } = data.read(0, 1).inputs;
        const count = indices.length;
        const elements = allocateData(dtype, count * sizeOf(shape));
        const room = createTensor(dtype, [count, ...shape.slice(1)], elements);
        const out = data.gatherInto?.(indices, { inputs: room, labels: new Int32Array(count) });
        const singles = [...indices].map((i) => data.read(i, i + 1));
        expect([...(out?.inputs.data ?? [])]).toEqual(singles.flatMap((one) => [...one.inputs.data]));
        expect([...(out?.labels ?? [])]).toEqual(singles.map((one) => one.labels[0]));
      }),
    );
  });

  it("DataSet.gatherInto() reads features and labels of positions, too, as read() does", () => {
    const ids = createTensor(
      "i32",
      [5, 2],
      Int32Array.from({ length: 10 }, (_, i) => i),
    );
    const features = new Map([
      ["attention_mask", createTensor("u8", [5, 2], Uint8Array.of(1, 0, 1, 1, 1, 1, 0, 1, 1, 1))],
      ["other", createTensor("f64", [5], Float64Array.of(1, 2, 3, 4, 5))],
      ["image", bytes(5, 2, 2)],
    ]);
    const labels = createTensor(
      "i64",
      [5, 2],
      BigInt64Array.from({ length: 10 }, (_, i) => BigInt(i % 4) - 1n),
    );
    const data = createDataSet(ids, labels, { features, inputName: "ids" });
    expect(data.features?.get("image")).toEqual({ dtype: "f32", shape: [1, 2, 2] });
    expect([...data.read(0, 2).labels]).toEqual([-1, -1, 1, 2]);
    fc.assert(
      fc.property(fc.uint32Array({ min: 0, max: 4, minLength: 1, maxLength: 6 }), (indices) => {
        const singles = [...indices].map((i) => data.read(i, i + 1));
        const room = (tensor: Tensor) =>
          createTensor(
            tensor.dtype,
            [indices.length, ...tensor.shape.slice(1)],
            allocateData(tensor.dtype, indices.length * tensor.data.length),
          );
        const [first] = singles;
        const out = data.gatherInto?.(indices, {
          inputs: room(first!.inputs),
          features: new Map([...(first?.features ?? [])].map(([name, tensor]) => [name, room(tensor)])),
          labels: new Int32Array(2 * indices.length),
        });
        expect([...(out?.labels ?? [])]).toEqual(singles.flatMap((one) => [...one.labels]));
        for (const [name, tensor] of out?.features ?? [])
          expect([...tensor.data]).toEqual(
            singles.flatMap((one) => [...(one.features?.get(name)?.data ?? [])]),
          );
      }),
    );
    const lacking = { inputs: createTensor("i32", [1, 2], new Int32Array(2)), labels: new Int32Array(2) };
    expect(() => data.gatherInto?.(Uint32Array.of(0), lacking)).toThrow(
      /room for 1 rows of "attention_mask"/,
    );
  });

  it("DataSet.gatherInto() refuses indices out of range and batches that do not fit", () => {
    const data = createDataSet(bytes(5, 4, 3), new Int32Array(5));
    const batch = () => data.read(0, 2);
    expect(() => data.gatherInto?.(Uint32Array.of(0, 5), batch())).toThrow(/Cannot read example 5 of "data"/);
    expect(() => data.gatherInto?.(Uint32Array.of(0), batch())).toThrow(/it must have room for 1 examples/);
    const whole = { ...batch(), inputs: createTensor("i32", [2, 1, 4, 3], new Int32Array(24)) };
    expect(() => data.gatherInto?.(Uint32Array.of(0, 1), whole)).toThrow(/must be f32: they are i32/);
  });
});
