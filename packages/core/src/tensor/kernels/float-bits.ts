/** Float types narrower than f32, each of whose values f32 holds exactly. */
export type NarrowFloat = "f16" | "bf16" | "f8e4m3" | "f8e5m2";

/** Arrays that hold narrow floats as bit patterns. */
export type NarrowData = Uint16Array | Uint8Array;

/** Layout of a narrow float: sign, exponent, mantissa, from the top bit down. */
interface Layout {
  /** Bits of the mantissa. */
  readonly mantissa: number;
  /** Number that is added to an exponent before it is stored. */
  readonly bias: number;
  /** Mask of all bits except the sign. */
  readonly magnitude: number;
  /** Pattern of infinity; for f8e4m3, which has none, the pattern of its NaN. */
  readonly top: number;
  /** Pattern of numbers that overflow: infinity; for f8e4m3 the largest number. */
  readonly most: number;
  /** Pattern of a quiet NaN. */
  readonly nan: number;
  /** f32 pattern from which on numbers overflow and become `most`. */
  readonly overflow: number;
}

const LAYOUTS: Readonly<Record<Exclude<NarrowFloat, "bf16">, Layout>> = {
  f16: {
    mantissa: 10,
    bias: 15,
    magnitude: 0x7fff,
    top: 0x7c00,
    most: 0x7c00,
    nan: 0x7e00,
    overflow: 0x47800000,
  },
  f8e5m2: { mantissa: 2, bias: 15, magnitude: 0x7f, top: 0x7c, most: 0x7c, nan: 0x7e, overflow: 0x47800000 },
  f8e4m3: { mantissa: 3, bias: 7, magnitude: 0x7f, top: 0x7f, most: 0x7e, nan: 0x7f, overflow: 0x43e00000 },
};

const F32_INFINITY = 0x7f800000;
const F32_QUIET = 0x00400000;

const cell = new Float32Array(1);
const cellBits = new Uint32Array(cell.buffer);

function widenWith(layout: Layout, source: NarrowData, out: Uint32Array): void {
  const { mantissa, bias, magnitude, top } = layout;
  const signShift = source.BYTES_PER_ELEMENT === 2 ? 16 : 24;
  const shift = 23 - mantissa;
  const rebias = (127 - bias) << 23;
  const minNormal = 1 << mantissa;
  const quantum = 2 ** (1 - bias - mantissa);
  for (let i = 0; i < source.length; i++) {
    const x = source[i]!;
    const m = x & magnitude;
    let bits: number;
    if (m >= top) {
      // Infinity keeps an empty mantissa; the payload of a NaN is kept, so that narrowing restores it.
      bits = F32_INFINITY | ((m << shift) & 0x7fffff);
    } else if (m >= minNormal) {
      bits = (m << shift) + rebias;
    } else {
      cell[0] = m * quantum;
      bits = cellBits[0]!;
    }
    out[i] = bits | ((x & ~magnitude) << signShift);
  }
}

function narrowWith(layout: Layout, source: Uint32Array, out: NarrowData): void {
  const { mantissa, bias, magnitude, top, most, nan, overflow } = layout;
  const signShift = out.BYTES_PER_ELEMENT === 2 ? 16 : 24;
  const shift = 23 - mantissa;
  const rebias = (127 - bias) << 23;
  const minNormal = (128 - bias) << 23;
  // A power of two whose ulp is the smallest subnormal: adding it makes the f32 addition do the rounding.
  const magicBits = (128 - bias + shift) << 23;
  cellBits[0] = magicBits;
  const magic = cell[0]!;
  const below = (1 << (shift - 1)) - 1;
  for (let i = 0; i < source.length; i++) {
    const x = source[i]!;
    const m = x & 0x7fffffff;
    let bits: number;
    if (m > F32_INFINITY) {
      const payload = (m >>> shift) & ((1 << mantissa) - 1);
      bits = top === nan || payload === 0 ? nan : top | payload;
    } else if (m >= overflow) {
      bits = most;
    } else if (m >= minNormal) {
      bits = (m - rebias + below + ((m >>> shift) & 1)) >>> shift;
    } else {
      cellBits[0] = m;
      cell[0] = cell[0]! + magic;
      bits = cellBits[0]! - magicBits;
    }
    out[i] = bits | ((x >>> signShift) & ~magnitude);
  }
}

function narrowToBf16(source: Uint32Array, out: NarrowData): void {
  for (let i = 0; i < source.length; i++) {
    const x = source[i]!;
    if ((x & 0x7fffffff) > F32_INFINITY) {
      // A NaN with a payload only in the dropped bits would turn into infinity.
      out[i] = (x & 0x7f0000) === 0 ? (x | F32_QUIET) >>> 16 : x >>> 16;
    } else {
      out[i] = (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
    }
  }
}

/**
 * Widens narrow floats to the bit patterns of equal f32 values, exactly; NaN payloads are kept. `source` and
 * `out` have equal lengths.
 */
export function widenScalar(dtype: NarrowFloat, source: NarrowData, out: Uint32Array): void {
  if (dtype === "bf16") for (let i = 0; i < source.length; i++) out[i] = source[i]! << 16;
  else widenWith(LAYOUTS[dtype], source, out);
}

/**
 * Rounds f32 bit patterns to a narrow float, to nearest even. Overflow gives infinity, or in f8e4m3, which
 * has none, the largest number, as in PyTorch since 2.15 (before, NaN). NaN stays NaN and keeps the payload
 * bits that fit. Lengths are equal.
 */
export function narrowScalar(dtype: NarrowFloat, source: Uint32Array, out: NarrowData): void {
  if (dtype === "bf16") narrowToBf16(source, out);
  else narrowWith(LAYOUTS[dtype], source, out);
}

/** Checks whether a type is a float narrower than f32. */
export function isNarrow(dtype: string): dtype is NarrowFloat {
  return dtype === "bf16" || Object.hasOwn(LAYOUTS, dtype);
}

/**
 * Rounds numbers to f32 so that a later rounding to a narrower float rounds as if once: towards zero, with
 * the last bit set when inexact ("round to odd"). Boldo and Melquiond, "Emulation of FMA and correctly
 * rounded sums: proved algorithms using rounding to odd", IEEE Transactions on Computers 57(4), 2008.
 */
export function roundToOdd(source: ArrayLike<number>, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < out.length; i++) {
    const x = source[i]!;
    out[i] = x;
    const rounded = out[i]!;
    if (rounded !== x && !Number.isNaN(x)) {
      if (Math.abs(rounded) > Math.abs(x)) bits[i] = bits[i]! - 1;
      bits[i] = bits[i]! | 1;
    }
  }
}
